//! API Gateway sends each request where it is answered.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Method;
use platform::http;
use serde_json::Value;
use tests::app::TestApp;

use super::{TEMPLATE, all, functions, target};

/// A route of the template.
struct Route {
    id: &'static str,
    key: &'static str,
    /// `ANY`, a method, or `$default`.
    method: &'static str,
    segments: Vec<&'static str>,
    function: &'static str,
    /// Whether the gateway may ask for a token.
    guarded: bool,
}

impl Route {
    /// How well it matches: a whole match before a greedy one, then the longer text, then the
    /// exact method; `$default` last. None where it does not match.
    fn rank(&self, method: &str, path: &str) -> Option<(u8, usize, bool)> {
        if self.method == "$default" {
            return Some((0, 0, false));
        }
        if self.method != "ANY" && self.method != method {
            return None;
        }
        let path = segments(path);
        let greedy = self.segments.last().is_some_and(|it| it.ends_with("+}"));
        let fixed = self.segments.len() - usize::from(greedy);
        let long_enough = match greedy {
            true => fixed < path.len(),
            false => fixed == path.len(),
        };
        let matches = |(own, asked): (&&str, &&str)| own.starts_with('{') || own == asked;
        if !long_enough || !self.segments[..fixed].iter().zip(&path).all(matches) {
            return None;
        }
        let literal = self.segments[..fixed].iter();
        let literal = literal.filter(|it| !it.starts_with('{')).count();
        let exact = self.method != "ANY";
        Some((if greedy { 1 } else { 2 }, literal, exact))
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.trim_start_matches('/').split('/').collect()
}

fn routes() -> Vec<Route> {
    let by_id: BTreeMap<_, _> = functions()
        .into_iter()
        .map(|(name, it)| (it.id, name))
        .collect();
    let routes = all("AWS::ApiGatewayV2::Route").map(|(id, it)| {
        let properties = &it["Properties"];
        let key = properties["RouteKey"].as_str().unwrap();
        let (method, path) = key.split_once(' ').unwrap_or((key, ""));
        let integration = properties["Target"]["Fn::Sub"].as_str().unwrap();
        let integration = integration
            .strip_prefix("integrations/${")
            .and_then(|it| it.strip_suffix('}'))
            .unwrap();
        let uri = &TEMPLATE["Resources"][integration]["Properties"]["IntegrationUri"];
        Route {
            id,
            key,
            method,
            segments: segments(path),
            function: by_id[target(uri).unwrap()],
            guarded: !properties["AuthorizationType"].is_null(),
        }
    });
    routes.collect()
}

fn choose<'a>(routes: &'a [Route], method: &str, path: &str) -> &'a Route {
    let ranked = routes
        .iter()
        .filter_map(|it| Some((it.rank(method, path)?, it)));
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let (best, route) = ranked.pop().expect("there is a default");
    let rival = ranked.pop().filter(|(rank, _)| *rank == best);
    if let Some((_, rival)) = rival {
        panic!(
            "{method} {path} matches {} and {} alike",
            route.id, rival.id
        );
    }
    route
}

/// The key of the route that a request takes, and the function there.
pub(super) fn key_and_function(method: &str, path: &str) -> (&'static str, &'static str) {
    let routes = routes();
    let route = choose(&routes, method, path);
    (route.key, route.function)
}

/// Method and path of each operation, with what it says.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap().iter();
        item.map(move |(method, it)| (method.to_uppercase(), path.clone(), it))
    });
    operations.collect()
}

/// The functions that have an operation in a document of their own.
fn owners(app: &TestApp) -> BTreeMap<(String, String), BTreeSet<&'static str>> {
    let platform = &app.platform;
    let routes = [
        ("auth", auth::routes(platform.clone())),
        ("aam-connect", aam_connect::routes(platform.clone())),
        ("aam-monitor", aam_monitor::routes(platform.clone())),
        ("dcl-query", dcl_query::routes(platform.clone())),
        ("event-ingest", event_ingest::routes(platform.clone())),
    ];
    let mut owners: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (name, routes) in routes {
        let document = http::openapi(routes, platform, name);
        let document = serde_json::to_value(document).unwrap();
        for (method, path, _) in operations(&document) {
            owners.entry((method, path)).or_default().insert(name);
        }
    }
    owners
}

