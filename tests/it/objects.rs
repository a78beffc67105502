//! What people say of a connection's objects, and events that no mapping knows.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::app::{Answer, JSON};
use tests::fixtures::files::{MULTIPART, form_field, multipart_form, send_form};
use tests::fixtures::jobs::run_all;
use tests::fixtures::own_data::{World, pairs};
use tests::fixtures::postgres_source::{set_up_postgres_source, sync};

async fn put(world: &World, object: &str, change: Value) -> Answer {
    let path = format!(
        "/api/v1/aam/connections/{}/objects/{object}",
        world.connection
    );
    let body = Body::from(change.to_string());
    let answer = world
        .app
        .send(Method::PUT, &path, Some(&world.ann), body, &[JSON])
        .await;
    run_all(&world.app).await;
    answer
}

#[track_caller]
fn check_refused(answer: &Answer, pointer: &str) {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{answer}");
}

#[tokio::test]
async fn what_is_said_of_an_object_is_proposed_and_accepted() {
    let world = World::new().await;
    let file = world.upload("x.csv", "foo,name\n7,One\n8,Two\n").await;
    let said = put(
        &world,
        "x",
        json!({ "entity": "account", "key": ["foo"], "freshness": { "max_age_minutes": 60 } }),
    )
    .await
    .json();
    assert_eq!(
        (&said["said_entity"], &said["said_key"], &said["stale"]),
        (&json!("account"), &json!(["foo"]), &json!(false)),
        "{said}"
    );
    let proposal = world.get(file["proposal"].as_str().unwrap()).await;
    assert_eq!(proposal["entity"], "account", "{proposal}");
    assert_eq!(proposal["keys"][0]["fields"], json!(["foo"]), "{proposal}");

    let accepted = put(&world, "x", json!({ "accept": true })).await;
    assert_eq!(accepted.status, StatusCode::OK, "{accepted}");
    let accepted = accepted.json();
    assert_eq!(accepted["state"], "mapped", "{accepted}");
    let id = &accepted["accepted"][0];
    assert_eq!(
        (&id["target"], &id["probability"]),
        (&json!("account_id"), &Value::Null),
        "{id}"
    );
    assert_eq!(world.accounts().await, pairs(&[("7", "One"), ("8", "Two")]));

    // Another object of the connection feeds the same entity.
    world.upload("y.csv", "bar,name\n9,Three\n").await;
    let change = json!({ "entity": "account", "key": ["bar"], "accept": true });
    assert_eq!(put(&world, "y", change).await.status, StatusCode::OK);
    assert_eq!(
        world.accounts().await,
        pairs(&[("7", "One"), ("8", "Two"), ("9", "Three")])
    );
}

#[tokio::test]
async fn what_cannot_be_said_of_an_object_is_refused() {
    let world = World::new().await;
    world.upload("x.csv", "foo,name\n7,One\n").await;
    for (change, pointer) in [
        (json!({ "entity": "lead" }), "/entity"),
        (json!({ "entity": "account", "key": ["nope"] }), "/key/0"),
        (json!({ "key": [] }), "/key"),
        (json!({ "cursor": "foo" }), "/cursor"),
        (
            json!({ "freshness": { "max_age_minutes": 0 } }),
            "/freshness/max_age_minutes",
        ),
        (json!({ "accept": true, "ignored": true }), "/accept"),
        (
            json!({ "entity": "account", "accept": true }),
            "/answers/key",
        ),
    ] {
        check_refused(&put(&world, "x", change).await, pointer);
    }
    let object = world.object("x").await;
    assert_eq!(object["said_entity"], Value::Null, "{object}");
    let missing = put(&world, "nope", json!({ "ignored": true })).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND, "{missing}");
}

#[tokio::test]
async fn records_older_than_they_may_be_are_stale_in_the_list_and_in_the_view() {
    let world = World::new().await;
    world.upload("x.csv", "id,name\n7,One\n").await;
    let change = json!({ "entity": "account", "key": ["id"], "accept": true,
        "freshness": { "max_age_minutes": 5 } });
    put(&world, "x", change).await;
    assert_eq!(world.object("x").await["stale"], false);
    let database = world.app.database().pool();
    sqlx::query("update runs set finished_at = finished_at - interval '6 minutes'")
        .execute(&database)
        .await
        .unwrap();
    assert_eq!(world.object("x").await["stale"], true);
    let view = world.get("/api/v1/dcl/views/accounts").await;
    let freshness = &view["meta"]["freshness"][0];
    assert_eq!(freshness["stale"], true, "{freshness}");
}

#[tokio::test]
async fn a_cursor_that_is_said_is_read_by_the_next_sync() {
    let sql = "create table people (id int primary key, name text, seen timestamptz);
        insert into people values (1, 'Ann', '2024-01-01'), (2, 'Bob', '2024-01-02');";
    let objects = json!([{ "table": "people" }]);
    let (app, source, ann, connection) = set_up_postgres_source(sql, objects).await;
    let world = World {
        app,
        ann,
        connection,
    };
    sync(&world.app, &world.ann, &world.connection, json!({})).await;
    let said = put(&world, "public.people", json!({ "cursor": "seen" })).await;
    assert_eq!(said.status, StatusCode::OK, "{said}");
    let path = format!("/api/v1/aam/connections/{}", world.connection);
    let config = world.get(&path).await["connector_config"].clone();
    assert_eq!(config["objects"][0]["cursor"], "seen", "{config}");
    sync(&world.app, &world.ann, &world.connection, json!({})).await;
    source
        .run("insert into people values (3, 'Cid', '2024-01-03')")
        .await;
    let done = sync(&world.app, &world.ann, &world.connection, json!({})).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(world.object("public.people").await["records"], 3);
    let wrong = put(&world, "public.people", json!({ "cursor": "nope" })).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
}

