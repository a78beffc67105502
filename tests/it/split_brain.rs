//! Two workers that both believe to have the same job, at every interleaving of their steps.

use aam::db::runs;
use aam::ingest::Stream;
use aam::sync::{Fetched, ObjectSync, Phase};
use platform::db;
use platform::db::queue::LeasedJob;
use platform::jobs::{Fence, LeasedTransaction, begin_leased};
use schema::source::ObjectRef;
use schema::{ConnectionId, JobId, TenantId, entity};
use serde_json::{Value, json};
use sources::Session;
use sqlx::PgPool;
use tests::fixtures::connections::insert_connection;
use tests::fixtures::queue::TestQueue;
use tests::fixtures::toy_source::{Toy, ToySession};

/// How many steps of each worker are interleaved in every way.
const STEPS: u32 = 5;

/// One job and what it syncs.
struct Race<'a> {
    queue: &'a TestQueue,
    object: ObjectRef,
    job: JobId,
    source: ToySession,
}

/// A worker between two of its steps.
#[derive(Default)]
enum Worker {
    /// It has no lease, or does not know any more what is stored.
    #[default]
    Idle,
    /// It has read what is stored.
    Leased(LeasedJob, Box<ObjectSync>),
    /// The source has answered.
    Fetched(LeasedJob, Box<ObjectSync>, Fetched),
    /// What it answered is written, and not committed.
    Written(Box<LeasedTransaction>, Box<ObjectSync>),
    /// The job is over.
    Finished,
}

impl Race<'_> {
    fn tenant(&self) -> TenantId {
        self.queue.tenant(0)
    }

    async fn begin(&self) -> db::Transaction {
        let pool = &self.queue.app.platform.db;
        db::begin(pool, self.tenant()).await.unwrap()
    }

    /// The worker's next step.
    async fn step(&mut self, worker: Worker) -> Worker {
        match worker {
            Worker::Idle => self.take().await,
            Worker::Leased(leased, sync) => self.fetch(leased, sync).await,
            Worker::Fetched(leased, sync, fetched) => self.write(leased, sync, fetched).await,
            Worker::Written(tx, sync) => self.commit(tx, &sync).await,
            Worker::Finished => Worker::Finished,
        }
    }

    /// Takes the job over, as if whoever has it had been silent for longer than a lease.
    async fn take(&self) -> Worker {
        let job = self.job;
        self.queue
            .execute(&format!(
                "update job_queue set visible_at = now() where job_id = '{job}'"
            ))
            .await;
        let leased = self.queue.take().await.unwrap();
        let mut tx = self.begin().await;
        let stored = db::jobs::find(&mut tx, self.tenant(), job).await.unwrap();
        tx.commit().await.unwrap();
        let progress = stored.unwrap().progress.unwrap();
        let sync: ObjectSync = serde_json::from_value(progress).unwrap();
        match sync.phase() {
            Phase::Done => Worker::Finished,
            _ => Worker::Leased(leased, Box::new(sync)),
        }
    }

    async fn fetch(&mut self, leased: LeasedJob, sync: Box<ObjectSync>) -> Worker {
        let batch = self.source.read("things", sync.read_state()).await.unwrap();
        let mut tx = self.begin().await;
        let stream = self.open(&mut tx).await;
        let pending = sync.list_claims(&mut tx, &stream, &batch).await.unwrap();
        tx.commit().await.unwrap();
        let finds_deletions = self.source.lookup().is_some();
        let fetched = match pending.settle(batch, finds_deletions) {
            Ok(fetched) => fetched,
            Err(contested) => {
                let resolved = sync.resolve_claims(&mut self.source, *contested).await;
                resolved.unwrap()
            }
        };
        Worker::Fetched(leased, sync, fetched)
    }

    async fn write(
        &self,
        leased: LeasedJob,
        mut sync: Box<ObjectSync>,
        fetched: Fetched,
    ) -> Worker {
        let fence = begin_leased(&self.queue.app.platform.db, leased).await;
        let Fence::Held(mut tx) = fence.unwrap() else {
            return Worker::Idle;
        };
        let stream = self.open(&mut tx).await;
        let now = platform::now();
        sync.write(&mut tx, &stream, fetched, now).await.unwrap();
        let progress = serde_json::to_value(&sync).unwrap();
        db::jobs::advance(&mut tx, self.tenant(), self.job, &progress, now)
            .await
            .unwrap();
        Worker::Written(Box::new(tx), sync)
    }

    async fn commit(&self, tx: Box<LeasedTransaction>, sync: &ObjectSync) -> Worker {
        let committed = tx.commit().await.unwrap();
        match (committed, sync.phase()) {
            (true, Phase::Done) => Worker::Finished,
            _ => Worker::Idle,
        }
    }

    async fn open(&self, conn: &mut db::Connection) -> Stream {
        let opened = Stream::open(conn, self.tenant(), &self.object, platform::now());
        opened.await.unwrap()
    }

    /// Both workers by that schedule, then the first one to the end.
    async fn run(&mut self, schedule: u32) {
        let mut workers = [Worker::Idle, Worker::Idle];
        for bit in 0..2 * STEPS {
            let mut turn = usize::from(schedule & (1 << bit) != 0);
            let writes = matches!(workers[turn], Worker::Fetched(..));
            if writes && matches!(workers[1 - turn], Worker::Written(..)) {
                // It would wait for the other's rows: so the other one comes first.
                turn = 1 - turn;
            }
            workers[turn] = self.step(std::mem::take(&mut workers[turn])).await;
        }
        let [mut first, second] = workers;
        drop(second);
        while !matches!(first, Worker::Finished) {
            first = self.step(first).await;
        }
    }
}