/// The path of a request: a name instead of each `{name}`.
fn filled(path: &str) -> String {
    let segments = path.split('/').map(|it| match it.strip_prefix('{') {
        Some(_) => "0198c1a2-of-somebody",
        None => it,
    });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn each_operation_reaches_the_function_that_has_it() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json", None).await.json();
    let (routes, owners) = (routes(), owners(&app));
    let mut used = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let route = choose(&routes, &method, &filled(&path));
        used.insert(route.id);
        let owners = &owners[&(method.clone(), path.clone())];
        assert!(
            owners.contains(route.function),
            "{method} {path} takes {} to {}, but {owners:?} has it",
            route.id,
            route.function
        );
        let public = operation["security"].as_array().is_none_or(Vec::is_empty);
        assert!(
            !(public && route.guarded),
            "{method} {path} is public, but {} may ask for a token",
            route.id
        );
    }
    // No operation is a preflight.
    let asked = routes.iter().filter(|it| it.method != "OPTIONS");
    let unused = asked.map(|it| it.id).filter(|it| !used.contains(it));
    assert_eq!(unused.collect::<Vec<_>>(), [""; 0], "lead nowhere");
}

#[test]
fn a_whole_match_comes_before_a_greedy_one_and_a_long_one_before_a_short_one() {
    let route = |id, key: &'static str| {
        let (method, path) = key.split_once(' ').unwrap_or((key, ""));
        Route {
            id,
            key,
            method,
            segments: segments(path),
            function: "",
            guarded: false,
        }
    };
    // The example of the API Gateway's guide, "Create routes for HTTP APIs".
    let routes = [
        route("1", "GET /pets/dog/1"),
        route("2", "GET /pets/dog/{id}"),
        route("3", "GET /pets/{proxy+}"),
        route("4", "ANY /{proxy+}"),
        route("5", "$default"),
    ];
    for (method, path, expected) in [
        ("GET", "/pets/dog/1", "1"),
        ("GET", "/pets/dog/2", "2"),
        ("GET", "/pets/cat/1", "3"),
        ("POST", "/test/5", "4"),
        ("GET", "/", "4"),
    ] {
        assert_eq!(choose(&routes, method, path).id, expected, "{path}");
    }
}

#[test]
fn a_browser_s_first_question_needs_no_token() {
    let routes = routes();
    for guarded in routes.iter().filter(|it| it.guarded) {
        let twin = |it: &&Route| it.method == "OPTIONS" && it.segments == guarded.segments;
        let twin = routes.iter().find(twin);
        let twin = twin.unwrap_or_else(|| panic!("{} has no preflight", guarded.id));
        assert!(!twin.guarded, "{}", twin.id);
        assert_eq!(twin.function, guarded.function, "{}", twin.id);
    }
}

#[tokio::test]
async fn the_gateway_lets_browsers_do_what_the_functions_do() {
    let app = TestApp::start().await;
    let headers = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
    ];
    let path = "/api/v1/auth/me";
    let preflight = app
        .send(Method::OPTIONS, path, None, Body::empty(), &headers)
        .await;
    let answer = app
        .send(Method::GET, path, None, Body::empty(), &headers[..1])
        .await;
    let settings = &TEMPLATE["Resources"]["Api"]["Properties"]["CorsConfiguration"]["Fn::If"][1];
    for (answer, header, setting) in [
        (&preflight, "access-control-allow-methods", "AllowMethods"),
        (&preflight, "access-control-allow-headers", "AllowHeaders"),
        (&answer, "access-control-expose-headers", "ExposeHeaders"),
    ] {
        let names = |it: &str| it.trim().to_lowercase();
        let said = answer.header(header).unwrap().split(',').map(names);
        let set = settings[setting].as_array().unwrap().iter();
        let set = set.map(|it| names(it.as_str().unwrap()));
        assert_eq!(
            set.collect::<BTreeSet<_>>(),
            said.collect::<BTreeSet<_>>(),
            "{setting}"
        );
    }
}
