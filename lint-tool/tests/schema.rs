//! `structure-lint.schema.json` says what the configuration's reader takes: no key more, none less.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use serde_json::Value;
use structure_lint::config::Config;
use structure_lint::rules::RULES;

fn schema() -> Value {
    serde_json::from_str(include_str!("../structure-lint.schema.json")).unwrap()
}

fn keys(table: &Value) -> BTreeSet<String> {
    table["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

/// The keys that the reader says it expected, when it meets one that it does not know.
fn expected_by_the_reader(text: &str) -> BTreeSet<String> {
    let message = Config::parse(text).unwrap_err().to_string();
    let (_, list) = message.split_once("expected").expect(&message);
    let names = list.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

/// A value that a schema allows.
fn example(schema: &Value, part: &Value) -> String {
    if let Some(name) = part["$ref"].as_str() {
        let name = name.trim_start_matches("#/$defs/");
        return example(schema, &schema["$defs"][name]);
    }
    if let Some(first) = part["enum"]
        .get(0)
        .or(part["default"].as_bool().map(|_| &part["default"]))
    {
        return first.to_string();
    }
    if let Some(first) = part["oneOf"].get(1) {
        return example(schema, first);
    }
    match part["type"].as_str().unwrap() {
        "array" => format!("[{}]", example(schema, &part["items"])),
        "integer" => "3".into(),
        "string"
            if part["pattern"]
                .as_str()
                .is_some_and(|it| it.contains("0-9")) =>
        {
            "\"2027-03-01\"".into()
        }
        "string" => "\"a\"".into(),
        "object" if part["properties"].is_object() => {
            let fields = part["properties"].as_object().unwrap().iter();
            let fields = fields.map(|(key, it)| format!("{key} = {}", example(schema, it)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        "object" => format!(
            "{{ a = {} }}",
            example(schema, &part["additionalProperties"])
        ),
        other => panic!("no example of {other}"),
    }
}

#[test]
fn every_key_of_the_schema_is_read() {
    let schema = schema();
    for (key, part) in schema["properties"].as_object().unwrap() {
        let text = format!("{key} = {}\n", example(&schema, part));
        Config::parse(&text).unwrap_or_else(|err| panic!("{text}{err}"));
    }
}

#[test]
fn every_key_that_is_read_is_in_the_schema() {
    let schema = schema();
    let defs = &schema["$defs"];
    assert_eq!(expected_by_the_reader("nokey = 1\n"), keys(&schema));
    assert_eq!(
        expected_by_the_reader("[models]\nnokey = 1\n"),
        keys(&defs["models"])
    );
    assert_eq!(
        expected_by_the_reader("[rules]\nSL001 = { nokey = 1 }\n"),
        keys(&defs["options"])
    );
    for (key, part) in schema["properties"].as_object().unwrap() {
        if part["type"] == "array" {
            let name = part["items"]["$ref"]
                .as_str()
                .unwrap()
                .trim_start_matches("#/$defs/");
            assert_eq!(
                expected_by_the_reader(&format!("[[{key}]]\nnokey = 1\n")),
                keys(&defs[name]),
                "{key}"
            );
        }
    }
}

#[test]
fn what_the_schema_requires_is_required() {
    let schema = schema();
    for (key, part) in schema["properties"].as_object().unwrap() {
        let Some(name) = part["items"]["$ref"].as_str() else {
            continue;
        };
        let table = &schema["$defs"][name.trim_start_matches("#/$defs/")];
        let required: BTreeSet<&str> = table["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap())
            .collect();
        for (left_out, _) in table["properties"].as_object().unwrap() {
            let fields = table["properties"].as_object().unwrap().iter();
            let lines = fields.filter(|(it, _)| *it != left_out);
            let lines: String = lines
                .map(|(it, part)| format!("{it} = {}\n", example(&schema, part)))
                .collect();
            let is_read = Config::parse(&format!("[[{key}]]\n{lines}")).is_ok();
            assert_eq!(
                is_read,
                !required.contains(left_out.as_str()),
                "{key}.{left_out}"
            );
        }
    }
}

#[test]
fn every_rule_is_in_the_schema() {
    let schema = schema();
    let codes: BTreeSet<String> = RULES.iter().map(|it| it.code().to_owned()).collect();
    assert_eq!(keys(&schema["properties"]["rules"]), codes);
    let excepted = schema["$defs"]["except"]["properties"]["rule"]["enum"]
        .as_array()
        .unwrap();
    let excepted: BTreeSet<String> = excepted
        .iter()
        .map(|it| it.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(excepted, codes);
}
