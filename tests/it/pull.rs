//! Pulling from a PostgreSQL: what comes over a connection, and what does not.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::fixtures::connections::{CONNECTIONS, latest_run, list_quarantine, list_runs};
use tests::fixtures::database::account_names;
use tests::fixtures::jobs::{end_leases, finish_job, task_path};
use tests::fixtures::json::pick;
use tests::fixtures::postgres_source::{
    ACCOUNTS_TABLE, accounts_object, set_up_postgres_source, sync,
};

/// What became of the rows: read, written, unchanged, deleted, quarantined.
#[track_caller]
fn check(done: &Value, counts: [u64; 5]) {
    assert_eq!(done["status"], "success", "{done}");
    let names = [
        "rows_read",
        "written",
        "unchanged",
        "deleted",
        "quarantined",
    ];
    let found = names.map(|it| done["result"][it].as_u64().unwrap());
    assert_eq!(found, counts, "{names:?}");
}

#[tokio::test]
async fn a_first_sync_brings_every_row_into_the_view() {
    let (app, _source, person, id) =
        set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    let done = sync(&app, &person, &id, json!({})).await;
    check(&done, [1200, 1200, 0, 0, 0]);

    let view = "/api/v1/dcl/views/accounts?limit=1&sort=account_id";
    let view = app.get(view, &person).await.json();
    assert_eq!(pick(&view, "meta/total data/0/name"), "1200 Account 1");
    let runs = list_runs(&app, &person, &id).await;
    assert_eq!(runs["total"], 1);
    let run = &runs["runs"][0];
    assert_eq!(
        pick(run, "kind status object cursor"),
        "sync success public.accounts 2026-02-20 00:00:00+00"
    );
    assert!(run["bytes"].as_i64().unwrap() > 1200 * 80, "{run}");
}

#[tokio::test]
async fn an_incremental_sync_reads_what_changed_however_many_share_a_time() {
    let (app, source, person, id) = set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    sync(&app, &person, &id, json!({})).await;
    // More rows of one time than a page has.
    source
        .run("update accounts set name = name || '!', updated_at = '2026-06-01' where account_id <= '0700'")
        .await;
    let done = sync(&app, &person, &id, json!({})).await;
    // The last row of before is looked at again.
    check(&done, [701, 700, 1, 0, 0]);
    let names = account_names(&app).await;
    assert_eq!(
        (names[0].as_str(), names[699].as_str()),
        ("Account 1!", "Account 700!")
    );
    assert_eq!((names[700].as_str(), names.len()), ("Account 701", 1200));

    // A transaction that was late with its commit.
    source
        .run("update accounts set name = 'Late', updated_at = '2026-05-31 23:57' where account_id = '1000'")
        .await;
    let done = sync(&app, &person, &id, json!({ "mode": "incremental" })).await;
    check(&done, [701, 1, 700, 0, 0]);
    check(
        &sync(&app, &person, &id, json!({ "mode": "full" })).await,
        [1200, 0, 1200, 0, 0],
    );
}

#[tokio::test]
async fn a_full_sync_deletes_what_is_gone() {
    let (app, source, person, id) = set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    sync(&app, &person, &id, json!({})).await;
    source
        .run("delete from accounts where account_id > '0003' and account_id < '1100'")
        .await;
    check(&sync(&app, &person, &id, json!({})).await, [1, 0, 1, 0, 0]);
    let full = json!({ "mode": "full", "confirm_deletes": true });
    let done = sync(&app, &person, &id, full).await;
    check(&done, [1200, 0, 104, 1096, 0]);
    assert_eq!(account_names(&app).await.len(), 104);
    // It comes back as it was.
    source
        .run(
            "insert into accounts values ('0500', 'Account 500', 'Rockets', '2026-01-21 20:00+00')",
        )
        .await;
    let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    check(&done, [105, 1, 104, 0, 0]);
}

#[tokio::test]
async fn the_column_id_is_the_id_of_a_record() {
    let table = "create table accounts (id integer primary key, name text);
        insert into accounts values (7, 'Seven'), (8, 'Eight')";
    let (app, source, person, id) = set_up_postgres_source(table, accounts_object()).await;
    check(&sync(&app, &person, &id, json!({})).await, [2, 2, 0, 0, 0]);
    assert_eq!(account_names(&app).await, ["Seven", "Eight"]);
    source.run("delete from accounts where id = 8").await;
    sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(account_names(&app).await, ["Seven"]);
}

