//! What a tenant declares itself: fields of any entity, and entities of its own.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CustomId, ENTITIES, Entity, EntityRef, Field, Kind, UNMAPPED};
use crate::{Error, FieldError, Result};

/// A field that a tenant declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "tier", "type": "text", "enum": ["gold", "silver"], "description": "How much they matter."})))]
pub struct FieldDeclaration {
    /// Its name: a lower case letter, then lower case letters, digits and `_`; 63 at most.
    #[schema(max_length = 63, pattern = "^[a-z][a-z0-9_]*$")]
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What it means.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
    /// The unit of its numbers: `EUR`, `days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40)]
    pub unit: Option<String>,
    /// The only texts that it takes. A record with another one is quarantined.
    #[serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub words: Vec<String>,
    /// Whether a record without it is quarantined. Only a field that is declared together with its
    /// entity can be required.
    #[serde(default)]
    pub required: bool,
}

/// An entity that a tenant declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "ticket", "key": ["ticket_id"], "fields": [{"name": "ticket_id", "type": "integer"}, {"name": "subject", "type": "text"}]})))]
pub struct EntityDeclaration {
    /// The singular, as mappings name it: `ticket`. Written as a field's name is.
    #[serde(rename = "name")]
    #[schema(max_length = 63, pattern = "^[a-z][a-z0-9_]*$")]
    pub kind: String,
    /// The plural, which is the view's name: `tickets`. `name` with an `s` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 63, pattern = "^[a-z][a-z0-9_]*$")]
    pub plural: Option<String>,
    /// What a record stands for.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
    /// The fields that make up a record's id within its source object. They are required.
    #[schema(min_items = 1, max_items = 5)]
    pub key: Vec<String>,
    /// Its fields, those of the key among them.
    #[schema(min_items = 1, max_items = 100)]
    pub fields: Vec<FieldDeclaration>,
}

/// A custom field as it is stored.
#[derive(Debug, Clone)]
pub struct StoredField {
    /// The entity that it is a field of.
    pub entity: String,
    /// What its values are stored under.
    pub id: CustomId,
    /// The declaration.
    pub field: FieldDeclaration,
}

/// The entities of one tenant: the canonical ones with its custom fields, and its own.
#[derive(Debug, Clone)]
pub struct Entities(Vec<EntityRef>);

/// How many fields a tenant may declare for one entity.
pub const MAX_FIELDS: usize = 100;
/// How many entities a tenant may declare.
pub const MAX_ENTITIES: usize = 50;
const MAX_WORDS: usize = 1000;
const MAX_KEY: usize = 5;

/// What a view's URL or its records have a meaning for already.
const RESERVED: [&str; 21] = [
    "and",
    "connection_id",
    "cursor",
    "extras",
    "format",
    "freshness",
    "limit",
    "not",
    "object",
    "offset",
    "or",
    "order",
    "select",
    "sort",
    "source_connection_id",
    "source_id",
    "source_object",
    "source_system",
    "synced_at",
    "tenant_id",
    "unmapped",
];

impl Entities {
    /// Those of a tenant that declared none.
    pub fn canonical() -> Entities {
        Entities(ENTITIES.iter().copied().map(EntityRef::from).collect())
    }

    /// Those of a tenant that declared these. Fields of an entity that is not there are left out.
    pub fn of(declared: &[EntityDeclaration], fields: &[StoredField]) -> Entities {
        let canonical = ENTITIES.iter().map(|it| {
            let mut custom = custom_fields(&it.kind, fields);
            // One that was declared before the platform had a field of its name stays hidden.
            custom.retain(|custom| it.field(&custom.name).is_none());
            match custom.is_empty() {
                true => EntityRef::from(*it),
                false => EntityRef::from(Entity {
                    fields: it.fields.iter().cloned().chain(custom).collect(),
                    ..(*it).clone()
                }),
            }
        });
        let own = declared.iter().map(|it| {
            EntityRef::from(Entity {
                kind: it.kind.clone().into(),
                plural: it.plural().into(),
                doc: it.description.clone().into(),
                fields: custom_fields(&it.kind, fields).into(),
                key: it.key.iter().map(|it| it.clone().into()).collect(),
                is_custom: true,
            })
        });
        Entities(canonical.chain(own).collect())
    }

