//! With which mapping an object's records are read: the current one, compiled once.

use std::sync::Arc;

use aam::db::Connection;
use aam::db::mappings::{self, NewMapping};
use aam::ingest::{OpenError, Stream};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use mapping::shipped;
use platform::db;
use schema::mapping::Mapping;
use schema::source::ObjectRef;
use schema::{ConnectionId, entity};
use serde_json::json;
use tests::app::{Person, TestApp};
use tests::fixtures::connections::connect_filesource;

struct World {
    app: TestApp,
    ann: Person,
    object: ObjectRef,
    now: DateTime<Utc>,
}

impl World {
    async fn new() -> World {
        let app = TestApp::start().await;
        let ann = app.register("Ann Ltd").await;
        let connection = connect_filesource(&app, &ann, json!({})).await;
        let connection: ConnectionId = connection.parse().unwrap();
        World {
            object: ObjectRef::of_entity(connection, "hubspot", entity::find("contact").unwrap()),
            app,
            ann,
            now: Utc::now().trunc_subsecs(6),
        }
    }

    async fn begin(&self) -> db::Transaction {
        let tenant = self.ann.tenant;
        db::begin(&self.app.platform.db, tenant).await.unwrap()
    }

    async fn open(&self, conn: &mut Connection) -> Result<Stream, OpenError> {
        Stream::open(conn, self.ann.tenant, &self.object, self.now).await
    }

    /// Opens the stream in a transaction of its own.
    async fn stream(&self) -> Stream {
        let mut tx = self.begin().await;
        let stream = self.open(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        stream
    }

    async fn add(&self, conn: &mut Connection, version: i32, mapping: &Mapping, second: i64) {
        let new = NewMapping {
            version,
            mapping,
            author: "test",
            reason: "test",
            now: self.now + TimeDelta::seconds(second),
        };
        let key = self.object.key();
        let inserted = mappings::insert(conn, self.ann.tenant, key, &new).await;
        assert!(inserted.unwrap());
    }
}

#[tokio::test]
async fn the_first_stream_of_an_object_registers_it_with_the_mapping_of_its_system() {
    let world = World::new().await;
    let first = world.stream().await;
    let sql = "select object, system, entity, version, author from source_objects \
               join mappings using (tenant_id, connection_id, object)";
    let row: (String, String, String, i32, String) = sqlx::query_as(sql)
        .fetch_one(&world.app.database().pool())
        .await
        .unwrap();
    let expected = ("hubspot.contact", "hubspot", "contact", 1, "shipped");
    let (object, system, kind, version, author) = &row;
    assert_eq!(
        (&**object, &**system, &**kind, *version, &**author),
        expected
    );
    assert_eq!(first.mapping_version, 1);
    // What HubSpot calls a record's id, and the canonical names do not.
    let payload = r#"{"id":"7","properties":{}}"#;
    assert_eq!(first.plan.source_id(payload).unwrap(), "7");
}

#[tokio::test]
async fn a_mapping_is_compiled_once_and_a_new_one_is_seen_at_once() {
    let world = World::new().await;
    let (first, second) = (world.stream().await, world.stream().await);
    assert!(Arc::ptr_eq(&first.plan, &second.plan));

    let identity = shipped::identity("contact").unwrap();
    let mut tx = world.begin().await;
    world.add(&mut tx, 2, identity, 1).await;
    tx.commit().await.unwrap();
    let third = world.stream().await;
    assert_eq!(third.mapping_version, 2);
    assert!(!Arc::ptr_eq(&third.plan, &first.plan));
    assert!(Arc::ptr_eq(&third.plan, &world.stream().await.plan));
}

#[tokio::test]
async fn a_mapping_that_was_rolled_back_is_never_read_with() {
    let world = World::new().await;
    world.stream().await;
    let hubspot = shipped::find("hubspot", "contact").unwrap();
    let identity = shipped::identity("contact").unwrap();

    let mut tx = world.begin().await;
    world.add(&mut tx, 2, identity, 1).await;
    let void = world.open(&mut tx).await.unwrap();
    tx.rollback().await.unwrap();

    let mut tx = world.begin().await;
    world.add(&mut tx, 2, hubspot, 2).await;
    tx.commit().await.unwrap();
    let stream = world.stream().await;
    assert_eq!((void.mapping_version, stream.mapping_version), (2, 2));
    assert!(!Arc::ptr_eq(&stream.plan, &void.plan));
    let payload = r#"{"id":"7","properties":{}}"#;
    assert_eq!(stream.plan.source_id(payload).unwrap(), "7");
}

#[tokio::test]
async fn a_broken_mapping_is_named() {
    let world = World::new().await;
    world.stream().await;
    let broken = Mapping {
        entity: "contact".to_owned(),
        fields: vec![],
    };
    let mut tx = world.begin().await;
    world.add(&mut tx, 2, &broken, 1).await;
    let error = world.open(&mut tx).await.unwrap_err();
    let said = error.to_string();
    let start = "mapping 2 of hubspot.contact is invalid: ";
    assert!(said.starts_with(start), "{said}");
}