#[tokio::test]
async fn a_killed_worker_loses_and_doubles_nothing() {
    let (app, source, person, id) = set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    source
        .run("insert into accounts select 'x' || n, 'X', null, null from generate_series(1, 800) n")
        .await;
    let answer = app
        .post(
            &format!("{CONNECTIONS}/{id}/sync"),
            &person,
            json!({ "mode": "full" }),
        )
        .await;
    let task = task_path(&answer);
    // Wherever the worker is when so many rows have come; the search for deleted ones comes later.
    for rows in [0, 1, 501, 1001, 1501, 2000] {
        // Dropping the future between two of its steps is what a kill is to both databases.
        tokio::select! {
            over = aam_connect::worker::step(&app.platform) => panic!("it was over: {over:?}"),
            () = arrive(&app, rows) => {}
        }
        end_leases(&app).await;
        // As if it had come forward in between: how often it is tried is another test.
        sqlx::query("update jobs set attempts = 0")
            .execute(&app.database().pool())
            .await
            .unwrap();
    }
    while aam_connect::worker::step(&app.platform).await.unwrap() {}

    let done = app.get(&task, &person).await.json();
    check(&done, [2000, 2000, 0, 0, 0]);
    assert_eq!(account_names(&app).await.len(), 2000);
    let runs = list_runs(&app, &person, &id).await;
    assert_eq!(pick(&runs, "total runs/0/written"), "1 2000");
}

/// Waits until so many rows were stored.
async fn arrive(app: &TestApp, rows: i64) {
    let pool = app.database().pool();
    let mut conn = pool.acquire().await.unwrap();
    let count = async |conn: &mut sqlx::PgConnection| -> i64 {
        let count = sqlx::query_scalar("select count(*) from raw_records");
        count.fetch_one(conn).await.unwrap()
    };
    while count(&mut conn).await < rows {}
}

#[tokio::test]
async fn a_row_that_does_not_fit_is_quarantined_alone() {
    let (app, source, person, id) = set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    source
        .run("update accounts set name = null where account_id in ('0002', '0900')")
        .await;
    check(
        &sync(&app, &person, &id, json!({})).await,
        [1200, 1198, 0, 0, 2],
    );
    let quarantined = list_quarantine(&app, &person, &id).await;
    let fields: Vec<_> = quarantined.iter().map(|it| &it["field"]).collect();
    assert_eq!(fields, ["name", "name"]);
    source
        .run(
            "update accounts set name = 'Two', updated_at = '2026-07-01' where account_id = '0002'",
        )
        .await;
    check(&sync(&app, &person, &id, json!({})).await, [2, 1, 1, 0, 0]);
}

