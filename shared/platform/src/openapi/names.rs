//! Names for schemas: what generators of clients call their types.
//!
//! **Invariant:** after [`name_schemas`] an object with properties and a list of words are schemas of
//! their own, and every other place refers to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

const SCHEMAS: &str = "#/components/schemas/";

/// Names every schema of the document that is an object or a choice.
pub(super) fn name_schemas(document: &mut Value) {
    let mut made = BTreeMap::new();
    for schema in of_parameters(document) {
        let title = schema.as_object_mut().and_then(|it| it.remove("title"));
        if let Some(Value::String(title)) = title {
            put(title, schema, &mut made);
        }
    }
    let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") else {
        return;
    };
    merge_all(schemas);
    for (name, schema) in schemas.iter_mut() {
        tag(schema);
        name_below(name, schema, &mut made);
    }
    schemas.extend(made);
    drop_unused(document);
    open(document);
}

/// Says of objects that are not described further that they have any fields: generators take them
/// for empty ones else.
fn open(value: &mut Value) {
    match value {
        Value::Object(words) => {
            let is_object = match words.get("type") {
                Some(Value::Array(types)) => types.iter().any(|it| it == "object"),
                Some(one) => one == "object",
                None => false,
            };
            let is_described = ["properties", "additionalProperties"];
            if is_object && !is_described.iter().any(|it| words.contains_key(*it)) {
                words.insert("additionalProperties".to_owned(), true.into());
            }
            words.values_mut().for_each(open);
        }
        Value::Array(items) => items.iter_mut().for_each(open),
        _ => {}
    }
}

/// Takes away what nothing refers to: what was merged into others.
fn drop_unused(document: &mut Value) {
    let mut used = BTreeSet::new();
    references(document, &mut used);
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        schemas.retain(|name, _| used.contains(name));
    }
}

fn references(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str);
            used.extend(
                name.and_then(|it| it.strip_prefix(SCHEMAS))
                    .map(str::to_owned),
            );
            fields.values().for_each(|it| references(it, used));
        }
        Value::Array(items) => items.iter().for_each(|it| references(it, used)),
        _ => {}
    }
}

/// The schemas of all parameters. One with a title is not written where it is used.
fn of_parameters(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Map::values_mut);
    let operations = items
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut);
    let parameters = operations.filter_map(|it| it.get_mut("parameters")?.as_array_mut());
    parameters.flatten().filter_map(|it| it.get_mut("schema"))
}

/// Makes an object of an object and what it is said to have besides, as serde writes one: in one.
fn merge_all(schemas: &mut Map<String, Value>) {
    let before = schemas.clone();
    for schema in schemas.values_mut() {
        let Some(parts) = schema.get("allOf").and_then(Value::as_array) else {
            continue;
        };
        let mut merged = Map::new();
        for part in parts.clone() {
            merge(&mut merged, resolve(&part, &before));
        }
        if let Some(description) = schema.get("description") {
            merged.insert("description".to_owned(), description.clone());
        }
        *schema = merged.into();
    }
}

/// What a reference refers to, its own parts in one.
fn resolve(schema: &Value, schemas: &Map<String, Value>) -> Value {
    let name = schema["$ref"]
        .as_str()
        .and_then(|it| it.strip_prefix(SCHEMAS));
    let found = name.and_then(|it| schemas.get(it)).unwrap_or(schema);
    let Some(parts) = found["allOf"].as_array() else {
        return found.clone();
    };
    let mut merged = Map::new();
    for part in parts {
        merge(&mut merged, resolve(part, schemas));
    }
    merged.into()
}

fn merge(into: &mut Map<String, Value>, part: Value) {
    let Value::Object(part) = part else { return };
    for (word, value) in part {
        match (into.get_mut(&word), value) {
            (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
            (Some(Value::Array(there)), Value::Array(more)) => there.extend(more),
            (_, value) => drop(into.insert(word, value)),
        }
    }
}

/// Says the word of a variant as the only value that its tag has.
fn tag(schema: &mut Value) {
    let variants = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    let fields = variants
        .into_iter()
        .flatten()
        .filter_map(|it| it.get_mut("properties"));
    for field in fields
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut)
    {
        if let Some([word]) = field["enum"].as_array().map(Vec::as_slice) {
            *field = json!({"type": "string", "const": word});
        }
    }
}

