//! How the fields of a record came about: what the mapping read, and what stood there.

use std::collections::BTreeMap;

use schema::mapping::{FieldMapping, Mapping, Transform};
use schema::source::parse_path;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// How the value of one field was computed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldOrigin {
    /// The canonical field.
    pub field: String,
    /// The paths of the payload that the mapping reads.
    pub sources: Vec<String>,
    /// The transforms that the mapping applies to them.
    pub transforms: Vec<Transform>,
    /// The values at these paths of the payload, verbatim; a path that the payload lacks is absent.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    pub raw: BTreeMap<String, Box<RawValue>>,
}

/// How each field that the mapping names came about from the payload.
pub fn fields(mapping: Mapping, payload: &str) -> Vec<FieldOrigin> {
    mapping
        .fields
        .into_iter()
        .map(|it| field(it, payload))
        .collect()
}

fn field(mapping: FieldMapping, payload: &str) -> FieldOrigin {
    let raw = mapping
        .sources
        .iter()
        .filter_map(|path| Some((path.clone(), find(payload, path)?)))
        .collect();
    FieldOrigin {
        field: mapping.target,
        sources: mapping.sources,
        transforms: mapping.transforms,
        raw,
    }
}

/// The JSON text at a path of keys. Text and not values, so that a number keeps its digits.
fn find(payload: &str, path: &str) -> Option<Box<RawValue>> {
    let mut text = payload;
    for key in parse_path(path).ok()? {
        let mut object: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        text = object.remove(&key)?.get();
    }
    RawValue::from_string(text.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let payload =
            r#"{"Id": 1.50, "Owner": {"Name": "Ada", "a.b": [1,  2]}, "x\\y": null, "Dé": ""}"#;
        let found = find(payload, path);
        assert_eq!(found.as_ref().map(|it| it.get()), expected, "{path}");
    }

    #[test]
    fn a_source_is_shown_to_the_letter() {
        check("Id", Some("1.50"));
        check("Owner.Name", Some("\"Ada\""));
        check(r"Owner.a\.b", Some("[1,  2]"));
        check(r"x\\y", Some("null"));
        check("Dé", Some("\"\""));
    }

    #[test]
    fn a_path_that_no_mapping_may_have_finds_nothing() {
        check(r"I\d", None);
        check(r"Id\", None);
        check("Owner.", None);
    }

    #[test]
    fn a_source_that_is_not_there_is_absent() {
        check("id", None);
        check("Owner.a.b", None);
        check("Id.x", None);
        check("", None);
    }
}
