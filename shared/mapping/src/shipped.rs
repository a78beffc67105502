//! The mappings that come with the platform: one document per system, in `mappings/`.
//!
//! A document has a shape for each form in which the system hands out the records of an entity. The
//! one named `api` is that of its API, and what the records of an object of that system are first
//! read with. The others are of files that people export; a file is recognised by its columns, and
//! what is proposed for it starts from its shape. `has` are the columns by which it is recognised,
//! `lacks` those that another shape has, `apart` those that must not be taken for a field.
//!
//! A file source writes the canonical names itself, so its mapping is the identity, which is read
//! from the entity's declaration. So does a database that was made for it; of any other, the column
//! `id` is the record's id all the same.

mod shape;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use schema::{
    entity::{ENTITIES, Entity, Field, Kind},
    mapping::{FieldMapping, Mapping, Transform},
};
use serde::Deserialize;

use shape::{Paths, Shape};

pub use shape::Recognised;

/// The version of the documents; it rises when one of them changes.
const VERSION: u32 = 2;

/// The systems that mappings are shipped for.
pub const SYSTEMS: [&str; 10] = [
    "aws",
    "salesforce",
    "hubspot",
    "dynamics",
    "pipedrive",
    "zendesk",
    "filesource",
    "supabase",
    "mongodb",
    "postgres",
];

const DOCUMENTS: [&str; 8] = [
    include_str!("../mappings/aws.json"),
    include_str!("../mappings/salesforce.json"),
    include_str!("../mappings/hubspot.json"),
    include_str!("../mappings/dynamics.json"),
    include_str!("../mappings/pipedrive.json"),
    include_str!("../mappings/zendesk.json"),
    include_str!("../mappings/supabase.json"),
    include_str!("../mappings/mongodb.json"),
];

/// The shipped mapping of that system (`hubspot`) to that kind of entity (`contact`).
pub fn find(system: &str, kind: &str) -> Option<&'static Mapping> {
    let mappings: &[Mapping] = match system {
        "filesource" => &IDENTITIES,
        "postgres" => &TABLES,
        other => return SHIPPED.get(other)?.shape("api", kind).map(|it| &it.mapping),
    };
    mappings.iter().find(|it| it.entity == kind)
}

/// The same for a file with these columns: of the demo's files, which have columns that no API has,
/// it is the demo's own.
pub fn find_for_file(system: &str, kind: &str, columns: &[String]) -> Option<&'static Mapping> {
    let of_demo = DEMO.shape(system, kind);
    let api = SHIPPED.get(system).and_then(|it| it.shape("api", kind));
    let read = |it: Option<&Shape>| it.map_or(0, |it| it.reads(columns));
    match of_demo {
        Some(demo) if read(api) < demo.reads(columns) => Some(&demo.mapping),
        _ => find(system, kind),
    }
}

/// The shape that records with these paths have: of the system's shapes, or of all where none is
/// shipped for the system (`file`). None where several could be meant.
pub fn recognise(system: &str, paths: &[&str]) -> Option<Recognised> {
    if ["filesource", "postgres"].contains(&system) {
        return None;
    }
    let paths = Paths::new(paths);
    let is_asked = |it: &&Document| it.system == system || !SHIPPED.contains_key(system);
    let documents = SHIPPED.values().filter(is_asked);
    let shapes = documents.flat_map(|it| it.mappings.iter().map(|shape| (&*it.system, shape)));
    let mut of_these = shapes.filter(|(_, shape)| shape.is_of(&paths));
    let (system, shape) = of_these.next()?;
    match of_these.next() {
        None => Some(shape.recognised(system, &paths)),
        Some(_) => None,
    }
}

/// The mapping of a source that already speaks the names of an entity, a tenant's own among them.
pub fn identity_of(entity: &Entity) -> Cow<'static, Mapping> {
    match identity(&entity.kind) {
        Some(mapping) => Cow::Borrowed(mapping),
        None => Cow::Owned(derive(entity)),
    }
}

/// The mapping of a source that already speaks the canonical names.
pub fn identity(kind: &str) -> Option<&'static Mapping> {
    IDENTITIES.iter().find(|it| it.entity == kind)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    system: String,
    mappings: Vec<Shape>,
}

impl Document {
    fn shape(&self, name: &str, kind: &str) -> Option<&Shape> {
        let mut shapes = self.mappings.iter();
        shapes.find(|it| it.name == name && it.mapping.entity == kind)
    }
}

static SHIPPED: LazyLock<BTreeMap<String, Document>> = LazyLock::new(|| {
    let documents = DOCUMENTS.iter().map(|it| parse(it));
    documents.map(|it| (it.system.clone(), it)).collect()
});

/// What the demo's files call their columns, which is not what the systems do.
static DEMO: LazyLock<Document> = LazyLock::new(|| parse(include_str!("../mappings/demo.json")));

fn parse(text: &str) -> Document {
    let document: Document =
        serde_json::from_str(text).expect("is part of the program, and a test reads it");
    assert_eq!(document.version, VERSION, "{}", document.system);
    document
}

static IDENTITIES: LazyLock<Vec<Mapping>> =
    LazyLock::new(|| ENTITIES.iter().map(|it| derive(it)).collect());

static TABLES: LazyLock<Vec<Mapping>> =
    LazyLock::new(|| ENTITIES.iter().map(|it| table(it)).collect());

/// The identity, in which `id` may stand for a key of one field.
fn table(entity: &'static Entity) -> Mapping {
    let mut mapping = derive(entity);
    if let [key] = &*entity.key
        && let Some(field) = mapping.fields.iter_mut().find(|it| it.target == **key)
    {
        field.sources.push("id".to_owned());
    }
    mapping
}

fn derive(entity: &Entity) -> Mapping {
    Mapping {
        entity: entity.kind.to_string(),
        fields: entity.fields.iter().map(same).collect(),
    }
}

fn same(field: &Field) -> FieldMapping {
    let trim = (field.kind == Kind::Text).then_some(Transform::Trim {});
    let default = field.default.map(|value| Transform::Default {
        value: value.to_owned(),
    });
    FieldMapping {
        target: field.name.to_string(),
        sources: vec![field.name.to_string()],
        transforms: trim.into_iter().chain(default).collect(),
    }
}
