//! Whether what a person says can be.

use schema::{Error, FieldError, Result};

use super::Draft;

impl Draft<'_> {
    /// # Errors
    /// [`Error::Invalid`] where an answer names a field that is not there.
    pub(super) fn check_answers(&self) -> Result<()> {
        let mut faults = Vec::new();
        let mut check = |pointer: String, path: &str| {
            if self.sample.field(path).is_none() {
                let detail = format!("no sampled record has the field `{path}`");
                faults.push(FieldError { pointer, detail });
            }
        };
        let key = self.answers.key.as_deref();
        for (index, path) in key.iter().copied().flatten().enumerate() {
            check(format!("/key/{index}"), path);
        }
        for (target, source) in &self.answers.fields {
            if let Some(path) = source {
                check(format!("/fields/{target}"), path);
            }
        }
        faults.extend(key.and_then(key_fault));
        let is_known = !self.entity.is_unmapped();
        for target in self.answers.fields.keys().filter(|_| is_known) {
            if self.entity.field(target).is_none() {
                let detail = format!("{} has no such field", self.entity.kind);
                let pointer = format!("/fields/{target}");
                faults.push(FieldError { pointer, detail });
            }
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(Error::Invalid(faults)),
        }
    }

    /// # Errors
    /// [`Error::Invalid`] where a choice answers nothing that is asked.
    pub(super) fn check_choices(&self) -> Result<()> {
        let given = self.answers.choices.keys();
        let unknown = given.filter(|it| !self.asked.contains(*it));
        let asked: Vec<_> = self.asked.iter().map(|it| format!("`{it}`")).collect();
        let fault = |id: &String| FieldError {
            pointer: format!("/answers/{id}"),
            detail: match asked.is_empty() {
                true => "nothing is asked: leave it out".to_owned(),
                false => format!("no such question: there are {}", asked.join(", ")),
            },
        };
        let faults: Vec<_> = unknown.map(fault).collect();
        match faults.is_empty() {
            true => Ok(()),
            false => Err(Error::Invalid(faults)),
        }
    }
}

/// What is wrong with a key, whatever its fields are.
fn key_fault(key: &[String]) -> Option<FieldError> {
    if key.is_empty() {
        let detail = "name one field or more, or answer `key` with `none`".to_owned();
        let pointer = "/key".to_owned();
        return Some(FieldError { pointer, detail });
    }
    let twice = (1..key.len()).find(|it| key[..*it].contains(&key[*it]))?;
    Some(FieldError {
        pointer: format!("/key/{twice}"),
        detail: "is named already: name it once".to_owned(),
    })
}
