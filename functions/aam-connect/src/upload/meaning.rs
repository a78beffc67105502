//! What an uploaded file is of: as the request says, else as its name says, else nobody knows.

use aam::db::source_objects::Said;
use axum::extract::multipart::Field;
use platform::Result;
use schema::entity::{self, ENTITIES, Entities, EntityRef, UNMAPPED};
use schema::source::ObjectRef;
use schema::{ConnectionId, Error};
use sources::delimited::file_name::{self, Format};

use super::broken;

/// A field of the form that is no file has at most so many bytes.
const MAX_HINT: usize = 256;

/// The fields of the form that are no file.
const FIELDS: [&str; 3] = ["entity", "system", "accept"];

/// What the request says of the files that follow.
#[derive(Debug, Clone)]
pub(super) struct Hints {
    /// Those of the tenant.
    entities: Entities,
    entity: Option<EntityRef>,
    system: Option<String>,
    /// Whether what is proposed for an unmapped file is accepted.
    pub(super) accept: bool,
}

impl Hints {
    /// No hints yet, of a tenant with these entities.
    pub(super) fn new(entities: Entities) -> Hints {
        Hints {
            entities,
            entity: None,
            system: None,
            accept: false,
        }
    }

    /// Reads a field of the form.
    ///
    /// # Errors
    /// [`Error::Invalid`] where there is no such field, it names no entity, or a system that cannot
    /// be.
    pub(super) async fn read(&mut self, name: &str, part: &mut Field<'_>) -> Result<()> {
        if !FIELDS.contains(&name) {
            let detail = format!(
                "the form has no such field: there are {}, and files, which have a file name",
                FIELDS.join(", ")
            );
            return Err(Error::invalid(format!("/{name}"), detail).into());
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = part.chunk().await.map_err(broken)? {
            bytes.extend_from_slice(&chunk[..chunk.len().min(MAX_HINT)]);
            bytes.truncate(MAX_HINT);
        }
        let text = String::from_utf8_lossy(&bytes).trim().to_lowercase();
        match name {
            "entity" => self.entity = find_entity(&self.entities, &text)?,
            "accept" => self.accept = find_accept(&text)?,
            _ => self.system = find_system(text)?,
        }
        Ok(())
    }
}

fn find_entity(entities: &Entities, text: &str) -> schema::Result<Option<EntityRef>> {
    if text.is_empty() {
        return Ok(None);
    }
    let found = entities.find(text).or_else(|| entities.find_plural(text));
    let unknown = || {
        let detail = format!(
            "no such entity: send one of {}, or leave it out",
            entities.kinds()
        );
        Error::invalid("/entity", detail)
    };
    found.ok_or_else(unknown).map(Some)
}

fn find_accept(text: &str) -> schema::Result<bool> {
    match text {
        "true" => Ok(true),
        "" | "false" => Ok(false),
        _ => Err(Error::invalid("/accept", "send true or false")),
    }
}

fn find_system(text: String) -> schema::Result<Option<String>> {
    if text.is_empty() {
        return Ok(None);
    }
    if !file_name::is_system_name(&text) {
        let detail = "a system has 1 to 32 letters, digits and hyphens, such as hubspot";
        return Err(Error::invalid("/system", detail));
    }
    Ok(Some(text))
}

/// What a file is of.
#[derive(Debug)]
pub(super) struct Meaning {
    /// What its rows become; unmapped where nobody says.
    pub(super) entity: EntityRef,
    /// The system that it was exported from; `file` where nobody says.
    pub(super) system: String,
    /// The object that it is of.
    name: String,
    /// What its extension promises.
    pub(super) format: Format,
}

impl Meaning {
    /// # Errors
    /// Where it is no name of a file that can be read.
    pub(super) fn of(name: &str, hints: &Hints) -> Result<Meaning, file_name::Error> {
        let known: Vec<_> = ENTITIES
            .iter()
            .copied()
            .map(|it| (&*it.plural, &*it.kind))
            .collect();
        let (format, family) = file_name::family(name)?;
        let said = file_name::parse(name, &known).ok();
        let of_name = said.as_ref().and_then(|it| entity::find(it.entity));
        let hinted = hints.entity.clone().or(of_name.map(EntityRef::from));
        let entity = hinted.unwrap_or_else(|| UNMAPPED.into());
        let system = hints.system.clone().or(said.map(|it| it.system));
        let whole = of_name.is_some() || hints.entity.is_some();
        let name = match (&system, whole) {
            (Some(system), true) => format!("{system}.{}", entity.kind),
            (Some(system), false) => format!("{system}.{family}"),
            (None, _) => family,
        };
        Ok(Meaning {
            entity,
            system: system.unwrap_or_else(|| "file".to_owned()),
            name,
            format,
        })
    }

    /// What was said of an object that stays unmapped.
    pub(super) fn said(&self) -> Said<'_> {
        Said {
            entity: (!self.entity.is_unmapped()).then_some(Some(&*self.entity.kind)),
            ..Said::default()
        }
    }

    pub(super) fn object(&self, connection: ConnectionId) -> ObjectRef {
        ObjectRef {
            connection,
            name: self.name.clone(),
            system: self.system.clone(),
            entity: self.entity.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, (entity, system): (&str, &str), expected: (&str, &str, &str)) {
        let hints = Hints {
            entity: find_entity(&Entities::canonical(), entity).unwrap(),
            entities: Entities::canonical(),
            system: find_system(system.to_owned()).unwrap(),
            accept: false,
        };
        let meaning = Meaning::of(name, &hints).unwrap();
        let found = (
            meaning.name.as_str(),
            meaning.system.as_str(),
            &*meaning.entity.kind,
        );
        assert_eq!(found, expected, "{name} {entity} {system}");
    }

    #[test]
    fn a_request_says_more_than_a_name_and_a_name_may_say_nothing() {
        check(
            "accounts_hubspot.csv",
            ("", ""),
            ("hubspot.account", "hubspot", "account"),
        );
        check(
            "people_crm.csv",
            ("", ""),
            ("people_crm", "file", "unmapped"),
        );
        check(
            "people_crm.csv",
            ("contact", ""),
            ("people_crm", "file", "contact"),
        );
        check(
            "people.csv",
            ("contacts", "sap"),
            ("sap.contact", "sap", "contact"),
        );
        check("people.csv", ("", "sap"), ("sap.people", "sap", "unmapped"));
        check(
            "accounts_hubspot.csv",
            ("contact", "sap"),
            ("sap.contact", "sap", "contact"),
        );
    }

    #[test]
    fn a_wrong_hint_says_what_to_send() {
        let said = find_entity(&Entities::canonical(), "lead")
            .unwrap_err()
            .to_string();
        assert!(
            find_entity(&Entities::canonical(), "lead").is_err() && !said.is_empty(),
            "{said}"
        );
        assert!(find_system("a b".to_owned()).is_err());
    }
}
