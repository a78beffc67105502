//! A mapping that cannot work is refused wherever it is sent, with a pointer and a sentence.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::fixtures::jobs::run_all;
use tests::fixtures::own_data::World;

/// What is said against a mapping by `validate`, by a dry run and when it is sent for good:
/// all three the same, from the mapping's root.
async fn faults(world: &World, object: &str, mapping: &Value) -> Vec<(String, String)> {
    let validate = format!(
        "/api/v1/dcl/mappings/validate?connection={}&object={object}",
        world.connection
    );
    let valid = refusal(world, &validate, mapping.clone(), "").await;
    for dry_run in [true, false] {
        let body = json!({ "mapping": mapping, "reason": "r", "dry_run": dry_run });
        let said = refusal(world, &world.mapping(object), body, "/mapping").await;
        assert_eq!(said, valid, "dry_run: {dry_run}");
    }
    valid
}

async fn refusal(world: &World, path: &str, body: Value, root: &str) -> Vec<(String, String)> {
    let answer = world.app.post(path, &world.ann, body).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    let text = |it: &Value, member: &str| it[member].as_str().unwrap().to_owned();
    let fault = |it: &Value| {
        let pointer = text(it, "pointer");
        let pointer = pointer.strip_prefix(root).unwrap().to_owned();
        (pointer, text(it, "detail"))
    };
    errors.iter().map(fault).collect()
}

/// A mapping of accounts whose industry is made like this.
fn with_country(country: Value) -> Value {
    json!({ "entity": "account", "fields": [
        { "target": "account_id", "sources": ["id"] },
        { "target": "name", "sources": ["name"] },
        country,
    ] })
}

fn country(transforms: Value) -> Value {
    let field = json!({ "target": "industry", "sources": ["Land"], "transforms": transforms });
    with_country(field)
}

#[tokio::test]
async fn a_mapping_that_cannot_work_is_refused_alike_wherever_it_is_sent() {
    let file = "id,name,Land\n1,A,France\n2,B,Italy\n3,C,France\n4,D,\n";
    let world = World::with_file("x.csv", file).await;
    let words = |count: usize| -> Value {
        let words = (0..count).map(|it| (it.to_string(), json!("x")));
        Value::Object(words.collect())
    };
    let table = |kind: &str, member: &str, words: Value| {
        country(json!([{ "kind": kind, member: words, "otherwise": "reject" }]))
    };
    let unlisted = "lacks words that 2 of 4 stored records have: \"France\" (2). Add them, or set \
         `otherwise` to `null` or `keep`";
    let italy = json!({ "Italy": "IT" });
    let cases = [
        (
            with_country(json!({ "target": "industry", "sources": ["Lnad"] })),
            "/fields/2/sources/0",
            "the object has no such field: did you mean `Land`?",
        ),
        (
            with_country(json!({ "target": "name", "sources": ["Land"] })),
            "/fields/2/target",
            "an earlier entry maps it already: keep one, with the sources of both",
        ),
        (
            table("enum", "values", json!({})),
            "/fields/2/transforms/0/values",
            "is empty: list at least one word",
        ),
        (
            table("lookup", "table", json!({})),
            "/fields/2/transforms/0/table",
            "is empty: list at least one pair",
        ),
        (
            country(json!([{ "kind": "case", "equals": "", "then": "" }])),
            "/fields/2/transforms/0/then",
            "is what `equals` is, so nothing changes: say what the value becomes",
        ),
        (
            table("enum", "values", italy.clone()),
            "/fields/2/transforms/0/values",
            unlisted,
        ),
        (
            table("lookup", "table", italy),
            "/fields/2/transforms/0/table",
            unlisted,
        ),
        (
            table("enum", "values", words(10_001)),
            "/fields/2/transforms/0/values",
            "has 10001 words: send at most 10000, or join such a table at the source",
        ),
        (
            country(vec![json!({ "kind": "trim" }); 51].into()),
            "/fields/2/transforms",
            "has 51 transforms: send at most 50",
        ),
        (
            country(json!([{ "kind": "constant", "value": "x".repeat(1 << 20) }])),
            "",
            "is longer than 1 MiB: join long tables at the source, or map fewer fields",
        ),
        (
            json!({ "entity": "account", "fields": vec![json!({ "target": "name" }); 2_001] }),
            "/fields",
            "has 2001 fields: send at most 2000",
        ),
        (
            country(json!([{ "kind": "regex", "pattern": "(a" }])),
            "/fields/2/transforms/0/pattern",
            "is not a regular expression: unclosed group",
        ),
        (
            country(json!([{ "kind": "regex", "pattern": r"((\w{50}){50}){50}" }])),
            "/fields/2/transforms/0/pattern",
            "becomes too large: lower its repetitions",
        ),
    ];
    for (mapping, pointer, detail) in cases {
        let expected = vec![(pointer.to_owned(), detail.to_owned())];
        assert_eq!(faults(&world, "x", &mapping).await, expected);
    }
}

#[tokio::test]
async fn what_is_not_listed_may_be_dropped_or_kept() {
    let world = World::with_file("x.csv", "id,name,Land\n1,A,France\n").await;
    for otherwise in ["null", "keep"] {
        let words = json!({ "Italy": "IT" });
        let words = json!([{ "kind": "enum", "values": words, "otherwise": otherwise }]);
        let body = json!({ "mapping": country(words), "reason": "r" });
        let answer = world.app.post(&world.mapping("x"), &world.ann, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer}");
        run_all(&world.app).await;
    }
}

#[tokio::test]
async fn a_dry_run_says_how_many_of_how_many_records_it_looked_at() {
    let world = World::with_file("x.csv", "id,name,Land\n1,A,France\n2,B,Italy\n").await;
    let body = json!({ "mapping": country(json!([])), "reason": "r", "dry_run": true });
    let answer = world.app.post(&world.mapping("x"), &world.ann, body).await;
    let difference = answer.json()["difference"].clone();
    let told = ["records", "stored", "stored_at_least", "complete", "gained"];
    assert_eq!(
        told.map(|it| difference[it].clone()),
        [json!(2), json!(2), json!(false), json!(true), json!(2)],
        "{difference}"
    );
}
