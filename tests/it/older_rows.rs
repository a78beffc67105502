//! Rows that a mapping takes for older versions of a record: they stay stored, for a mapping that
//! tells them apart.

use axum::http::Method;
use serde_json::{Value, json};
use tests::fixtures::own_data::{World, pairs};

fn mapping(fields: &[(&str, &str)]) -> Value {
    let field = |it: &(&str, &str)| json!({ "target": it.0, "sources": [it.1] });
    json!({ "entity": "account", "fields": fields.iter().map(field).collect::<Vec<_>>() })
}

async fn raw(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from raw_records where not deleted")
        .fetch_one(world.app.owner())
        .await
        .unwrap()
}

/// What the last replay has counted: rows, written, stale.
async fn replayed(world: &World) -> [i64; 3] {
    let path = format!("/api/v1/aam/connections/{}/runs?limit=1", world.connection);
    let run = world.get(&path).await["runs"][0].clone();
    assert_eq!(run["kind"], "replay", "{run}");
    ["rows_read", "written", "stale"].map(|it| run[it].as_i64().unwrap())
}

#[tokio::test]
async fn a_key_that_was_wrong_loses_no_row() {
    let world = World::new().await;
    let months = [("05", ["1", "2"]), ("06", ["3", "4"])];
    for (month, [one, other]) in months {
        let file =
            format!("invoice,customer,name\nR{one},100,Ann {one}\nR{other},101,Bob {other}\n");
        world
            .upload(&format!("bills_2024-{month}.csv"), &file)
            .await;
    }
    let by_customer = mapping(&[("account_id", "customer"), ("name", "name")]);
    world.map("bills", by_customer).await;
    let newest = pairs(&[("100", "Ann 3"), ("101", "Bob 4")]);
    assert_eq!(world.accounts().await, newest);
    assert_eq!(replayed(&world).await, [4, 2, 2]);
    assert_eq!(world.object("bills").await["records"], 2);
    assert_eq!(raw(&world).await, 4);

    let by_invoice = mapping(&[("account_id", "invoice"), ("name", "name")]);
    world.map("bills", by_invoice).await;
    let all = [
        ("R1", "Ann 1"),
        ("R2", "Bob 2"),
        ("R3", "Ann 3"),
        ("R4", "Bob 4"),
    ];
    assert_eq!(world.accounts().await, pairs(&all));
    assert_eq!(replayed(&world).await, [4, 4, 0]);
    assert_eq!(raw(&world).await, 4);
}

#[tokio::test]
async fn a_mapping_that_learns_of_versions_and_forgets_them_again_changes_no_row() {
    let file = "no,name,upd\n1,old,2024-01-01\n1,new,2024-02-01\n2,x,2024-01-01\n3,z,2024-03-01\n\
                3,y,2024-02-01\n";
    let world = World::with_file("firms.csv", file).await;
    let plain = [("account_id", "no"), ("name", "name")];
    let first = pairs(&[("1", "old"), ("2", "x"), ("3", "z")]);
    let newest = pairs(&[("1", "new"), ("2", "x"), ("3", "z")]);
    world.map("firms", mapping(&plain)).await;
    for _ in 0..2 {
        assert_eq!(world.accounts().await, first);
        let object = world.object("firms").await;
        assert_eq!(
            (&object["records"], &object["quarantined"]),
            (&json!(3), &json!(2))
        );
        let versioned = mapping(&[plain[0], plain[1], ("updated_at", "upd")]);
        world.map("firms", versioned).await;
        assert_eq!(world.accounts().await, newest);
        let object = world.object("firms").await;
        assert_eq!(
            (&object["records"], &object["quarantined"]),
            (&json!(3), &json!(0))
        );
        let path = format!("{}/activate", world.mapping("firms"));
        world
            .post(&path, json!({ "version": 1, "reason": "back" }))
            .await;
    }
    assert_eq!(world.accounts().await, first);
}

#[tokio::test]
async fn every_record_gets_another_id_however_many_there_are() {
    let rows: String = (0..1_234)
        .map(|it| format!("a{it:04}, b{it:04} ,N{it}\n"))
        .collect();
    let world = World::with_file("many.csv", &format!("one,two,name\n{rows}")).await;
    for key in ["one", "two", "one"] {
        world
            .map("many", mapping(&[("account_id", key), ("name", "name")]))
            .await;
        assert_eq!(replayed(&world).await, [1_234, 1_234, 0]);
        assert_eq!(world.object("many").await["records"], 1_234);
        let first = world
            .get("/api/v1/dcl/views/accounts?sort=name&limit=1")
            .await;
        assert_eq!(first["meta"]["total"], 1_234, "{first}");
    }
}

#[tokio::test]
async fn a_rejected_row_stays_in_quarantine_whatever_its_file_says_after_it() {
    let world = World::with_file("firms.csv", "no,name,upd\n9,x,2024-01-01\n").await;
    let fields = [
        ("account_id", "no"),
        ("name", "name"),
        ("updated_at", "upd"),
    ];
    world.map("firms", mapping(&fields)).await;
    let file = "no,name,upd\n1,a,bad\n1,b,2024-01-01\n";
    for written in [1, 0] {
        let report = world.upload("firms.csv", file).await;
        assert_eq!(
            (&report["written"], &report["quarantined"]),
            (&json!(written), &json!(1))
        );
        assert_eq!(world.object("firms").await["quarantined"], 1);
    }
    // In a file that comes later it is corrected.
    let report = world
        .upload("firms.csv", "no,name,upd\n1,c,2024-02-01\n")
        .await;
    assert_eq!(report["written"], 1, "{report}");
    assert_eq!(world.object("firms").await["quarantined"], 0);
}

#[tokio::test]
async fn of_deletes_that_wait_for_a_mapping_the_latest_counts() {
    let world = World::new().await;
    let event = |op: &str, hour: u8, name: &str| {
        json!({ "source": { "system": "shop", "connection_id": world.connection },
            "entity": "kunde", "op": op, "occurred_at": format!("2024-05-01T{hour}:00:00Z"),
            "data": { "no": "1", "name": name } })
    };
    let all = [
        event("upsert", 10, "x"),
        event("delete", 11, "x"),
        event("upsert", 12, "y"),
        event("delete", 13, "x"),
    ];
    let late = event("delete", 11, "x");
    world.post("/api/v1/events", json!(all)).await;
    world.post("/api/v1/events", late).await;
    let fields = [("account_id", "no"), ("name", "name")];
    world.map("shop.kunde", mapping(&fields)).await;
    assert_eq!(world.accounts().await, []);
    let again = world
        .send(Method::POST, "/api/v1/events", event("upsert", 14, "z"))
        .await;
    assert!(again.status.is_success(), "{again}");
    assert_eq!(world.accounts().await, pairs(&[("1", "z")]));
}
