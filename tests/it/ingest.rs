//! Batches of records against a real database, two at a time and broken off.

use std::sync::Arc;

use aam::db::Connection;
use aam::db::runs::RunKind;
use aam::ingest::{Item, Op, Outcome, Passage, Run, Stream};
use chrono::Utc;
use mapping::Plan;
use platform::db;
use platform::secrets::Secrets;
use proptest::prelude::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proptest::{bool, collection, option};
use schema::source::ObjectRef;
use schema::{ConnectionId, TenantId, entity};
use serde_json::json;
use tests::app::{TestApp, secrets};
use tests::fixtures::connections::connect_filesource;
use tests::fixtures::database::wait_for_blocked_backend;
use tests::postgres::{TestDatabase, database};
use uuid::Uuid;

struct World {
    stream: Stream,
    pool: db::Pool,
    _database: TestDatabase,
}

impl World {
    async fn new() -> World {
        let database = database().await;
        let mapping = mapping::shipped::identity("account").unwrap();
        World {
            stream: Stream {
                tenant: TenantId(Uuid::now_v7()),
                object: object(ConnectionId(Uuid::now_v7()), "crm"),
                plan: Arc::new(Plan::compile(mapping).unwrap()),
                mapping_version: 1,
            },
            pool: db::Pool::new(database.options().into(), 5)
                .with_proofs(Secrets::fixed(secrets().into())),
            _database: database,
        }
    }

    async fn count(&self, table: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(sql)
            .fetch_one(self.pool.inner())
            .await
            .unwrap()
    }
}

fn object(connection: ConnectionId, system: &str) -> ObjectRef {
    ObjectRef::of_entity(connection, system, entity::find("account").unwrap())
}

