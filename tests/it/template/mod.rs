//! The deployment is as the code needs it, and as careful as it says.

mod environment;
mod events;
mod parameters;
mod policy;
mod routes;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    let path = root().join("infra/aws/template.yaml");
    yaml::read(&std::fs::read_to_string(path).unwrap())
});

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Every resource by its logical id.
fn resources() -> impl Iterator<Item = (&'static str, &'static Value)> {
    let resources = TEMPLATE["Resources"].as_object().unwrap();
    resources.iter().map(|(id, it)| (id.as_str(), it))
}

/// The resources of a type.
fn all(kind: &str) -> impl Iterator<Item = (&'static str, &'static Value)> {
    resources().filter(move |(_, it)| it["Type"] == kind)
}

/// A function of the template.
struct Function {
    id: &'static str,
    properties: &'static Value,
}

/// The functions by their names without the stack's: `auth`, `aam-connect`, ….
fn functions() -> BTreeMap<&'static str, Function> {
    let functions = all("AWS::Serverless::Function").map(|(id, it)| {
        let properties = &it["Properties"];
        let name = properties["FunctionName"]["Fn::Sub"].as_str().unwrap();
        let name = name.strip_prefix("${AWS::StackName}-").unwrap();
        (name, Function { id, properties })
    });
    functions.collect()
}

/// What a `Ref` or the first part of a `Fn::GetAtt` names.
fn target(value: &Value) -> Option<&str> {
    value["Ref"]
        .as_str()
        .or_else(|| value["Fn::GetAtt"][0].as_str())
}

/// Calls `see` with the value and everything within it.
fn walk<'a>(value: &'a Value, see: &mut impl FnMut(&'a Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|it| walk(it, see)),
        Value::Object(fields) => fields.values().for_each(|it| walk(it, see)),
        _ => {}
    }
}

/// Every resource that the value names.
fn targets(value: &Value) -> Vec<&str> {
    let mut found = vec![];
    walk(value, &mut |it| found.extend(target(it)));
    found
}
