//! The mappings that come with the platform: one document per system, in `mappings/`.
//!
//! A file source writes the canonical names itself, so its mapping is the identity, which is read
//! from the entity's declaration. So does a database that was made for it; of any other, the column
//! `id` is the record's id all the same.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use schema::{
    entity::{ENTITIES, Entity, Field, Kind},
    mapping::{FieldMapping, Mapping, Transform},
};
use serde::Deserialize;

/// The version of the documents; it rises when one of them changes.
const VERSION: u32 = 1;

/// The systems that mappings are shipped for.
pub const SYSTEMS: [&str; 9] = [
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

const DOCUMENTS: [&str; 7] = [
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
        other => &SHIPPED.get(other)?.mappings,
    };
    mappings.iter().find(|it| it.entity == kind)
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
    mappings: Vec<Mapping>,
}

static SHIPPED: LazyLock<BTreeMap<String, Document>> = LazyLock::new(|| {
    let parse = |text: &&str| {
        let document: Document =
            serde_json::from_str(text).expect("is part of the program, and a test reads it");
        assert_eq!(document.version, VERSION, "{}", document.system);
        (document.system.clone(), document)
    };
    DOCUMENTS.iter().map(parse).collect()
});

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
    let trim = (field.kind == Kind::Text).then_some(Transform::Trim);
    let default = field.default.map(|value| Transform::Default {
        value: value.to_owned(),
    });
    FieldMapping {
        target: field.name.to_string(),
        sources: vec![field.name.to_string()],
        transforms: trim.into_iter().chain(default).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_is_listed_and_has_mappings() {
        for system in SYSTEMS {
            assert!(
                ENTITIES.iter().any(|it| find(system, &it.kind).is_some()),
                "{system}"
            );
        }
        assert_eq!(SHIPPED.len() + 2, SYSTEMS.len());
    }

    #[test]
    fn shipped_text_is_trimmed_and_shipped_defaults_are_the_declared_ones() {
        for mapping in SHIPPED.values().flat_map(|it| &it.mappings) {
            let entity = schema::entity::find(&mapping.entity).unwrap();
            for row in &mapping.fields {
                let want = same(entity.field(&row.target).unwrap()).transforms;
                let at = format!("{}.{}", mapping.entity, row.target);
                assert!(want.iter().all(|it| row.transforms.contains(it)), "{at}");
            }
        }
    }

    #[test]
    fn an_unknown_system_or_kind_has_none() {
        assert!(find("salesforce", "cost_report").is_none());
        assert!(find("sap", "account").is_none());
        assert!(identity("invoice").is_none());
    }

    #[test]
    fn a_table_s_own_id_is_the_record_s() {
        let sources = |system, kind, target| {
            let mapping = find(system, kind).unwrap();
            let field = mapping.fields.iter().find(|it| it.target == target);
            field.unwrap().sources.clone()
        };
        for system in ["postgres", "supabase"] {
            assert_eq!(
                sources(system, "account", "account_id"),
                ["account_id", "id"]
            );
            assert_eq!(sources(system, "opportunity", "account_id"), ["account_id"]);
            let own = sources(system, "opportunity", "opportunity_id");
            assert_eq!(own, ["opportunity_id", "id"]);
        }
    }

    #[test]
    fn the_identity_of_an_opportunity_defaults_its_currency() {
        let mapping = find("filesource", "opportunity").unwrap();
        let row = mapping.fields.iter().find(|it| it.target == "currency");
        assert_eq!(
            serde_json::to_string(&row).unwrap(),
            r#"{"target":"currency","sources":["currency"],"transforms":[{"kind":"trim"},{"kind":"default","value":"USD"}]}"#
        );
    }

    /// What the shipped mapping makes of a record: the fields that have a value, then the extras.
    #[track_caller]
    fn check(system: &str, kind: &str, json: &str, want: &[&str]) {
        let plan = crate::Plan::compile(find(system, kind).unwrap()).unwrap();
        let record = plan.canonicalise(json).unwrap();
        let fields = record.entity.fields.iter().zip(&record.cells);
        let with_value = fields.filter(|(_, cell)| !cell.is_null());
        let mut got: Vec<_> = with_value
            .map(|(field, cell)| format!("{}: {}", field.name, cell.text()))
            .collect();
        got.push(record.extras.clone());
        assert_eq!(got, want);
    }

    #[test]
    fn a_pipedrive_organisation_is_an_account_in_both_versions_and_in_exports() {
        check(
            "pipedrive",
            "account",
            r#"{"id":3,"name":"Acme","owner_id":5,"add_time":"2024-01-31T10:00:00Z","label_ids":[]}"#,
            &[
                "account_id: 3",
                "name: Acme",
                "owner_id: 5",
                "created_at: 2024-01-31T10:00:00Z",
                r#"{"label_ids":[]}"#,
            ],
        );
        check(
            "pipedrive",
            "account",
            r#"{"id":3,"name":"Acme","owner_id":{"value":5},"update_time":"2024-01-31 10:00:00"}"#,
            &[
                "account_id: 3",
                "name: Acme",
                "owner_id: 5",
                "updated_at: 2024-01-31T10:00:00Z",
                "{}",
            ],
        );
        check(
            "pipedrive",
            "account",
            r#"{"Organization - ID":"3","Organization - Name":"Acme","Organization - Label":"Hot"}"#,
            &["account_id: 3", "name: Acme", "type: Hot", "{}"],
        );
    }

    #[test]
    fn a_pipedrive_person_is_a_contact_with_the_primary_address() {
        let both = |emails: &str, phones: &str| {
            format!(
                r#"{{"id":7,"org_id":3,"name":"Ann Lee",
                    "{emails}":[{{"value":"a@b.c","primary":false}},{{"value":"ann@b.c","primary":true}}],
                    "{phones}":[{{"value":"+49 30 1","primary":true,"label":"work"}}]}}"#
            )
        };
        for (emails, phones) in [("emails", "phones"), ("email", "phone")] {
            check(
                "pipedrive",
                "contact",
                &both(emails, phones),
                &[
                    "contact_id: 7",
                    "account_id: 3",
                    "name: Ann Lee",
                    "email: ann@b.c",
                    "phone: +49 30 1",
                    "{}",
                ],
            );
        }
        check(
            "pipedrive",
            "contact",
            r#"{"Person - ID":"7","Person - Email (Work)":"ann@b.c","Person - Organization":"Acme"}"#,
            // The organisation's name is no id of an account.
            &[
                "contact_id: 7",
                "email: ann@b.c",
                r#"{"Person - Organization":"Acme"}"#,
            ],
        );
    }

    #[test]
    fn a_zendesk_organisation_is_an_account() {
        check(
            "zendesk",
            "account",
            r#"{"id":360,"name":"Acme","created_at":"2024-01-31T10:00:00Z","domain_names":[]}"#,
            &[
                "account_id: 360",
                "name: Acme",
                "created_at: 2024-01-31T10:00:00Z",
                r#"{"domain_names":[]}"#,
            ],
        );
    }

    #[test]
    fn a_dataverse_opportunity_and_contact_are_read() {
        check(
            "dynamics",
            "opportunity",
            r#"{"opportunityid":"o","_parentaccountid_value":"a","name":"Deal","statecode":0,
                "estimatedvalue":10.5,"estimatedclosedate":"2024-12-31","closeprobability":60,
                "transactioncurrencyid":{"isocurrencycode":"EUR"}}"#,
            &[
                "opportunity_id: o",
                "account_id: a",
                "name: Deal",
                "stage: 0",
                "amount: 10.5",
                "currency: EUR",
                "close_date: 2024-12-31T00:00:00Z",
                "probability: 60",
                "{}",
            ],
        );
        check(
            "dynamics",
            "contact",
            r#"{"contactid":"c","_parentcustomerid_value":"a","firstname":"Ann","lastname":"Lee",
                "fullname":"Ann Lee","emailaddress1":"ann@b.c","modifiedon":"2024-01-31T10:00:00Z"}"#,
            &[
                "contact_id: c",
                "account_id: a",
                "first_name: Ann",
                "last_name: Lee",
                "name: Ann Lee",
                "email: ann@b.c",
                "updated_at: 2024-01-31T10:00:00Z",
                "{}",
            ],
        );
    }
}
