//! A connector that nobody has seen before: pages by token, deletes told by the source itself, a
//! token that changes at each sign-in. The engine syncs it as it syncs PostgreSQL.

use std::sync::Arc;

use aam::db::{Connection, runs, sync_positions};
use aam::ingest::Stream;
use aam::sync::{ObjectSync, Phase};
use chrono::{DateTime, Utc};
use platform::db;
use schema::source::ObjectRef;
use schema::{ConnectionId, EgressPolicy, entity};
use serde_json::json;
use sources::redact::{Secrets, redact};
use sources::{Batch, ConnectContext, Connector, HeldSecrets, ReadScope, Session, SourceErrorKind};
use tests::app::{Person, TestApp};
use tests::fixtures::connections::{connect_filesource, latest_run};
use tests::fixtures::database::account_names;
use tests::fixtures::toy_source::{Toy, ToySession};

/// What is synced, and where to.
struct World {
    app: TestApp,
    ann: Person,
    connection: String,
    object: ObjectRef,
}

impl World {
    async fn new() -> World {
        let app = TestApp::start().await;
        let ann = app.register("Ann Ltd").await;
        let connection = connect_filesource(&app, &ann, json!({})).await;
        let object = ObjectRef {
            connection: connection.parse::<ConnectionId>().unwrap(),
            name: "things".to_owned(),
            system: "toy".to_owned(),
            entity: entity::find("account").unwrap().into(),
        };
        World {
            app,
            ann,
            connection,
            object,
        }
    }

    async fn begin(&self) -> db::Transaction {
        let pool = &self.app.platform.db;
        db::begin(pool, self.ann.tenant).await.unwrap()
    }

    async fn open(&self, conn: &mut Connection, now: DateTime<Utc>) -> Stream {
        let opened = Stream::open(conn, self.ann.tenant, &self.object, now);
        opened.await.unwrap()
    }

    /// Syncs to the end, incrementally, and says how many batches that took.
    async fn sync(&self, session: &mut dyn Session) -> usize {
        let now = platform::now();
        let mut tx = self.begin().await;
        let stream = self.open(&mut tx, now).await;
        let checkpoint = sync_positions::find(&mut tx, stream.tenant, self.object.key());
        let checkpoint = checkpoint.await.unwrap();
        let mut sync = ObjectSync::new("things".to_owned(), checkpoint, false, now);
        let key = self.object.key();
        runs::insert(&mut tx, stream.tenant, key, &sync.run())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut batches = 0;
        while *sync.phase() != Phase::Done {
            let batch = session.read("things", sync.read_state()).await.unwrap();
            sync.check_batch(&batch).unwrap();
            let mut tx = self.begin().await;
            let pending = sync.list_claims(&mut tx, &stream, &batch).await.unwrap();
            tx.commit().await.unwrap();
            let finds_deletions = session.lookup().is_some();
            let fetched = match pending.settle(batch, finds_deletions) {
                Ok(fetched) => fetched,
                Err(contested) => sync.resolve_claims(session, *contested).await.unwrap(),
            };
            let mut tx = self.begin().await;
            sync.write(&mut tx, &stream, fetched, now).await.unwrap();
            tx.commit().await.unwrap();
            batches += 1;
        }
        batches
    }
}

fn context(secrets: Arc<HeldSecrets>) -> ConnectContext {
    ConnectContext {
        config: json!({}),
        egress: EgressPolicy::Any,
        secrets,
    }
}

#[tokio::test]
async fn the_engine_syncs_what_is_no_database() {
    let (world, toy) = (World::new().await, Toy::default());
    for (id, name) in [("1", "One"), ("2", "Two"), ("3", "Three")] {
        toy.log(id, Some(name));
    }
    let mut session = ToySession(toy.clone());
    assert_eq!(world.sync(&mut session).await, 2);
    assert_eq!(account_names(&world.app).await, ["One", "Two", "Three"]);

    // What was told by deletes is gone, also where it is made again in the same batch.
    toy.log("2", None);
    toy.log("3", Some("III"));
    toy.log("1", None);
    toy.log("1", Some("I"));
    assert_eq!(world.sync(&mut session).await, 2);
    assert_eq!(account_names(&world.app).await, ["I", "III"]);
    let run = latest_run(&world.app, &world.ann, &world.connection).await;
    assert_eq!(run["cursor"], "entry 7", "{run}");

    // Nothing happened: nothing is read again.
    assert_eq!(world.sync(&mut session).await, 1);
    let run = latest_run(&world.app, &world.ann, &world.connection).await;
    assert_eq!(
        (&run["rows_read"], &run["status"]),
        (&json!(0), &json!("success")),
        "{run}"
    );
}

#[test]
fn a_read_that_stands_still_is_ended() {
    let state = json!({ "page": 1 });
    let sync = ObjectSync::new("things".to_owned(), Some(state), false, platform::now());
    let check = |page: u64, exhausted: bool, goes_on: bool| {
        let batch = Batch {
            records: vec![],
            key_shape: String::new(),
            scope: ReadScope::Changes,
            state: json!({ "page": page }),
            exhausted,
            checkpoint: None,
            warnings: vec![],
            incomplete: None,
        };
        assert_eq!(
            sync.check_batch(&batch).is_ok(),
            goes_on,
            "{page} {exhausted}"
        );
    };
    check(2, false, true);
    check(1, true, true);
    check(1, false, false);
}

#[tokio::test]
async fn a_token_that_changes_at_each_sign_in_is_kept() {
    let toy = Toy::default();
    let mut config = json!({ "token": 0 });
    let held = Arc::new(HeldSecrets::new(redact(&mut config, toy.secrets())));
    for _ in 0..3 {
        let session = toy.connect(context(held.clone())).await;
        session.map(drop).unwrap();
    }
    assert_eq!(
        held.take(),
        Secrets::from([("/token".to_owned(), json!(3))])
    );
    let old = Arc::new(HeldSecrets::new(Secrets::from([(
        "/token".to_owned(),
        json!(2),
    )])));
    let refused = toy.connect(context(old)).await.err().unwrap();
    assert_eq!(refused.kind, SourceErrorKind::Auth);
}