    /// The entity of that kind (`account`).
    pub fn find(&self, kind: &str) -> Option<EntityRef> {
        self.iter().find(|it| it.kind == kind).cloned()
    }

    /// The same, or [`UNMAPPED`].
    pub fn find_or_unmapped(&self, kind: &str) -> Option<EntityRef> {
        match kind == UNMAPPED.kind {
            true => Some(UNMAPPED.into()),
            false => self.find(kind),
        }
    }

    /// The entity of that plural (`accounts`).
    pub fn find_plural(&self, plural: &str) -> Option<EntityRef> {
        self.iter().find(|it| it.plural == plural).cloned()
    }

    /// The entity of that kind.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with those that there are.
    pub fn get(&self, kind: &str) -> Result<EntityRef> {
        self.find(kind).ok_or_else(|| Error::UnknownName {
            what: "entity",
            names: self.kinds(),
        })
    }

    /// All of them, the canonical ones first.
    pub fn iter(&self) -> impl Iterator<Item = &EntityRef> {
        self.0.iter()
    }

    /// Their kinds as a sentence lists them: `account, opportunity`.
    pub fn kinds(&self) -> String {
        let kinds: Vec<_> = self.iter().map(|it| &*it.kind).collect();
        kinds.join(", ")
    }
}

impl EntityDeclaration {
    /// The plural, the usual one where none is said.
    pub fn plural(&self) -> String {
        let plural = || format!("{}s", self.kind);
        self.plural.clone().unwrap_or_else(plural)
    }

    /// What is wrong with it beside the entities that are there already, with pointers from its
    /// root.
    pub fn faults(&self, there: &Entities) -> Vec<FieldError> {
        let mut faults = Faults::default();
        let plural = self.plural();
        faults.name("/name", &self.kind);
        faults.name("/plural", &plural);
        let is_taken = |name: &str| {
            let names = |it: &EntityRef| it.kind == name || it.plural == name;
            there.iter().any(names)
        };
        for (at, name) in [("/name", &self.kind), ("/plural", &plural)] {
            if is_taken(name) {
                faults.add(at, "an entity has this name already: choose another one");
            }
        }
        if self.kind == plural {
            faults.add("/plural", "is the same as `name`: choose another one");
        }
        let own = there.iter().filter(|it| it.is_custom).count();
        if own >= MAX_ENTITIES {
            let detail = format!("there are {MAX_ENTITIES} already: drop one first");
            faults.add("", detail);
        }
        faults.text("/description", &self.description);
        if self.fields.is_empty() || self.fields.len() > MAX_FIELDS {
            faults.add("/fields", format!("declare 1 to {MAX_FIELDS} fields"));
        }
        for (index, field) in self.fields.iter().enumerate() {
            let at = format!("/fields/{index}");
            faults.field(&at, field);
            if self.fields[..index].iter().any(|it| it.name == field.name) {
                let at = format!("{at}/name");
                faults.add(&at, "an earlier field has this name: choose another one");
            }
        }
        self.key_faults(&mut faults);
        faults.0
    }

    fn key_faults(&self, faults: &mut Faults) {
        if self.key.is_empty() || self.key.len() > MAX_KEY {
            faults.add("/key", format!("name 1 to {MAX_KEY} fields"));
        }
        for (index, name) in self.key.iter().enumerate() {
            let at = format!("/key/{index}");
            match self.fields.iter().find(|it| it.name == *name) {
                None => faults.add(&at, "is not among `fields`: declare it there"),
                Some(field) if field.kind == Kind::TextList => {
                    faults.add(
                        &at,
                        "is a list, which identifies nothing: choose another field",
                    );
                }
                Some(_) if self.key[..index].contains(name) => {
                    faults.add(&at, "is named twice: name it once");
                }
                Some(_) => {}
            }
        }
    }
}