#[tokio::test]
async fn what_an_upload_says_is_remembered_and_what_it_cannot_say_is_refused() {
    let world = World::new().await;
    let form = |field: &str, value: &str| {
        let files: [(&str, &[u8]); 1] = [("odd.csv", b"foo,bar\n1,a\n2,b\n")];
        let mut body = form_field(field, value);
        body.extend(multipart_form(&files));
        body
    };
    let sent = send_form(&world.app, &world.ann, form("entity", "contact")).await;
    let file = sent.json()["files"][0].clone();
    assert_eq!(file["entity"], Value::Null, "{file}");
    let proposal = world.get(file["proposal"].as_str().unwrap()).await;
    assert_eq!(proposal["entity"], "contact", "{proposal}");
    let refused = send_form(&world.app, &world.ann, form("colour", "red")).await;
    check_refused(&refused, "/colour");
    let detail = refused.json()["errors"][0]["detail"].to_string();
    assert!(detail.contains("entity, system, accept"), "{detail}");
}

#[tokio::test]
async fn events_of_an_unknown_system_or_kind_are_kept_and_mapped_when_somebody_says() {
    let world = World::new().await;
    let event = |kind: &str, data: Value| {
        json!({ "source": { "system": "zzz", "connection_id": world.connection },
            "entity": kind, "op": "upsert", "data": data })
    };
    let send = async |events: Value| {
        let answer = world.app.post("/api/v1/events", &world.ann, events).await;
        answer.json()
    };
    let events = json!([
        event("account", json!({ "Nr": "1", "Firma": "One" })),
        event("account", json!({ "Nr": "2", "Firma": "Two" })),
        event("Lead", json!({ "Nr": "1" })),
    ]);
    let answer = send(events.clone()).await;
    assert_eq!(
        (&answer["accepted"], &answer["quarantined"]),
        (&json!(3), &json!(0)),
        "{answer}"
    );
    assert_eq!(send(events).await["unchanged"], 3);
    let object = world.object("zzz.account").await;
    assert_eq!(
        (&object["state"], &object["records"]),
        (&json!("unmapped"), &json!(2)),
        "{object}"
    );
    assert_eq!(world.object("zzz.Lead").await["state"], "unmapped");
    let accept = format!("{}/accept", object["proposal"].as_str().unwrap());
    let said = json!({ "entity": "account", "key": ["Nr"], "fields": { "name": "Firma" } });
    world.post(&accept, said).await;
    assert_eq!(world.accounts().await, pairs(&[("1", "One"), ("2", "Two")]));
    let later = event("account", json!({ "Nr": "2", "Firma": "Zwei" }));
    assert_eq!(send(later).await["accepted"], 1);
    assert_eq!(
        world.accounts().await,
        pairs(&[("1", "One"), ("2", "Zwei")])
    );

    // One that has the canonical names needs no mapping of its own.
    let speaks = json!({ "source": { "system": "own", "connection_id": world.connection },
        "entity": "account", "op": "upsert",
        "data": { "account_id": "9", "name": "Nine" } });
    assert_eq!(send(speaks).await["accepted"], 1);
    assert_eq!(world.object("own.account").await["state"], "mapped");
    let wrong = send(json!([event("le/ad", json!({})), event("Lead", json!({}))])).await;
    assert_eq!(wrong["rejected"], 1, "{wrong}");
}

#[tokio::test]
async fn a_file_is_looked_at_before_it_is_uploaded() {
    let world = World::new().await;
    let path = "/api/v1/dcl/mappings/preview";
    let preview = async |name: &str, content: &[u8], field: &str| {
        let mut body = match field {
            "" => Vec::new(),
            _ => form_field(field, "account"),
        };
        body.extend(multipart_form(&[(name, content)]));
        let (app, ann) = (&world.app, Some(&world.ann));
        app.send(Method::POST, path, ann, Body::from(body), &[MULTIPART])
            .await
    };
    let csv = b"Record ID;Company name\n1;M\xfcller AG\n2;Brot GmbH\n";
    let json = br#"[{"Record ID":"1","Company name":"A"},{"Record ID":"2","Company name":"B"}]"#;
    let lines = b"{\"Record ID\":\"1\",\"Company name\":\"A\"}\n{\"Record ID\":\"2\",\"Company name\":\"B\"}\n";
    for (name, content) in [
        ("crm 2024-01-01.csv", csv.as_slice()),
        ("crm.json", json.as_slice()),
        ("crm.ndjson", lines.as_slice()),
    ] {
        let proposal = preview(name, content, "entity").await;
        assert_eq!(proposal.status, StatusCode::OK, "{name}: {proposal}");
        let proposal = proposal.json();
        assert_eq!(
            (&proposal["object"], &proposal["records_sampled"]),
            (&json!("crm"), &json!(2)),
            "{name}: {proposal}"
        );
        assert_eq!(proposal["entity"], "account", "{name}");
        assert_eq!(proposal["keys"][0]["fields"], json!(["Record ID"]));
        assert_eq!(proposal["questions"], json!([]), "{name}: {proposal}");
    }
    for (name, content, field, pointer) in [
        ("a.csv", csv.as_slice(), "colour", "/colour"),
        ("a.xlsx", csv.as_slice(), "", "/file"),
        ("a.json", csv.as_slice(), "", "/file"),
        ("a.csv", b"PK\x03\x04".as_slice(), "", "/file"),
        ("a.csv", b"a,b\n".as_slice(), "", "/file"),
    ] {
        check_refused(&preview(name, content, field).await, pointer);
    }
    let path = format!("/api/v1/aam/connections/{}/objects", world.connection);
    assert_eq!(world.get(&path).await["total"], 0);
}
