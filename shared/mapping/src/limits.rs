//! How large a mapping may be: what it costs to check one, to keep it and to run it is bounded.

use std::io::{self, Write};

use schema::{
    Error, FieldError, Result,
    mapping::{FieldMapping, Mapping, Transform},
};

/// Longest document in bytes, as JSON without white space.
pub const MAX_BYTES: usize = 1 << 20;
/// Most fields of a mapping.
pub const MAX_FIELDS: usize = 2_000;
/// Most sources of a field.
pub const MAX_SOURCES: usize = 100;
/// Most transforms of a field.
pub const MAX_TRANSFORMS: usize = 50;
/// Most pairs in the table of an `enum` or a `lookup`.
pub const MAX_WORDS: usize = 10_000;
/// Most regular expressions of a mapping: each may take a mebibyte of memory.
pub const MAX_EXPRESSIONS: usize = 100;

/// # Errors
/// [`Error::Invalid`] with a pointer from the mapping's root to each thing that is too large.
pub(crate) fn check(mapping: &Mapping) -> Result<()> {
    if MAX_FIELDS < mapping.fields.len() {
        let detail = too_many(mapping.fields.len(), "fields", MAX_FIELDS);
        return Err(Error::invalid("/fields", detail));
    }
    if is_too_long(mapping) {
        let detail = "is longer than 1 MiB: join long tables at the source, or map fewer fields";
        return Err(Error::invalid("", detail));
    }
    let mut faults = Vec::new();
    for (index, field) in mapping.fields.iter().enumerate() {
        check_field(&format!("/fields/{index}"), field, &mut faults);
    }
    let transforms = mapping.fields.iter().flat_map(|it| &it.transforms);
    let is_expression = |it: &&Transform| matches!(it, Transform::Regex { .. });
    let expressions = transforms.filter(is_expression).count();
    if MAX_EXPRESSIONS < expressions {
        let detail = too_many(expressions, "regular expressions", MAX_EXPRESSIONS);
        faults.push(fault("/fields".to_owned(), detail));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Error::Invalid(faults)),
    }
}

fn check_field(at: &str, field: &FieldMapping, faults: &mut Vec<FieldError>) {
    let (sources, transforms) = (field.sources.len(), field.transforms.len());
    if MAX_SOURCES < sources {
        let detail = too_many(sources, "sources", MAX_SOURCES);
        faults.push(fault(format!("{at}/sources"), detail));
    }
    if MAX_TRANSFORMS < transforms {
        let detail = too_many(transforms, "transforms", MAX_TRANSFORMS);
        faults.push(fault(format!("{at}/transforms"), detail));
    }
    for (index, transform) in field.transforms.iter().enumerate() {
        if let Some((member, pairs)) = pairs(transform)
            && MAX_WORDS < pairs
        {
            let detail = too_many(pairs, "words", MAX_WORDS);
            let detail = format!("{detail}, or join such a table at the source");
            faults.push(fault(format!("{at}/transforms/{index}{member}"), detail));
        }
    }
}

/// How many pairs the table of a transform has; shorter lists have limits of their own.
fn pairs(transform: &Transform) -> Option<(&'static str, usize)> {
    match transform {
        Transform::Enum { values, .. } => Some(("/values", values.len())),
        Transform::Lookup { table, .. } => Some(("/table", table.len())),
        _ => None,
    }
}

fn too_many(found: usize, what: &str, most: usize) -> String {
    format!("has {found} {what}: send at most {most}")
}

fn fault(pointer: String, detail: String) -> FieldError {
    FieldError { pointer, detail }
}

fn is_too_long(mapping: &Mapping) -> bool {
    serde_json::to_writer(Room(MAX_BYTES), mapping).is_err()
}

