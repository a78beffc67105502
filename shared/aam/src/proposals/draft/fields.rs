//! Which source field becomes which canonical one: as a person says, as people decided before, as
//! the shape of the system's export says, as the matcher thinks; the first of these that says
//! anything.

use mapping::matcher::FieldProposal as Proposed;
use schema::entity::{Field, Kind};
use schema::mapping::{FieldMapping, Transform};

use super::Draft;
use super::is_likely;
use crate::proposals::questions::plain;

impl Draft<'_> {
    pub(super) fn fill_fields(&mut self) {
        let entity = self.entity.clone();
        for field in entity.fields.iter() {
            let said = self.answers.fields.get(&*field.name);
            if said.is_none()
                && let Some(row) = self.of_shape(&field.name)
            {
                self.fill_as(field, row);
                continue;
            }
            let source = match said {
                Some(said) => said.clone(),
                None => self
                    .likely(&field.name)
                    .or_else(|| self.remembered(&field.name)),
            };
            if source.is_none() && said.is_none() {
                self.tell_why_not(&field.name);
            }
            if let Some(source) = source {
                self.fill(field, vec![source]);
            }
        }
    }

    /// A likely pair that is not filled in says so.
    fn tell_why_not(&mut self, target: &str) {
        let Some(source) = self.proposed(target).filter(|it| is_likely(it.decision)) else {
            return;
        };
        let source = source.source.clone();
        let why = if self.memory.is_rejected(&self.entity.kind, target, &source) {
            format!("You said that `{}` is not this field.", plain(&source))
        } else if self.is_told(&source) {
            format!(
                "In files of this system `{}` is something else, such as a name where an id is wanted. \
                 Name it in `fields` if it is the field.",
                plain(&source)
            )
        } else {
            return;
        };
        self.against.insert(target.to_owned(), why);
    }

    /// What the matcher thinks, of the fields that the shape leaves open and nobody has rejected.
    fn likely(&self, target: &str) -> Option<String> {
        let rejected = |it: &str| self.memory.is_rejected(&self.entity.kind, target, it);
        let likely = |it: &&Proposed| {
            is_likely(it.decision) && !self.is_told(&it.source) && !rejected(&it.source)
        };
        let proposed = self.proposed(target).filter(likely);
        proposed.map(|it| it.source.clone())
    }

    /// Whether the shape says what this field is.
    fn is_told(&self, path: &str) -> bool {
        let is_it = |it: &String| it == path;
        self.shape.as_ref().is_some_and(|it| {
            let mut rows = it.mapping.fields.iter();
            it.apart.iter().any(is_it) || rows.any(|it| it.sources.iter().any(is_it))
        })
    }

    /// How the shape reads the canonical field, unless people decided otherwise.
    fn of_shape(&self, target: &str) -> Option<FieldMapping> {
        let rows = &self.shape.as_ref()?.mapping.fields;
        let row = rows.iter().find(|it| it.target == target)?;
        let decided = self.decided_before(target);
        let agrees = decided.is_none_or(|it| row.sources.contains(&it));
        let rejected = |it: &String| self.memory.is_rejected(&self.entity.kind, target, it);
        (agrees && !row.sources.iter().any(rejected)).then(|| row.clone())
    }

    /// The field of the very name that people mapped so before, and never otherwise.
    fn decided_before(&self, target: &str) -> Option<String> {
        let is_it = |path: &str| self.memory.is_accepted(&self.entity.kind, target, path);
        let mut paths = self.sample.object.fields.iter().map(|it| &it.path);
        paths.find(|it| is_it(it)).cloned()
    }

    /// The same, and tells of it.
    fn remembered(&mut self, target: &str) -> Option<String> {
        let source = self.decided_before(target)?;
        let note = format!(
            "You mapped `{}` to it before. Name another one in `fields`, or null, where that is \
             wrong here.",
            plain(&source)
        );
        self.notes.insert(target.to_owned(), note);
        Some(source)
    }

    /// Fills in a row of the shape, which leaves the form of values open where the system's users
    /// choose it. Of several columns with a form of their own, and of several ids, the first is
    /// taken.
    fn fill_as(&mut self, field: &Field, mut row: FieldMapping) {
        let is_default = |it: &Transform| matches!(it, Transform::Default { .. });
        let is_open = row
            .transforms
            .iter()
            .all(|it| *it == Transform::Trim {} || is_default(it));
        if is_open && (field.kind != Kind::Text || self.entity.key.contains(&field.name)) {
            row.sources.truncate(1);
        }
        if is_open && let [source] = row.sources.as_slice() {
            let format = self.format(&source.clone(), field);
            let before = row.transforms.iter().position(is_default);
            let at = before.unwrap_or(row.transforms.len());
            row.transforms.splice(at..at, format);
        }
        self.filled.insert(row.target.clone(), row);
    }
}
