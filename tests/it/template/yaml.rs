//! CloudFormation's YAML as the JSON that it is short for: `!Ref X` is `{"Ref": "X"}`.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Value, json};

pub(super) fn read(text: &str) -> Value {
    let documents = Yaml::load_from_str(text).unwrap();
    value(&documents[0])
}

fn value(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(it)) => json!(it),
        Yaml::Value(Scalar::Integer(it)) => json!(it),
        Yaml::Value(Scalar::FloatingPoint(it)) => json!(it.0),
        Yaml::Value(Scalar::String(it)) => json!(it),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(fields) => fields
            .iter()
            .map(|(name, it)| (name.as_str().unwrap().to_owned(), value(it)))
            .collect(),
        Yaml::Tagged(tag, inner) => long_form(&tag.suffix, value(inner)),
        // CloudFormation knows no aliases.
        other => panic!("{other:?} is nothing that a template has"),
    }
}

fn long_form(tag: &str, value: Value) -> Value {
    match tag {
        "Ref" | "Condition" => json!({ tag: value }),
        "GetAtt" => {
            let (resource, attribute) = value.as_str().unwrap().split_once('.').unwrap();
            json!({ "Fn::GetAtt": [resource, attribute] })
        }
        _ => json!({ format!("Fn::{tag}"): value }),
    }
}

#[test]
fn tags_are_short_for_functions() {
    let text = "{a: !Ref B, b: !GetAtt C.D.E, c: !If [F, !Sub g, 1], d: '${1}', e: \"2\"}";
    let long = json!({
        "a": { "Ref": "B" },
        "b": { "Fn::GetAtt": ["C", "D.E"] },
        "c": { "Fn::If": ["F", { "Fn::Sub": "g" }, 1] },
        "d": "${1}",
        "e": "2",
    });
    assert_eq!(read(text), long);
}