fn payload(id: usize, day: u8) -> String {
    format!(r#"{{"account_id":"{id:04}","name":"{day}","updated_at":"2026-02-{day:02}"}}"#)
}

async fn ingest(conn: &mut Connection, stream: &Stream, payloads: &[String]) -> Vec<Outcome> {
    ingest_as(RunKind::Events, conn, stream, payloads).await
}

async fn ingest_as(
    kind: RunKind,
    conn: &mut Connection,
    stream: &Stream,
    payloads: &[String],
) -> Vec<Outcome> {
    let item = |it: &'_ String| -> (Vec<u8>,) { (it.clone().into_bytes(),) };
    let bytes: Vec<_> = payloads.iter().map(item).collect();
    let items: Vec<_> = bytes
        .iter()
        .map(|it| Item {
            payload: &it.0,
            line: None,
            occurred_at: None,
            origin: None,
            op: Op::Upsert,
            source_id: None,
            source_key: None,
        })
        .collect();
    let mut passage = Passage::new(stream.clone(), Run::new(kind, Utc::now()));
    passage.write(conn, &items, Utc::now()).await.unwrap()
}

#[tokio::test]
async fn two_batches_in_opposite_order_do_not_wait_for_each_other_and_the_newest_wins() {
    let world = World::new().await;
    let tenant = world.stream.tenant;
    let older: Vec<_> = (0..300).map(|it| payload(it, 1)).collect();
    let newer: Vec<_> = (0..300).rev().map(|it| payload(it, 2)).collect();
    let run = async |payloads: &[String]| {
        for _ in 0..5 {
            let mut tx = db::begin(&world.pool, tenant).await.unwrap();
            ingest(&mut tx, &world.stream, payloads).await;
            tx.commit().await.unwrap();
        }
    };
    tokio::join!(run(&older), run(&newer), run(&older), run(&newer));
    assert_eq!(world.count("accounts where name = '2'").await, 300);
    assert_eq!(
        world
            .count("raw_records where payload like '%\"2\"%'")
            .await,
        300
    );
}

#[tokio::test]
async fn an_older_batch_that_waited_for_a_newer_one_is_stale() {
    let world = World::new().await;
    let (pool, tenant) = (&world.pool, world.stream.tenant);
    let mut first = db::begin(pool, tenant).await.unwrap();
    ingest(&mut first, &world.stream, &[payload(1, 2)]).await;
    let late = async {
        let mut second = db::begin(pool, tenant).await.unwrap();
        // It knows nothing of the first one, and blocks on its row.
        let outcomes = ingest(&mut second, &world.stream, &[payload(1, 1), payload(2, 1)]).await;
        second.commit().await.unwrap();
        outcomes
    };
    let commit = async {
        wait_for_blocked_backend(pool.inner()).await;
        first.commit().await.unwrap();
    };
    let (outcomes, ()) = tokio::join!(late, commit);
    assert_eq!(outcomes, [Outcome::Stale, Outcome::Accepted]);
    assert_eq!(world.count("accounts where name = '2'").await, 1);
    assert_eq!(world.count("accounts").await, 2);
}

#[tokio::test]
async fn a_batch_that_breaks_off_leaves_nothing_and_may_come_again() {
    let world = World::new().await;
    let payloads: Vec<_> = (0..100).map(|it| payload(it, 1)).collect();
    let mut tx = db::begin(&world.pool, world.stream.tenant).await.unwrap();
    ingest(&mut tx, &world.stream, &payloads).await;
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    sqlx::query("select pg_terminate_backend($1, 10000)")
        .bind(backend)
        .execute(world.pool.inner())
        .await
        .unwrap();
    assert!(tx.commit().await.is_err());
    for table in ["raw_records", "accounts", "quarantined_records"] {
        assert_eq!(world.count(table).await, 0, "{table}");
    }

    let mut tx = db::begin(&world.pool, world.stream.tenant).await.unwrap();
    let outcomes = ingest(&mut tx, &world.stream, &payloads).await;
    tx.commit().await.unwrap();
    assert!(outcomes.iter().all(|it| *it == Outcome::Accepted));
    assert_eq!(world.count("accounts").await, 100);
}

#[tokio::test]
async fn what_comes_during_a_replay_is_not_overwritten_by_what_came_before() {
    let world = World::new().await;
    let tenant = world.stream.tenant;
    let item = |payload: &'static str, origin| Item {
        payload: payload.as_bytes(),
        line: None,
        occurred_at: None,
        origin,
        op: Op::Upsert,
        source_id: None,
        source_key: None,
    };
    let earlier = Run::new(RunKind::Upload, Utc::now()).id;
    let mut uploading = db::begin(&world.pool, tenant).await.unwrap();
    let new = r#"{"account_id":"1","name":"new"}"#.to_owned();
    ingest_as(RunKind::Upload, &mut uploading, &world.stream, &[new]).await;
    let replay = async {
        let old = item(r#"{"account_id":"1","name":"old"}"#, Some(earlier));
        let mut tx = db::begin(&world.pool, tenant).await.unwrap();
        let run = Run::new(RunKind::Replay, Utc::now());
        let mut passage = Passage::new(world.stream.clone(), run);
        let outcomes = passage.write(&mut tx, &[old], Utc::now()).await.unwrap();
        tx.commit().await.unwrap();
        outcomes
    };
    let upload = async {
        // The replay has seen nothing under the id, and waits for who writes it.
        wait_for_blocked_backend(world.pool.inner()).await;
        uploading.commit().await.unwrap();
    };
    let (outcomes, ()) = tokio::join!(replay, upload);
    assert_eq!(outcomes, [Outcome::Stale]);
    let stored: String = sqlx::query_scalar("select name from accounts")
        .fetch_one(world.pool.inner())
        .await
        .unwrap();
    assert_eq!(stored, "new");
}

#[tokio::test]
async fn a_batch_for_another_tenant_is_refused_by_the_database() {
    let world = World::new().await;
    let other = TenantId(Uuid::now_v7());
    let mut tx = db::begin(&world.pool, other).await.unwrap();
    let payload = payload(1, 1);
    let item = Item {
        payload: payload.as_bytes(),
        line: None,
        occurred_at: None,
        origin: None,
        op: Op::Upsert,
        source_id: None,
        source_key: None,
    };
    let run = Run::new(RunKind::Events, Utc::now());
    let mut passage = Passage::new(world.stream.clone(), run);
    let error = passage.write(&mut tx, &[item], Utc::now()).await;
    let error = error.unwrap_err();
    assert!(error.to_string().contains("row-level security"), "{error}");
}

#[tokio::test]
async fn the_same_ids_of_two_tenants_are_two_records() {
    let world = World::new().await;
    for tenant in [world.stream.tenant, TenantId(Uuid::now_v7())] {
        let stream = Stream {
            tenant,
            ..world.stream.clone()
        };
        let mut tx = db::begin(&world.pool, tenant).await.unwrap();
        let outcomes = ingest(&mut tx, &stream, &[payload(1, 1)]).await;
        tx.commit().await.unwrap();
        assert_eq!(outcomes, [Outcome::Accepted]);
    }
    assert_eq!(world.count("accounts").await, 2);
}

/// A record as `id=day`, or as `id!day` where it cannot be mapped; the day may be missing.
fn word(word: &str) -> String {
    let (at, fault) = word
        .find('=')
        .map_or_else(|| (word.find('!').unwrap(), true), |it| (it, false));
    let (id, day) = (&word[..at], &word[at + 1..]);
    let name = if fault { "null" } else { "\"n\"" };
    let version = match day {
        "" => String::new(),
        day => format!(r#","updated_at":"2026-02-{day}""#),
    };
    format!(r#"{{"account_id":"{id}","name":{name}{version}}}"#)
}

#[tokio::test]
async fn a_corrected_record_leaves_the_quarantine() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let connection = connect_filesource(&app, &ann, json!({})).await;
    let world = World::new().await;
    // Batches in the order of their coming, and what is in quarantine then.
    for (case, (batches, left)) in [
        ("7! / 7=", ""),
        ("7! / 8=", "7!"),
        ("7! 8! / 7= 9= 8=", ""),
        ("7!02 / 7=02", ""),
        ("7!02 / 7=03", ""),
        ("7!02 / 7=01", "7!02"),
        ("7!02 / 7=", ""),
        ("7! / 7=02", ""),
        ("7!01 7!03 / 7=02", "7!03"),
        // Within one batch the order counts as well.
        ("7! 7=", ""),
        ("7= 7!", "7!"),
        ("7! / 7= 7!", "7!"),
        ("7! 7= 7!01", "7!01"),
        // Stored already, and older than what is stored: nothing is written.
        ("7=02 / 7!03 / 7=02", "7!03"),
        ("7=02 / 7!01 / 7=01", "7!01"),
        // A replay gives each its own turn.
        ("7! / replay 7=", "7!"),
    ]
    .into_iter()
    .enumerate()
    {
        let stream = Stream {
            tenant: ann.tenant,
            object: object(connection.parse().unwrap(), &format!("case{case}")),
            ..world.stream.clone()
        };
        for batch in batches.split(" / ") {
            let (kind, records) = match batch.strip_prefix("replay ") {
                Some(records) => (RunKind::Replay, records),
                None => (RunKind::Events, batch),
            };
            let records: Vec<_> = records.split(' ').map(word).collect();
            let mut tx = db::begin(&app.platform.db, ann.tenant).await.unwrap();
            ingest_as(kind, &mut tx, &stream, &records).await;
            tx.commit().await.unwrap();
        }
        let sql = "select payload from quarantined_records where object = $1";
        let kept: Vec<String> = sqlx::query_scalar(sql)
            .bind(&stream.object.name)
            .fetch_all(&app.database().pool())
            .await
            .unwrap();
        let expected: Vec<_> = left.split_whitespace().map(word).collect();
        assert_eq!(kept, expected, "{batches}");
    }
}

/// The stream under another version of the mapping, which takes no record of these tests.
fn stricter(stream: &Stream, mapping_version: i32) -> Stream {
    let mut mapping = mapping::shipped::identity("account").unwrap().clone();
    for field in &mut mapping.fields {
        if field.target == "name" {
            field.sources = vec!["label".to_owned()];
        }
    }
    Stream {
        plan: Arc::new(Plan::compile(&mapping).unwrap()),
        mapping_version,
        ..stream.clone()
    }
}

#[tokio::test]
async fn what_is_stored_to_the_letter_is_not_read_but_in_a_replay_or_by_another_mapping() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let connection = connect_filesource(&app, &ann, json!({})).await;
    let stream = Stream {
        tenant: ann.tenant,
        object: object(connection.parse().unwrap(), "crm"),
        ..World::new().await.stream
    };
    let mut tx = db::begin(&app.platform.db, ann.tenant).await.unwrap();
    ingest(&mut tx, &stream, &[payload(1, 1)]).await;
    for (kind, mapping_version, is_read) in [
        (RunKind::Events, 1, false),
        (RunKind::Upload, 1, false),
        (RunKind::Sync, 1, false),
        (RunKind::Replay, 1, true),
        (RunKind::Events, 2, true),
    ] {
        let stricter = stricter(&stream, mapping_version);
        let outcomes = ingest_as(kind, &mut tx, &stricter, &[payload(1, 1)]).await;
        let was_read = matches!(outcomes.as_slice(), [Outcome::Quarantined { .. }]);
        assert_eq!(
            was_read, is_read,
            "{kind:?} {mapping_version}: {outcomes:?}"
        );
        assert!(is_read || outcomes == [Outcome::Unchanged], "{outcomes:?}");
    }
}

/// An item of these: id, content, day, whether it is a delete.
type Given = (u8, u8, Option<u8>, bool);

async fn write(
    conn: &mut Connection,
    (stream, kind): (&Stream, RunKind),
    batch: &[Given],
) -> Vec<Outcome> {
    let text = |(id, content, ..): &Given| {
        // The second of the contents has a version of its own.
        let version = match content {
            1 => r#","updated_at":"2026-02-02""#,
            _ => "",
        };
        format!(r#"{{"account_id":"{id}","name":"{content}"{version}}}"#)
    };
    let texts: Vec<_> = batch.iter().map(text).collect();
    let items: Vec<_> = batch
        .iter()
        .zip(&texts)
        .map(|((.., day, is_delete), text)| Item {
            payload: text.as_bytes(),
            line: None,
            occurred_at: day.map(|it| format!("2026-02-{it:02}T00:00:00Z").parse().unwrap()),
            origin: None,
            op: if *is_delete { Op::Delete } else { Op::Upsert },
            source_id: None,
            source_key: None,
        })
        .collect();
    let mut passage = Passage::new(stream.clone(), Run::new(kind, Utc::now()));
    passage.write(conn, &items, Utc::now()).await.unwrap()
}

#[tokio::test]
async fn items_come_to_the_same_whether_they_are_recognised_or_read() {
    let world = World::new().await;
    let item = (0..3_u8, 0..3_u8, option::of(1..4_u8), bool::weighted(0.2));
    let batches = collection::vec(collection::vec(item, 1..6), 1..5);
    let mut runner = TestRunner::deterministic();
    for case in 0..100 {
        let batches = batches.new_tree(&mut runner).unwrap().current();
        let mut tx = db::begin(&world.pool, world.stream.tenant).await.unwrap();
        let mut seen = vec![];
        // A replay reads everything.
        for kind in [RunKind::Events, RunKind::Replay] {
            let object = object(ConnectionId(Uuid::now_v7()), "crm");
            let connection = object.connection;
            let stream = Stream {
                object,
                ..world.stream.clone()
            };
            let mut outcomes = vec![];
            for batch in &batches {
                outcomes.push(write(&mut tx, (&stream, kind), batch).await);
            }
            let sql = "select r.source_id || ' ' || r.payload || ' ' || r.deleted || ' '
                  || coalesce(r.source_version::text, '') || ' ' || coalesce(a.name, '')
                from raw_records r
                left join accounts a using (tenant_id, connection_id, object, source_id)
                where r.connection_id = $1
                order by 1";
            let stored: Vec<String> = sqlx::query_scalar(sql)
                .bind(connection)
                .fetch_all(&mut *tx)
                .await
                .unwrap();
            seen.push((outcomes, stored));
        }
        tx.rollback().await.unwrap();
        assert_eq!(seen[0], seen[1], "case {case}: {batches:?}");
    }
}