/// Names what is below a schema of that name.
fn name_below(name: &str, schema: &mut Value, made: &mut BTreeMap<String, Value>) {
    let Value::Object(words) = schema else { return };
    if let Some(Value::Object(fields)) = words.get_mut("properties") {
        for (field, schema) in fields {
            refer(format!("{name}{}", pascal(field)), schema, made);
        }
    }
    for word in ["items", "additionalProperties"] {
        if let Some(schema) = words.get_mut(word) {
            refer(format!("{name}Item"), schema, made);
        }
    }
    for word in ["oneOf", "anyOf"] {
        let Some(Value::Array(variants)) = words.get_mut(word) else {
            continue;
        };
        let is_optional = variants.len() == 2 && variants.iter().any(|it| it["type"] == "null");
        for (index, schema) in variants.iter_mut().enumerate() {
            let name = match variant_name(schema) {
                _ if is_optional => name.to_owned(),
                Some(variant) => format!("{name}{}", pascal(&variant)),
                None => format!("{name}{}", index + 1),
            };
            refer(name, schema, made);
        }
    }
}

/// The word by which a variant is known: that of its tag, its only word, or its only field.
fn variant_name(variant: &Value) -> Option<String> {
    let fields = variant["properties"].as_object();
    let tag = fields.and_then(|it| it.values().find_map(|it| it["const"].as_str()));
    let word = match variant["enum"].as_array().map(Vec::as_slice) {
        Some([word]) => word.as_str(),
        _ => None,
    };
    let field = || fields.filter(|it| it.len() == 1)?.keys().next();
    let found = tag.or(word).or(variant["title"].as_str());
    found
        .or_else(|| field().map(String::as_str))
        .map(str::to_owned)
}

/// Puts a reference where a schema is that needs a name.
fn refer(name: String, schema: &mut Value, made: &mut BTreeMap<String, Value>) {
    let needs_name = ["properties", "enum"]
        .iter()
        .any(|it| schema.get(it).is_some());
    if !needs_name {
        return name_below(&name, schema, made);
    }
    let title = schema.as_object_mut().and_then(|it| it.remove("title"));
    let title = title.and_then(|it| it.as_str().map(str::to_owned));
    put(title.unwrap_or(name), schema, made);
}

fn put(name: String, schema: &mut Value, made: &mut BTreeMap<String, Value>) {
    let mut named = std::mem::replace(schema, json!({"$ref": format!("{SCHEMAS}{name}")}));
    name_below(&name, &mut named, made);
    made.insert(name, named);
}

fn pascal(words: &str) -> String {
    let words = words.split(|it: char| !it.is_ascii_alphanumeric());
    words
        .filter_map(|it| it.split_at_checked(1))
        .map(|(first, rest)| first.to_ascii_uppercase() + rest)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schemas: Value, expected: Value) {
        let first = schemas.as_object().unwrap().keys().next().unwrap();
        let mut document = json!({"paths": refer(first), "components": {"schemas": schemas}});
        name_schemas(&mut document);
        assert_eq!(document["components"]["schemas"], expected);
    }

    fn object(field: &str, schema: Value) -> Value {
        json!({"type": "object", "properties": {field: schema}, "required": [field]})
    }

    fn refer(name: &str) -> Value {
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    #[test]
    fn a_variant_is_named_after_its_tag() {
        let number = json!({"type": "integer"});
        let step = |word: &str| {
            let mut step = object("size", number.clone());
            step["properties"]["kind"] = json!({"type": "string", "enum": [word]});
            step
        };
        let tagged = |word: &str| {
            let mut step = step(word);
            step["properties"]["kind"] = json!({"type": "string", "const": word});
            step
        };
        check(
            json!({"Step": {"oneOf": [step("cut"), step("trim_end")]}}),
            json!({
                "Step": {"oneOf": [refer("StepCut"), refer("StepTrimEnd")]},
                "StepCut": tagged("cut"),
                "StepTrimEnd": tagged("trim_end"),
            }),
        );
    }

    #[test]
    fn what_is_within_another_is_named_after_its_place() {
        let words = json!({"type": "string", "enum": ["a", "b"]});
        let inner = object("words", json!({"type": "array", "items": words}));
        let optional = json!({"oneOf": [inner, {"type": "null"}]});
        check(
            json!({"Thing": object("part", optional)}),
            json!({
                "Thing": object("part", json!({"oneOf": [refer("ThingPart"), {"type": "null"}]})),
                "ThingPart": object("words", json!({"type": "array", "items": refer("ThingPartWordsItem")})),
                "ThingPartWordsItem": words,
            }),
        );
    }

    #[test]
    fn an_object_and_what_it_has_besides_are_one() {
        let text = json!({"type": "string"});
        let both = json!({
            "description": "Both.",
            "type": "object",
            "properties": {"one": text, "two": text},
            "required": ["one", "two"],
        });
        let mut parts = json!({"allOf": [refer("One"), object("two", text.clone())]});
        parts["description"] = "Both.".into();
        let one = object("one", text);
        check(json!({"Both": parts, "One": one}), json!({"Both": both}));
    }
}
