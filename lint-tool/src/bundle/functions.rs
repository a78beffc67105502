//! Which binaries are functions, and what the manifests say about each.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::metadata::{Metadata, Package};
use crate::error::Error;

/// One binary that Lambda runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Function {
    pub name: String,
    pub package: String,
    pub package_id: String,
    pub version: String,
    /// Megabytes: `[package.metadata.lambda.bin.NAME.deploy]`, else `[package.metadata.lambda.deploy]`,
    /// else the same table of the workspace.
    pub memory: Option<u32>,
    /// From `[workspace.metadata.lambda.watch.router]`.
    pub routes: Vec<Route>,
}

/// A path that leads to a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    pub path: String,
    /// None are all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
}

/// The functions of a workspace, by name.
///
/// They are the binaries of members that depend on `lambda_runtime` or `lambda_http`; or those that
/// `[workspace.metadata.structure-lint.bundle] functions` names, or a package's own such list.
pub(super) fn list(metadata: &Metadata) -> Result<Vec<Function>, Error> {
    let workspace_list = wanted(&metadata.metadata, "workspace")?;
    let routes = routes(&metadata.metadata)?;
    let mut found: BTreeMap<String, Function> = BTreeMap::new();
    let mut binaries = BTreeSet::new();
    let mut unknown = workspace_list.clone().unwrap_or_default();
    for package in metadata.members() {
        let own = wanted(&package.metadata, "package")?;
        unknown.extend(own.iter().flatten().cloned());
        let wanted = workspace_list.as_ref().or(own.as_ref());
        for name in binaries_of(package) {
            binaries.insert(name);
            let is_function = match wanted {
                Some(names) => names.iter().any(|it| it == name),
                None => uses_lambda(package),
            };
            if !is_function {
                continue;
            }
            let function = Function {
                name: name.to_owned(),
                package: package.name.clone(),
                package_id: package.id.clone(),
                version: package.version.clone(),
                memory: memory(package, name, &metadata.metadata)?,
                routes: routes.get(name).cloned().unwrap_or_default(),
            };
            if let Some(other) = found.insert(name.to_owned(), function) {
                let (one, two) = (other.package, &package.name);
                let message =
                    format!("`{one}` and `{two}` both have a binary `{name}`: rename one");
                return Err(Error::Usage(message));
            }
        }
    }
    unknown.extend(routes.into_keys());
    unknown.retain(|it| !binaries.contains(it.as_str()));
    if let Some(name) = unknown.first() {
        let message =
            format!("the manifest names a function `{name}`, and no member has such a binary");
        return Err(Error::Usage(message));
    }
    if found.is_empty() {
        let message = "no function to bundle: no member with a binary depends on `lambda_runtime` \
                       or `lambda_http`; name them in `[workspace.metadata.structure-lint.bundle] functions`";
        return Err(Error::Usage(message.to_owned()));
    }
    Ok(found.into_values().collect())
}

fn wanted(metadata: &Value, whose: &str) -> Result<Option<Vec<String>>, Error> {
    let list = &metadata["structure-lint"]["bundle"]["functions"];
    let table = format!("[{whose}.metadata.structure-lint.bundle] functions");
    Option::deserialize(list).map_err(|err| malformed(&table, &err))
}

fn binaries_of(package: &Package) -> impl Iterator<Item = &str> {
    let binaries = package.targets.iter();
    let binaries = binaries.filter(|it| it.kind.iter().any(|it| it == "bin"));
    binaries.map(|it| it.name.as_str())
}

fn uses_lambda(package: &Package) -> bool {
    let normal = package.dependencies.iter().filter(|it| it.kind.is_none());
    normal
        .into_iter()
        .any(|it| ["lambda_runtime", "lambda_http"].contains(&it.name.as_str()))
}

fn memory(package: &Package, name: &str, workspace: &Value) -> Result<Option<u32>, Error> {
    let lambda = &package.metadata["lambda"];
    let tables = [&lambda["bin"][name], lambda, &workspace["lambda"]];
    let said = tables.map(|it| &it["deploy"]["memory"]);
    let said = said.into_iter().find(|it| !it.is_null());
    Option::deserialize(said.unwrap_or(&Value::Null))
        .map_err(|err| malformed("[package.metadata.lambda.deploy] memory", &err))
}

