//! The queue between tenants: whoever has the fewest running comes first, and nobody has too many.

use std::collections::HashMap;
use std::time::Duration;

use platform::db::{self, queue};
use platform::queue::JobRef;
use schema::{JobId, TenantId};
use sqlx::{AssertSqlSafe, PgPool};
use tests::app::{Person, TestApp};
use uuid::Uuid;

use queue::{LeasedJob, Order};

pub(crate) const LEASE: Duration = Duration::from_secs(60);
pub(crate) const CAP: u16 = 5;
const AT_ONCE: Duration = Duration::ZERO;

/// A platform with some tenants, and what the tests do to its queue.
pub(crate) struct Line {
    pub(crate) app: TestApp,
    pub(crate) people: Vec<Person>,
    pool: PgPool,
}

impl Line {
    pub(crate) async fn new(tenants: usize) -> Line {
        let app = TestApp::start().await;
        let mut people = Vec::new();
        for number in 0..tenants {
            people.push(app.register(&format!("Tenant {number}")).await);
        }
        let pool = app.database().pool();
        Line { app, people, pool }
    }

    pub(crate) fn tenant(&self, number: usize) -> TenantId {
        self.people[number].tenant
    }

    pub(crate) async fn add(&self, number: usize, exclusive: Option<&str>) -> JobId {
        self.add_patient(number, exclusive, AT_ONCE).await
    }

    async fn add_patient(
        &self,
        number: usize,
        exclusive: Option<&str>,
        patience: Duration,
    ) -> JobId {
        let (tenant, job) = (self.tenant(number), JobId(Uuid::now_v7()));
        let mut tx = db::begin(&self.app.platform.db, tenant).await.unwrap();
        sqlx::query("insert into jobs (tenant_id, id, kind, payload) values ($1, $2, 'x', '{}')")
            .bind(tenant)
            .bind(job)
            .execute(&mut *tx)
            .await
            .unwrap();
        let exclusive = exclusive.map(str::to_owned);
        let order = Order {
            exclusive,
            patience,
        };
        queue::insert(&mut tx, tenant, job, order).await.unwrap();
        tx.commit().await.unwrap();
        job
    }

    pub(crate) async fn take(&self) -> Option<LeasedJob> {
        let taken = queue::take(&self.app.platform.db, CAP, LEASE).await;
        taken.unwrap()
    }

    /// Takes a job, and says whose it is.
    async fn served(&self) -> Option<usize> {
        let held = self.take().await?;
        let tenant = held.job_ref.tenant;
        self.people.iter().position(|it| it.tenant == tenant)
    }

    pub(crate) async fn finish(&self, held: LeasedJob) {
        queue::delete(&self.app.platform.db, held).await.unwrap();
    }

    pub(crate) async fn put_back(&self, held: LeasedJob, rest: Duration) {
        let put = queue::requeue(&self.app.platform.db, held, rest).await;
        put.unwrap();
    }

    pub(crate) async fn execute(&self, sql: &str) {
        let statement = sqlx::query(AssertSqlSafe(sql.to_owned()));
        statement.execute(&self.pool).await.unwrap();
    }

    pub(crate) async fn end_lease(&self, held: LeasedJob) {
        let job = held.job_ref.job;
        self.execute(&format!(
            "update job_queue set visible_at = now() where job_id = '{job}'"
        ))
        .await;
    }
}

#[tokio::test]
async fn one_job_passes_the_many_of_another_tenant() {
    // However many workers are busy with them.
    for busy in 1..=usize::from(CAP) {
        let line = Line::new(2).await;
        for _ in 0..60 {
            line.add(0, None).await;
        }
        for _ in 0..busy {
            assert_eq!(line.served().await, Some(0));
        }
        line.add(1, None).await;
        assert_eq!(line.served().await, Some(1), "{busy} workers are busy");
    }
}

#[tokio::test]
async fn one_worker_serves_the_tenants_in_turn() {
    let line = Line::new(3).await;
    for _ in 0..20 {
        line.add(0, None).await;
    }
    for number in [1, 1, 2, 2] {
        line.add(number, None).await;
    }
    let mut served = Vec::new();
    for _ in 0..8 {
        let held = line.take().await.unwrap();
        let tenant = held.job_ref.tenant;
        served.push(line.people.iter().position(|it| it.tenant == tenant));
        line.finish(held).await;
    }
    let served: Vec<_> = served.into_iter().map(Option::unwrap).collect();
    for turn in served[..6].chunks(3) {
        let mut turn = turn.to_vec();
        turn.sort_unstable();
        assert_eq!(turn, [0, 1, 2], "{served:?}");
    }
    assert_eq!(served[6..], [0, 0]);
}

#[tokio::test]
async fn no_tenant_has_more_running_than_it_may_whoever_takes_at_once() {
    let line = Line::new(2).await;
    for _ in 0..30 {
        line.add(0, None).await;
    }
    for _ in 0..2 {
        line.add(1, None).await;
    }
    let platform = &line.app.platform;
    let takes = (0..24).map(|_| {
        let platform = platform.clone();
        tokio::spawn(async move { queue::take(&platform.db, CAP, LEASE).await.unwrap() })
    });
    let takes: Vec<_> = takes.collect();
    let mut held = Vec::new();
    for take in takes {
        held.extend(take.await.unwrap());
    }
    while let Some(more) = line.take().await {
        held.push(more);
    }
    let mut jobs: HashMap<TenantId, Vec<JobId>> = HashMap::new();
    for held in &held {
        jobs.entry(held.job_ref.tenant)
            .or_default()
            .push(held.job_ref.job);
    }
    assert_eq!(jobs[&line.tenant(0)].len(), 5);
    assert_eq!(jobs[&line.tenant(1)].len(), 2);

    // The end of one is the beginning of another; a rest makes room as well.
    let mut held = held
        .into_iter()
        .filter(|it| it.job_ref.tenant == line.tenant(0));
    line.finish(held.next().unwrap()).await;
    assert_eq!(line.served().await, Some(0));
    assert_eq!(line.served().await, None);
    line.put_back(held.next().unwrap(), LEASE).await;
    assert_eq!(line.served().await, Some(0));
    assert_eq!(line.served().await, None);
}