/// Takes so many bytes and keeps none.
struct Room(usize);

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.0.checked_sub(bytes.len());
        self.0 = left.ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What is too large of an account whose name is made like this.
    #[track_caller]
    fn check_name(name: Value, expected: &str) {
        let fields = json!([{ "target": "account_id", "sources": ["id"] }, name]);
        check_fields(fields, expected);
    }

    #[track_caller]
    fn check_fields(fields: Value, expected: &str) {
        let mapping = json!({ "entity": "account", "fields": fields });
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        let found = check(&mapping).map_or_else(|it| it.to_string(), |()| "fits".to_owned());
        assert_eq!(found, expected);
    }

    fn name(transforms: Value) -> Value {
        json!({ "target": "name", "sources": ["n"], "transforms": transforms })
    }

    #[test]
    fn a_document_has_at_most_a_mebibyte_and_two_thousand_fields() {
        let fields = |count: usize| Value::from(vec![name(json!([])); count]);
        check_fields(fields(MAX_FIELDS), "fits");
        check_fields(
            fields(MAX_FIELDS + 1),
            "/fields: has 2001 fields: send at most 2000",
        );
        let constant = |bytes: usize| {
            let mapping = json!({ "entity": "account", "fields": [name(json!([
                { "kind": "constant", "value": "" },
            ]))] });
            let mapping: Mapping = serde_json::from_value(mapping).unwrap();
            let rest = serde_json::to_string(&mapping).unwrap().len();
            let value = "x".repeat(bytes - rest);
            json!([name(json!([{ "kind": "constant", "value": value }]))])
        };
        check_fields(constant(MAX_BYTES), "fits");
        check_fields(
            constant(MAX_BYTES + 1),
            "is longer than 1 MiB: join long tables at the source, or map fewer fields",
        );
    }

    #[test]
    fn a_field_has_at_most_fifty_transforms_and_a_hundred_sources() {
        let trims = |count: usize| name(Value::from(vec![json!({ "kind": "trim" }); count]));
        check_name(trims(MAX_TRANSFORMS), "fits");
        check_name(
            trims(MAX_TRANSFORMS + 1),
            "/fields/1/transforms: has 51 transforms: send at most 50",
        );
        let sources = |count: usize| {
            let sources: Vec<_> = (0..count).map(|it| it.to_string()).collect();
            json!({ "target": "name", "sources": sources })
        };
        check_name(sources(MAX_SOURCES), "fits");
        check_name(
            sources(MAX_SOURCES + 1),
            "/fields/1/sources: has 101 sources: send at most 100",
        );
    }

    #[test]
    fn a_table_has_at_most_ten_thousand_words() {
        let pairs = |count: usize| -> Value {
            let pairs = (0..count).map(|it| (it.to_string(), json!("x")));
            Value::Object(pairs.collect())
        };
        let sentence = "has 10001 words: send at most 10000, or join such a table at the source";
        let tables: [(Value, Value, &str); 2] = [
            (
                json!({ "kind": "enum", "values": pairs(MAX_WORDS), "otherwise": "null" }),
                json!({ "kind": "enum", "values": pairs(MAX_WORDS + 1), "otherwise": "null" }),
                "/values",
            ),
            (
                json!({ "kind": "lookup", "table": pairs(MAX_WORDS) }),
                json!({ "kind": "lookup", "table": pairs(MAX_WORDS + 1) }),
                "/table",
            ),
        ];
        for (fits, too_many, member) in tables {
            check_name(name(json!([fits])), "fits");
            check_name(
                name(json!([{ "kind": "trim" }, too_many])),
                &format!("/fields/1/transforms/1{member}: {sentence}"),
            );
        }
    }

    #[test]
    fn a_mapping_has_at_most_a_hundred_regular_expressions() {
        let of = |count: usize| {
            let expressions = vec![json!({ "kind": "regex", "pattern": "a" }); count];
            let fields = expressions.chunks(MAX_TRANSFORMS);
            Value::from_iter(fields.map(|it| name(it.into())))
        };
        check_fields(of(MAX_EXPRESSIONS), "fits");
        check_fields(
            of(MAX_EXPRESSIONS + 1),
            "/fields: has 101 regular expressions: send at most 100",
        );
    }
}