impl FieldDeclaration {
    /// What is wrong with it as a further field of that entity, with pointers from its root.
    pub fn faults(&self, entity: &Entity) -> Vec<FieldError> {
        let mut faults = Faults::default();
        faults.field("", self);
        if entity.field(&self.name).is_some() {
            let detail = format!(
                "{} has a field of this name already: choose another one",
                entity.kind
            );
            faults.add("/name", detail);
        }
        if self.required {
            let detail = "only a field that is declared together with its entity can be required: \
                          records are there that do not have it";
            faults.add("/required", detail);
        }
        if entity.custom_fields().count() >= MAX_FIELDS {
            let detail = format!("{} has {MAX_FIELDS} already: drop one first", entity.kind);
            faults.add("", detail);
        }
        faults.0
    }

    /// What is wrong with it whatever entity it is of, with pointers from its root.
    pub fn content_faults(&self) -> Vec<FieldError> {
        let mut faults = Faults::default();
        faults.field("", self);
        faults.0
    }

    fn stored_as(&self, id: CustomId) -> Field {
        Field {
            name: self.name.clone().into(),
            kind: self.kind,
            required: self.required,
            doc: self.description.clone().into(),
            range: None,
            default: None,
            words: self.words.clone(),
            unit: self.unit.clone(),
            custom: Some(id),
        }
    }
}

#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, pointer: &str, detail: impl Into<String>) {
        self.0.push(FieldError {
            pointer: pointer.to_owned(),
            detail: detail.into(),
        });
    }

    fn name(&mut self, at: &str, name: &str) {
        let mut bytes = name.bytes();
        let begins = bytes.next().is_some_and(|it| it.is_ascii_lowercase());
        let goes_on = bytes.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_');
        if !begins || !goes_on || name.len() > 63 {
            let detail = "write a lower case letter, then lower case letters, digits and `_`, \
                          63 at most";
            self.add(at, detail);
        }
        if RESERVED.contains(&name) {
            self.add(at, "means something else already: choose another name");
        }
    }

    fn field(&mut self, at: &str, field: &FieldDeclaration) {
        self.name(&format!("{at}/name"), &field.name);
        self.text(&format!("{at}/description"), &field.description);
        if let Some(unit) = &field.unit
            && (unit.trim().is_empty() || unit.chars().count() > 40 || unit.contains('\0'))
        {
            self.add(
                &format!("{at}/unit"),
                "write 1 to 40 characters, or leave it out",
            );
        }
        let at = format!("{at}/enum");
        if !field.words.is_empty() && !matches!(field.kind, Kind::Text | Kind::TextList) {
            self.add(
                &at,
                "only a text or a list of texts can be an enum: leave it out",
            );
        }
        if field.words.len() > MAX_WORDS {
            self.add(&at, format!("name {MAX_WORDS} words at most"));
            return;
        }
        for (index, word) in field.words.iter().enumerate() {
            let at = format!("{at}/{index}");
            if word.is_empty() || word.chars().count() > 200 || word.contains('\0') {
                self.add(&at, "write 1 to 200 characters, without NUL");
            } else if field.words[..index].contains(word) {
                self.add(&at, "is named twice: name it once");
            }
        }
    }

    fn text(&mut self, at: &str, text: &str) {
        if text.chars().count() > 1000 || text.contains('\0') {
            self.add(at, "write at most 1000 characters, without NUL");
        }
    }
}

fn custom_fields(kind: &str, fields: &[StoredField]) -> Vec<Field> {
    let own = fields.iter().filter(|it| it.entity == kind);
    own.map(|it| it.field.stored_as(it.id)).collect()
}