#[tokio::test]
async fn a_dead_worker_s_job_is_taken_over_and_its_lease_is_worth_nothing() {
    let line = Line::new(1).await;
    for _ in 0..7 {
        line.add(0, None).await;
    }
    let dead = line.take().await.unwrap();
    for _ in 1..CAP {
        line.take().await.unwrap();
    }
    assert_eq!(line.take().await, None);
    line.end_lease(dead).await;
    // In the place that it had, though all are taken.
    let heir = line.take().await.unwrap();
    assert_eq!(heir.job_ref, dead.job_ref);
    assert_eq!(line.take().await, None);

    let db = &line.app.platform.db;
    assert!(!queue::renew_lease(db, dead, LEASE).await.unwrap());
    line.put_back(dead, AT_ONCE).await;
    line.finish(dead).await;
    assert_eq!(line.take().await, None);
    assert!(queue::renew_lease(db, heir, LEASE).await.unwrap());
    line.finish(heir).await;
    assert!(line.take().await.is_some());
}

#[tokio::test]
async fn jobs_that_exclude_each_other_run_one_by_one_and_hold_up_no_other() {
    let line = Line::new(1).await;
    let first = line.add(0, Some("replay:1")).await;
    let second = line.add(0, Some("replay:1")).await;
    let other = line.add(0, Some("replay:2")).await;
    let free = line.add(0, None).await;
    let one = line.take().await.unwrap();
    assert_eq!(one.job_ref.job, first);
    let (two, three) = (line.take().await.unwrap(), line.take().await.unwrap());
    assert_eq!([two.job_ref.job, three.job_ref.job], [other, free]);
    assert_eq!(line.take().await, None);
    line.end_lease(one).await;
    let heir = line.take().await.unwrap();
    assert_eq!(heir.job_ref.job, first);
    assert_eq!(line.take().await, None);
    line.finish(heir).await;
    assert_eq!(line.take().await.unwrap().job_ref.job, second);
}

#[tokio::test]
async fn what_somebody_waits_for_passes_a_hundred_patient_jobs_of_the_same_tenant() {
    let line = Line::new(1).await;
    for _ in 0..100 {
        line.add_patient(0, None, Duration::from_secs(600)).await;
    }
    let asked = line.add(0, None).await;
    assert_eq!(line.take().await.unwrap().job_ref.job, asked);
    // Their patience ends.
    let late = line.add(0, None).await;
    line.execute(
        "update job_queue set start_by = start_by - interval '11 minutes' where patience > '0 s'",
    )
    .await;
    assert_ne!(line.take().await.unwrap().job_ref.job, late);
}

#[tokio::test]
async fn lost_wakes_of_one_tenant_leave_room_for_those_of_another() {
    let line = Line::new(2).await;
    for _ in 0..20 {
        line.add(0, None).await;
    }
    let lost = line.add(1, None).await;
    line.execute("update job_queue set announced_at = now() - interval '6 minutes'")
        .await;
    let db = &line.app.platform.db;
    let found = queue::claim_stalled(db, CAP, 1000).await.unwrap();
    let of_lost = JobRef {
        tenant: line.tenant(1),
        job: lost,
    };
    assert!(found.contains(&of_lost), "{found:?}");
    assert_eq!(found.len(), 6);
    let found = queue::claim_stalled(db, CAP, 1000).await.unwrap();
    assert_eq!(found.len(), 5, "the next ones");
}

#[tokio::test]
async fn a_long_queue_of_one_tenant_costs_the_others_nothing() {
    let line = Line::new(2).await;
    let tenant = line.tenant(0);
    line.execute(&format!(
        "with made as (
          insert into jobs (tenant_id, id, kind, payload)
          select '{tenant}', gen_random_uuid(), 'x', '{{}}' from generate_series(1, 20000)
          returning tenant_id, id)
        insert into job_queue (tenant_id, job_id) select tenant_id, id from made"
    ))
    .await;
    line.execute("analyze job_queue").await;
    for _ in 0..CAP {
        assert_eq!(line.served().await, Some(0));
    }
    line.add(1, None).await;
    assert_eq!(line.served().await, Some(1));
    assert_eq!(line.served().await, None);
    // Read so many of its rows, and it would be felt with each take of each worker.
    let read = "select (idx_tup_read - $1)::int8 from (
        select sum(idx_tup_read) idx_tup_read from pg_stat_all_indexes
        where relname = 'job_queue') s";
    let mut conn = line.pool.acquire().await.unwrap();
    let mut measure = async |before: i64| -> i64 {
        sqlx::query("select pg_stat_clear_snapshot(), pg_stat_force_next_flush()")
            .execute(&mut *conn)
            .await
            .unwrap();
        let read = sqlx::query_scalar(read).bind(before);
        read.fetch_one(&mut *conn).await.unwrap()
    };
    let before = measure(0).await;
    sqlx::query("select from next_jobs(6)")
        .execute(&line.pool)
        .await
        .unwrap();
    let read = measure(before).await;
    assert!(read < 500, "{read} entries of 20,000 were read");
}