#[tokio::test]
async fn any_table_or_view_with_a_key_can_be_read() {
    let tables = r#"
        create schema "Sales ""EU""";
        create table "Sales ""EU"""."Deals; --" (
          "Region" text, opportunity_id bigint, name text, amount numeric(12, 2), "Rev'n" bigint,
          primary key ("Region", opportunity_id));
        insert into "Sales ""EU"""."Deals; --"
        select 'r' || n % 3, n, 'Deal ' || n, n / 4.0, n from generate_series(1, 1100) n;
        grant usage on schema "Sales ""EU""" to source_reader;
        grant select on all tables in schema "Sales ""EU""" to source_reader;
        create domain email as text;
        create table people (id uuid default gen_random_uuid(), mail email, raw json);
        insert into people (mail, raw) values
          ('a@example.com', '{"a": "\u0000", "b":  1}'), ('b@example.com', null);
        create view contacts as select mail contact_id, mail email, 'A' || id last_name from people;
    "#;
    let objects = json!([
        { "table": "Sales \"EU\".Deals; --", "entity": "opportunity", "cursor": "Rev'n" },
        { "table": "contacts", "entity": "contact", "key": ["contact_id"] },
    ]);
    let (app, source, person, id) = set_up_postgres_source(tables, objects).await;
    check(
        &sync(&app, &person, &id, json!({})).await,
        [1102, 1102, 0, 0, 0],
    );
    let view = "/api/v1/dcl/views/opportunities?opportunity_id=1001";
    let view = app.get(view, &person).await.json();
    assert_eq!(pick(&view, "data/0/name data/0/amount"), "Deal 1001 250.25");

    // A number's look-back is a thousand; the view has no cursor, so all of it is read.
    source
        .run(r#"insert into "Sales ""EU"""."Deals; --" values ('r', 7000, 'New', 1, 3000)"#)
        .await;
    source
        .run("delete from people where mail = 'b@example.com'")
        .await;
    check(
        &sync(&app, &person, &id, json!({})).await,
        [1004, 1, 1002, 1, 0],
    );
    let one = json!({ "objects": ["contacts"] });
    check(&sync(&app, &person, &id, one).await, [1, 0, 1, 0, 0]);
}

#[tokio::test]
async fn a_page_is_bounded_by_bytes_too() {
    let table = "
        create table accounts (account_id int primary key, name text, notes text);
        insert into accounts select n, 'A', repeat('x', 1500000) from generate_series(1, 9) n;
        insert into accounts select n, 'A', repeat('x', 5000000) from generate_series(4, 14, 10) n
          on conflict (account_id) do update set notes = excluded.notes;
    ";
    let (app, _source, person, id) = set_up_postgres_source(table, accounts_object()).await;
    check(&sync(&app, &person, &id, json!({})).await, [10, 8, 0, 0, 2]);
    let quarantined = list_quarantine(&app, &person, &id).await;
    let mut found: Vec<_> = quarantined
        .iter()
        .map(|it| pick(it, "payload reason"))
        .collect();
    found.sort_unstable();
    let expected = [
        r#"{"account_id":"14"} the row has more than 4 MiB"#,
        r#"{"account_id":"4"} the row has more than 4 MiB"#,
    ];
    assert_eq!(found, expected);
    let run = latest_run(&app, &person, &id).await;
    assert!(run["bytes"].as_i64().unwrap() > 8 * 1_500_000, "{run}");
}

#[tokio::test]
async fn a_column_that_is_renamed_at_the_source_is_drift() {
    let (app, source, person, id) = set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    let discover = format!("{CONNECTIONS}/{id}/discover");
    let answer = app.post(&discover, &person, json!({})).await;
    let done = finish_job(&app, &person, answer).await;
    assert_eq!(
        done["result"],
        json!({ "objects": 1, "drifts": [] }),
        "{done}"
    );
    let schemas = app
        .get(&format!("{CONNECTIONS}/{id}/schemas"), &person)
        .await
        .json();
    let fields = schemas.pointer("/schemas/0/schema/fields").unwrap();
    let key = json!({ "types": ["text"], "nullable": false, "key": true });
    assert_eq!(fields["account_id"], key, "{fields}");
    let time = json!({ "types": ["timestamp"], "nullable": true });
    assert_eq!(fields["updated_at"], time, "{fields}");

    source
        .run("alter table accounts rename column name to title")
        .await;
    let answer = app
        .post(
            &discover,
            &person,
            json!({ "objects": ["public.accounts"] }),
        )
        .await;
    let done = finish_job(&app, &person, answer).await;
    let drift = done["result"]["drifts"][0].as_str().unwrap();
    let drift = app
        .get(&format!("/api/v1/aam/drift/{drift}"), &person)
        .await
        .json();
    let text = drift.to_string();
    let changes = drift
        .pointer("/changes")
        .or(drift.pointer("/drift_event/changes"));
    let changes = changes
        .unwrap_or_else(|| panic!("{text}"))
        .as_array()
        .unwrap();
    let kinds: Vec<_> = changes
        .iter()
        .map(|it| (&it["kind"], &it["path"]))
        .collect();
    assert_eq!(
        kinds,
        [
            (&json!("removed"), &json!("name")),
            (&json!("added"), &json!("title"))
        ]
    );

    // The same again is no other drift, and rows that cannot be mapped wait in quarantine.
    let answer = app.post(&discover, &person, json!({})).await;
    let done = finish_job(&app, &person, answer).await;
    assert_eq!(done["result"]["drifts"], json!([]));
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(done["status"], "failed", "{done}");
    let counts = "progress/counts/rows_read progress/counts/quarantined";
    assert_eq!(pick(&done, counts), "1200 1200");
}

#[tokio::test]
async fn a_source_that_is_down_is_tried_again_and_given_up_with_a_reason() {
    let (app, mut source, person, id) =
        set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    source.go_down();
    let answer = app
        .post(&format!("{CONNECTIONS}/{id}/sync"), &person, json!({}))
        .await;
    let task = task_path(&answer);
    for attempt in 1..=3 {
        assert_eq!(
            app.get(&task, &person).await.json()["attempts"],
            attempt - 1
        );
        assert!(aam_connect::worker::step(&app.platform).await.unwrap());
        assert!(
            !aam_connect::worker::step(&app.platform).await.unwrap(),
            "it rests"
        );
        let waiting = app.get(&task, &person).await.json();
        assert!(
            waiting["error"]
                .as_str()
                .unwrap()
                .contains("cannot be reached"),
            "{waiting}"
        );
        end_leases(&app).await;
    }
    let failed = app.get(&task, &person).await.json();
    let error = failed["error"].as_str().unwrap();
    assert!(
        error.starts_with(
            "given up after 3 attempts: network: the server `localhost` cannot be reached"
        ),
        "{error}"
    );
    let one = app
        .get(&format!("{CONNECTIONS}/{id}"), &person)
        .await
        .json();
    assert_eq!(one["status"], "FAILED");
    let health = app
        .post(
            &format!("{CONNECTIONS}/{id}/health-check"),
            &person,
            json!({}),
        )
        .await
        .json();
    let said = [
        &health["status"],
        &health["error_class"],
        &health["connection_status"],
    ];
    assert_eq!(
        said,
        [&json!("down"), &json!("network"), &json!("FAILED")],
        "{health}"
    );
}

#[tokio::test]
async fn an_object_that_cannot_be_read_does_not_keep_the_others_back() {
    let tables = format!(
        "{ACCOUNTS_TABLE} create table contacts as select 'c' contact_id; alter table contacts add primary key (contact_id);"
    );
    let objects = json!([{ "table": "contacts", "entity": "contact" }, { "table": "accounts", "entity": "account" }]);
    let (app, source, person, id) = set_up_postgres_source(&tables, objects).await;
    source.run("drop table contacts").await;
    let failed = sync(&app, &person, &id, json!({})).await;
    assert_eq!(
        (&failed["status"], &failed["error"]),
        (
            &json!("failed"),
            &json!("schema: the database has no table or view `public.contacts`")
        )
    );
    assert_eq!(account_names(&app).await.len(), 1200);
    let one = app
        .get(&format!("{CONNECTIONS}/{id}"), &person)
        .await
        .json();
    assert_eq!(one["status"], "HEALING");
    source.run("create table contacts (contact_id text primary key); grant select on contacts to source_reader").await;
    check(&sync(&app, &person, &id, json!({})).await, [1, 0, 1, 0, 0]);
    let one = app
        .get(&format!("{CONNECTIONS}/{id}"), &person)
        .await
        .json();
    assert_eq!(one["status"], "ACTIVE");
}

#[tokio::test]
async fn a_connection_has_one_sync_at_a_time() {
    let (app, _source, person, id) =
        set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    let path = format!("{CONNECTIONS}/{id}/sync");
    let first = app.post(&path, &person, json!({})).await;
    let second = app.post(&path, &person, json!({ "mode": "full" })).await;
    assert_eq!(second.status, StatusCode::CONFLICT, "{second}");
    let other = app
        .post(&format!("{CONNECTIONS}/{id}/discover"), &person, json!({}))
        .await;
    assert_eq!(other.status, StatusCode::ACCEPTED, "{other}");
    check(
        &finish_job(&app, &person, first).await,
        [1200, 1200, 0, 0, 0],
    );
    assert_eq!(
        app.post(&path, &person, json!({})).await.status,
        StatusCode::ACCEPTED
    );

    let table = [
        (json!({ "objects": ["orders"] }), "/objects/0"),
        (json!({ "mode": "all" }), "/mode"),
        (json!({ "tables": [] }), "/tables"),
    ];
    for (body, pointer) in table {
        let answer = app.post(&path, &person, body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{answer}");
    }
}

#[tokio::test]
async fn a_sync_of_another_tenant_or_of_a_deleted_connection_brings_nothing() {
    let (app, _source, person, id) =
        set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    let other = app.register("Other Ltd").await;
    for route in ["sync", "discover", "health-check"] {
        let answer = app
            .post(&format!("{CONNECTIONS}/{id}/{route}"), &other, json!({}))
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{route}: {answer}");
    }
    let answer = app
        .post(&format!("{CONNECTIONS}/{id}/sync"), &person, json!({}))
        .await;
    app.delete(&format!("{CONNECTIONS}/{id}"), &person).await;
    let failed = finish_job(&app, &person, answer).await;
    assert_eq!(failed["error"], "the connection was deleted", "{failed}");
    assert!(account_names(&app).await.is_empty());
}
