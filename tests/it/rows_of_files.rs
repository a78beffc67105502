//! Rows of one file with one id: the first counts, in whatever order they are uploaded, mapped,
//! replayed and tried again.

use axum::http::Method;
use proptest::prelude::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proptest::{collection, sample};
use serde_json::{Value, json};
use tests::fixtures::jobs::run_all;
use tests::fixtures::own_data::{World, pairs};

fn mapping(key: &str) -> Value {
    json!({ "entity": "account", "fields": [
        { "target": "account_id", "sources": [key] },
        { "target": "name", "sources": ["name"] },
    ] })
}

/// So many rows, of which each so many-th has the same id.
fn file(rows: usize, ids: usize) -> String {
    let row = |it: usize| format!("{},N{it:04}\n", it % ids);
    let rows: String = (0..rows).map(row).collect();
    format!("id,name\n{rows}")
}

/// What the view has, and what is said to be in it and in quarantine.
async fn state(world: &World) -> (Vec<(String, String)>, Value) {
    let object = world.object("x").await;
    (
        world.accounts().await,
        json!([object["records"], object["quarantined"]]),
    )
}

async fn start(world: &World, rest: &str, body: Value) {
    let path = format!("/api/v1/aam/connections/{}/{rest}", world.connection);
    let answer = world.send(Method::POST, &path, body).await;
    assert!(answer.status.is_success(), "{answer}");
}

#[tokio::test]
async fn the_first_row_counts_however_often_the_file_is_read() {
    let first = pairs(&[("0", "N0000"), ("1", "N0001"), ("2", "N0002")]);
    let expected = (first, json!([3, 9]));
    let content = file(12, 3);
    for is_mapped_first in [false, true] {
        let world = World::with_file("x.csv", "id,name\n0,N0000\n").await;
        if is_mapped_first {
            world.map("x", mapping("id")).await;
        }
        world.upload("x.csv", &content).await;
        if !is_mapped_first {
            world.map("x", mapping("id")).await;
        }
        assert_eq!(state(&world).await, expected);
        for _ in 0..2 {
            let again = world.upload("x.csv", &content).await;
            let counts = ["written", "unchanged", "collisions", "quarantined"];
            assert_eq!(counts.map(|it| &again[it]), [0, 3, 9, 9], "{again}");
            assert_eq!(state(&world).await, expected);
            start(&world, "quarantine/retry", json!({ "object": "x" })).await;
            assert_eq!(state(&world).await, expected);
            start(&world, "replay", json!({})).await;
            assert_eq!(state(&world).await, expected);
        }
    }
}

#[tokio::test]
async fn the_first_row_counts_wherever_a_replay_meets_it() {
    let world = World::with_file("x.csv", &file(1300, 650)).await;
    let answer = world.map("x", mapping("id")).await;
    let (accounts, counts) = {
        let page = world.get("/api/v1/dcl/views/accounts?limit=1000").await;
        let rows = page["data"].as_array().unwrap().clone();
        (rows, state(&world).await.1)
    };
    assert_eq!(accounts.len(), 650);
    for account in accounts {
        let (id, name) = (&account["account_id"], &account["name"]);
        let number: usize = id.as_str().unwrap().parse().unwrap();
        assert_eq!(name, &json!(format!("N{number:04}")));
    }
    assert_eq!(counts, json!([650, 650]));
    let job = answer["replay"]["job_id"].as_str().unwrap();
    let result = world.get(&format!("/api/v1/tasks/{job}")).await["result"].clone();
    let counts = ["rows_read", "written", "quarantined", "collisions"];
    assert_eq!(
        counts.map(|it| &result[it]),
        [1300, 650, 650, 650],
        "{result}"
    );
}

#[tokio::test]
async fn the_first_row_takes_its_record_back_once_it_fits() {
    let world = World::with_file("x.csv", "id,name,when\n1,First,soon\n1,Second,\n").await;
    let with = |transforms: Value| {
        let mut mapping = mapping("id");
        let when = json!({ "target": "created_at", "sources": ["when"], "transforms": transforms });
        mapping["fields"].as_array_mut().unwrap().push(when);
        mapping
    };
    world.map("x", with(json!([]))).await;
    assert_eq!(
        state(&world).await,
        (pairs(&[("1", "Second")]), json!([1, 1]))
    );
    let nulls = json!([{ "kind": "nulls", "words": ["soon"] }]);
    world.map("x", with(nulls)).await;
    let first = (pairs(&[("1", "First")]), json!([1, 1]));
    assert_eq!(state(&world).await, first);
    start(&world, "quarantine/retry", json!({ "object": "x" })).await;
    assert_eq!(state(&world).await, first);
}

/// What can be done with an object.
#[derive(Debug, Clone, Copy)]
enum Step {
    Upload(usize),
    Map(&'static str),
    Replay,
    Retry,
    Unmap,
}

async fn take(world: &World, files: &[String], step: Step) {
    match step {
        Step::Upload(file) => {
            world.upload("x.csv", &files[file]).await;
            let again = world.upload("x.csv", &files[file]).await;
            assert_eq!(
                (&again["written"], &again["stale"]),
                (&json!(0), &json!(0)),
                "{again}"
            );
        }
        Step::Map(key) => {
            let new = json!({ "mapping": mapping(key), "reason": "r" });
            world.post(&world.mapping("x"), new).await;
        }
        Step::Replay => start(world, "replay", json!({})).await,
        Step::Retry => start(world, "quarantine/retry", json!({ "object": "x" })).await,
        Step::Unmap => {
            world.app.delete(&world.mapping("x"), &world.ann).await;
            run_all(&world.app).await;
        }
    }
}

#[tokio::test]
async fn an_object_has_as_many_records_as_its_view_whatever_is_done() {
    let rows = collection::vec((0..3_u8, 0..3_u8, 0..4_u8), 1..9);
    let steps = [
        Step::Upload(0),
        Step::Upload(1),
        Step::Map("id"),
        Step::Map("code"),
        Step::Replay,
        Step::Retry,
        Step::Unmap,
    ];
    let given = (
        collection::vec(rows, 2),
        collection::vec(sample::select(steps.to_vec()), 8),
    );
    let mut runner = TestRunner::deterministic();
    for _ in 0..8 {
        let (files, steps) = given.new_tree(&mut runner).unwrap().current();
        let text = |rows: &Vec<(u8, u8, u8)>| {
            let rows = rows.iter().map(|(id, code, name)| match name {
                0 => format!("{id},{code},\n"),
                name => format!("{id},{code},N{name}\n"),
            });
            format!("id,code,name\n{}", rows.collect::<String>())
        };
        let files: Vec<_> = files.iter().map(text).collect();
        let world = World::with_file("x.csv", &files[0]).await;
        for (done, step) in steps.iter().enumerate() {
            take(&world, &files, *step).await;
            let object = world.object("x").await;
            if object["state"] == "mapped" {
                let shown = world.accounts().await.len();
                assert_eq!(object["records"], shown, "{files:?} {:?}", &steps[..=done]);
            }
        }
    }
}
