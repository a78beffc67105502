//! Groups of quarantined records: one object, one field, one reason.

use aws_lc_rs::digest::{Context, SHA256};
use schema::Entity;
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use crate::db::quarantine_groups::Group;

/// Which groups of a connection; what is left out means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupFilter {
    /// Of this object.
    #[serde(default)]
    pub object: Option<String>,
    /// In which this canonical field is wrong.
    #[serde(default)]
    pub field: Option<String>,
    /// This one.
    #[serde(default)]
    pub group: Option<Uuid>,
}

impl GroupFilter {
    /// Whether the group is one of them.
    pub fn fits(&self, group: &Group) -> bool {
        self.object.as_ref().is_none_or(|it| *it == group.object)
            && self.group.is_none_or(|it| it == group.group_id)
            && (self.field.is_none() || self.field == group.field)
    }
}

/// The group of a record that was rejected for that reason. A field that is not the entity's own is
/// a path of the source: any number of them are one group, so that nobody makes groups at will.
pub fn group_id(object: &str, entity: &Entity, (field, reason): (Option<&str>, &str)) -> Uuid {
    let field = field.and_then(|it| entity.field(it));
    let field = field.map_or("", |it| &*it.name);
    let mut hash = Context::new(&SHA256);
    for part in [object, field, &mapping::reason::pattern(reason)] {
        // With its length, so that no two triples are one text.
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finish();
    let bytes = digest.as_ref().first_chunk().expect("SHA-256 has 32 bytes");
    Builder::from_custom_bytes(*bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use schema::entity;

    use super::*;

    fn id(object: &str, field: Option<&str>, reason: &str) -> Uuid {
        group_id(object, entity::find("account").unwrap(), (field, reason))
    }

    #[test]
    fn what_a_reason_quotes_makes_no_group() {
        let one = id(
            "crm.account",
            Some("updated_at"),
            r#""12,5" is not a decimal"#,
        );
        let same = id(
            "crm.account",
            Some("updated_at"),
            r#""n/a" is not a decimal"#,
        );
        assert_eq!(one, same);
        for other in [
            id(
                "erp.account",
                Some("updated_at"),
                r#""12,5" is not a decimal"#,
            ),
            id(
                "crm.account",
                Some("created_at"),
                r#""12,5" is not a decimal"#,
            ),
            id("crm.account", None, r#""12,5" is not a decimal"#),
            id(
                "crm.account",
                Some("updated_at"),
                r#""12,5" is not an integer"#,
            ),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_field_of_the_source_makes_no_group() {
        let twice = r#"key "a" appears twice"#;
        assert_eq!(id("o", Some("x.y"), twice), id("o", Some("x.z"), twice));
        assert_eq!(id("o", Some("x.y"), twice), id("o", None, twice));
    }

    #[test]
    fn a_filter_fits_what_it_does_not_leave_out() {
        let group = Group {
            object: "crm.account".to_owned(),
            group_id: Uuid::nil(),
            field: Some("name".to_owned()),
            records: 1,
            at_least: false,
        };
        let check = |filter: serde_json::Value, fits: bool| {
            let filter: GroupFilter = serde_json::from_value(filter).unwrap();
            assert_eq!(filter.fits(&group), fits, "{filter:?}");
        };
        use serde_json::json;
        check(json!({}), true);
        check(
            json!({ "object": "crm.account", "field": "name", "group": Uuid::nil() }),
            true,
        );
        check(json!({ "object": "crm.contact" }), false);
        check(json!({ "field": "industry" }), false);
        check(json!({ "group": Uuid::max() }), false);
    }
}
