//! What the code reads and what the template gives are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{TEMPLATE, functions, root};

/// What deployed code may read though the template does not give it.
const GIVEN_BY_OTHERS: &[(&str, &str)] = &[
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "Lambda sets it"),
    ("AWS_LAMBDA_FUNCTION_NAME", "Lambda sets it"),
    ("AWS_SESSION_TOKEN", "Lambda sets it"),
    (
        "DCL_AUTH_ENABLED",
        "a deployed function refuses to go without",
    ),
    ("LOCAL_GATEWAY", "local only"),
    (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OtlpEndpoint says it for all signals",
    ),
    (
        "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT",
        "the extension's own default",
    ),
    (
        "REDIS_CA_FILE",
        "ElastiCache's certificates end in public roots",
    ),
    ("SECRETS_FILE", "local only: SECRET_ID wins"),
    ("SECRETS_TTL_SECONDS", "its default is right"),
    ("SUPABASE_DATABASE_URL", "DatabaseUrl takes it"),
];

/// The functions that the code has: the binaries of the packages in `functions/`, and migrate.
fn deployables() -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut packages = folders(&root().join("functions"));
    packages.push(root().join("infra/migrate"));
    for package in packages {
        let name = package.file_name().unwrap().to_str().unwrap().to_owned();
        if package.join("src/main.rs").is_file() {
            found.insert(name, package.clone());
        }
        let Ok(binaries) = std::fs::read_dir(package.join("src/bin")) else {
            continue;
        };
        for binary in binaries {
            let path = binary.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            found.insert(name, package.clone());
        }
    }
    found
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).unwrap();
    let paths = entries.map(|it| it.unwrap().path());
    paths.filter(|it| it.is_dir()).collect()
}

#[test]
fn the_functions_are_those_of_the_code() {
    let functions: Vec<_> = functions().into_keys().collect();
    let deployables: Vec<_> = deployables().into_keys().collect();
    assert_eq!(functions, deployables);
}

#[test]
fn each_function_s_code_is_its_own_zip_of_the_bundle() {
    for (name, function) in functions() {
        let zip = format!("../../target/bundle/{name}.zip");
        assert_eq!(function.properties["CodeUri"], zip.as_str());
    }
}

/// The megabytes that a manifest gives to a function, as the bundle writes them down.
fn memory(function: &str, package: &Path) -> Option<i64> {
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let lambda = manifest["package"].get("metadata")?.get("lambda")?;
    let own = lambda.get("bin").and_then(|it| it.get(function));
    let own = own.and_then(|it| it.get("deploy"));
    let deploy = own.or_else(|| lambda.get("deploy"))?;
    deploy.get("memory")?.as_integer()
}

#[test]
fn each_function_s_memory_is_that_of_its_manifest() {
    for (name, package) in deployables() {
        let given = functions()[name.as_str()].properties["MemorySize"].as_i64();
        assert!(given.is_some(), "{name} says no MemorySize");
        assert_eq!(given, memory(&name, &package), "{name}");
    }
}

/// The names that the sources below a folder read, those that must be there among them.
fn read_below(folder: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut optional, mut required) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let name = path.file_name().unwrap();
            if name != "tests" {
                open.extend(
                    std::fs::read_dir(path)
                        .unwrap()
                        .map(|it| it.unwrap().path()),
                );
            }
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            optional.extend(names(&text, "env::optional"));
            required.extend(names(&text, "env::required"));
        }
    }
    (optional, required)
}

/// The first literal after each call.
fn names(text: &str, call: &str) -> Vec<String> {
    let calls = text.split(call).skip(1).map(|rest| {
        let (_, rest) = rest.split_once('"').expect("a literal name");
        let (name, _) = rest.split_once('"').expect("its end");
        name.to_owned()
    });
    calls.collect()
}

/// The names that the template gives to all functions, or to one.
fn given(variables: &'static Value) -> BTreeSet<&'static str> {
    let variables = variables["Environment"]["Variables"].as_object();
    let names = variables.into_iter().flatten().map(|(name, _)| name);
    names.map(String::as_str).collect()
}

#[test]
fn what_the_code_reads_is_what_the_template_gives() {
    let everywhere = given(&TEMPLATE["Globals"]["Function"]);
    let shared = read_below(&root().join("shared"));
    let elsewhere: BTreeSet<_> = GIVEN_BY_OTHERS.iter().map(|(name, _)| *name).collect();
    let (mut read_by_any, mut given_to_any) = (shared.0.clone(), everywhere.clone());
    read_by_any.extend(shared.1.clone());
    for (function, package) in deployables() {
        let own = read_below(&package);
        let given: BTreeSet<_> = given(functions()[function.as_str()].properties)
            .union(&everywhere)
            .copied()
            .collect();
        for name in shared.1.union(&own.1) {
            let known = given.contains(name.as_str()) || elsewhere.contains(name.as_str());
            assert!(known, "{function} needs {name}");
        }
        read_by_any.extend(own.0.into_iter().chain(own.1));
        given_to_any.extend(given);
    }
    let known: BTreeSet<_> = given_to_any.union(&elsewhere).copied().collect();
    let read: BTreeSet<_> = read_by_any.iter().map(String::as_str).collect();
    let not_given: Vec<_> = read.difference(&known).collect();
    assert_eq!(not_given, [&""; 0], "read, and never given");
    let not_read: Vec<_> = known.difference(&read).collect();
    assert_eq!(not_read, [&""; 0], "given, and never read");
}