/// A job of a connection of its own, whose source has five records on three pages.
async fn prepare<'a>(queue: &'a TestQueue, pool: &PgPool, schedule: u32) -> Race<'a> {
    let name = format!("Schedule {schedule}");
    let connection = insert_connection(pool, &queue.people[0], &name).await;
    let toy = Toy::default();
    for id in 1..=5 {
        toy.log(&id.to_string(), Some(&format!("Record {id}")));
    }
    let race = Race {
        queue,
        object: ObjectRef {
            connection: ConnectionId(connection),
            name: "things".to_owned(),
            system: "toy".to_owned(),
            entity: entity::find("account").unwrap().into(),
        },
        job: queue.add(0, None).await,
        source: ToySession(toy),
    };
    let now = platform::now();
    let mut tx = race.begin().await;
    race.open(&mut tx).await;
    let sync = ObjectSync::new("things".to_owned(), None, false, now);
    let tenant = race.tenant();
    runs::insert(&mut tx, tenant, race.object.key(), &sync.run())
        .await
        .unwrap();
    db::jobs::start(&mut tx, tenant, race.job, now)
        .await
        .unwrap();
    let progress = serde_json::to_value(&sync).unwrap();
    db::jobs::advance(&mut tx, tenant, race.job, &progress, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    race
}

/// What the only run says, and how many records are stored.
async fn result(race: &Race<'_>, pool: &PgPool) -> Value {
    let (status, rows_read, written): (String, i64, i64) =
        sqlx::query_as("select status, rows_read, written from runs where connection_id = $1")
            .bind(race.object.connection)
            .fetch_one(pool)
            .await
            .unwrap();
    let stored: (i64, i64) = sqlx::query_as(
        r#"
        select count(*), count(distinct account_id)
        from accounts
        where connection_id = $1
        "#,
    )
    .bind(race.object.connection)
    .fetch_one(pool)
    .await
    .unwrap();
    json!([status, rows_read, written, stored.0, stored.1])
}

#[tokio::test]
async fn two_workers_with_one_job_store_each_record_once() {
    let queue = TestQueue::new(1).await;
    let pool = queue.pool.clone();
    let schedules = (0u32..1 << (2 * STEPS)).filter(|it| it.count_ones() == STEPS);
    let mut tried = 0;
    for schedule in schedules {
        let mut race = prepare(&queue, &pool, schedule).await;
        race.run(schedule).await;
        let result = result(&race, &pool).await;
        assert_eq!(
            result,
            json!(["success", 5, 5, 5, 5]),
            "schedule {schedule:010b}"
        );
        let leased = race.queue.take().await;
        if let Some(leased) = leased {
            queue.finish(leased).await;
        } else {
            queue
                .execute(&format!(
                    "delete from job_queue where job_id = '{}'",
                    race.job
                ))
                .await;
        }
        tried += 1;
    }
    assert_eq!(tried, 252);
}