/// A router in any of the forms that `cargo lambda watch` reads.
#[derive(Deserialize)]
#[serde(untagged)]
enum Router {
    ByPath(BTreeMap<String, Target>),
    List(Vec<Listed>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Target {
    Any(String),
    ByMethod(Vec<Method>),
}

#[derive(Deserialize)]
struct Method {
    method: String,
    function: String,
}

#[derive(Deserialize)]
struct Listed {
    path: String,
    #[serde(default)]
    methods: Vec<String>,
    function: String,
}

/// Function → its routes, sorted.
fn routes(workspace: &Value) -> Result<BTreeMap<String, Vec<Route>>, Error> {
    let router: Option<Router> = Option::deserialize(&workspace["lambda"]["watch"]["router"])
        .map_err(|err| malformed("[workspace.metadata.lambda.watch.router]", &err))?;
    let mut listed = Vec::new();
    match router {
        None => {}
        Some(Router::List(list)) => listed = list,
        Some(Router::ByPath(paths)) => {
            for (path, target) in paths {
                listed.extend(of_path(&path, target));
            }
        }
    }
    let mut routes: BTreeMap<String, Vec<Route>> = BTreeMap::new();
    for Listed {
        path,
        mut methods,
        function,
    } in listed
    {
        methods.sort();
        routes
            .entry(function)
            .or_default()
            .push(Route { path, methods });
    }
    routes.values_mut().for_each(|it| it.sort());
    Ok(routes)
}

fn of_path(path: &str, target: Target) -> Vec<Listed> {
    let mut functions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    match target {
        Target::Any(function) => drop(functions.insert(function, Vec::new())),
        Target::ByMethod(list) => {
            for Method { method, function } in list {
                functions.entry(function).or_default().push(method);
            }
        }
    }
    let listed = functions.into_iter().map(|(function, methods)| Listed {
        path: path.to_owned(),
        methods,
        function,
    });
    listed.collect()
}

fn malformed(table: &str, err: &serde_json::Error) -> Error {
    Error::Usage(format!("`{table}` cannot be read: {err}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Two members with binaries, one of them a function's; and the workspace's metadata.
    fn workspace(metadata: Value) -> Metadata {
        let bin = |name: &str| json!({ "name": name, "kind": ["bin"] });
        let package = |name: &str, uses: &str, kind: Value, targets: Value, metadata: Value| {
            json!({
                "id": name, "name": name, "version": "1.2.3", "manifest_path": "", "targets": targets,
                "dependencies": [{ "name": uses, "kind": kind }], "metadata": metadata,
            })
        };
        let deploy = json!({ "lambda": {
            "deploy": { "memory": 256 }, "bin": { "worker": { "deploy": { "memory": 512 } } },
        }});
        serde_json::from_value(json!({
            "packages": [
                package("api", "lambda_http", Value::Null, json!([bin("api"), bin("worker")]), deploy),
                package("cli", "lambda_http", json!("dev"), json!([bin("cli")]), Value::Null),
            ],
            "workspace_members": ["api", "cli"], "workspace_root": "", "target_directory": "",
            "resolve": { "nodes": [] }, "metadata": metadata,
        }))
        .unwrap()
    }

    fn check(metadata: Value) -> String {
        match list(&workspace(metadata)) {
            Ok(functions) => {
                let text = functions.iter().map(|it| {
                    let routes = it.routes.iter();
                    let routes = routes.map(|it| format!(" {}{}", it.methods.join("|"), it.path));
                    let memory = it.memory.map_or("-".to_owned(), |it| it.to_string());
                    format!("{} {memory}{}", it.name, routes.collect::<String>())
                });
                text.collect::<Vec<_>>().join(", ")
            }
            Err(err) => err.to_string(),
        }
    }

    #[test]
    fn functions_are_the_binaries_that_speak_lambda() {
        assert_eq!(check(Value::Null), "api 256, worker 512");
    }

    #[test]
    fn a_list_in_the_manifest_wins() {
        let named =
            |names: &[&str]| json!({ "structure-lint": { "bundle": { "functions": names } } });
        assert_eq!(check(named(&["cli"])), "cli -");
        let unknown = "the manifest names a function `nobody`, and no member has such a binary";
        assert_eq!(check(named(&["cli", "nobody"])), unknown);
        assert!(check(named(&[])).starts_with("no function to bundle"));
    }

    #[test]
    fn a_package_may_name_its_own() {
        let check = |names: &[&str]| {
            let mut metadata = workspace(Value::Null);
            metadata.packages[0].metadata["structure-lint"]["bundle"]["functions"] = json!(names);
            let listed = list(&metadata).map_err(|err| err.to_string())?;
            Ok::<_, String>(listed.into_iter().map(|it| it.name).collect::<Vec<_>>())
        };
        assert_eq!(check(&["worker"]), Ok(vec!["worker".to_owned()]));
        assert!(check(&[]).unwrap_err().starts_with("no function to bundle"));
        assert!(
            check(&["cli2"])
                .unwrap_err()
                .contains("`cli2`, and no member")
        );
    }

    #[test]
    fn routes_are_read_in_each_form_of_the_router() {
        let router = |router: Value| check(json!({ "lambda": { "watch": { "router": router } } }));
        let both = "api 256 /a, worker 512 GET|PUT/b";
        let by_method = json!([{ "method": "PUT", "function": "worker" }, { "method": "GET", "function": "worker" }]);
        assert_eq!(router(json!({ "/a": "api", "/b": by_method })), both);
        let list = json!([
            { "path": "/b", "methods": ["PUT", "GET"], "function": "worker" },
            { "path": "/a", "function": "api" },
        ]);
        assert_eq!(router(list), both);
        assert!(router(json!({ "/a": "ap" })).contains("`ap`, and no member"));
        assert!(
            router(json!({ "/a": 1 })).starts_with("`[workspace.metadata.lambda.watch.router]`")
        );
    }

    #[test]
    fn two_binaries_of_one_name_are_refused() {
        let mut metadata = workspace(Value::Null);
        metadata.packages[1].targets[0].name = "api".to_owned();
        metadata.packages[1].dependencies[0].kind = None;
        let message = list(&metadata).unwrap_err().to_string();
        assert_eq!(
            message,
            "`api` and `cli` both have a binary `api`: rename one"
        );
    }
}
