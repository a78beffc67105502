//! The queue between tenants: whoever has the fewest running comes first, and nobody has too many.

use std::collections::HashMap;
use std::time::Duration;

use platform::db::queue;
use platform::queue::JobRef;
use schema::{JobId, TenantId};
use tests::fixtures::queue::{JOBS_PER_TENANT, LEASE, TestQueue};

const AT_ONCE: Duration = Duration::ZERO;

#[tokio::test]
async fn one_job_is_taken_before_the_many_of_another_tenant() {
    // However many workers are busy with them.
    for busy in 1..=usize::from(JOBS_PER_TENANT) {
        let queue = TestQueue::new(2).await;
        for _ in 0..60 {
            queue.add(0, None).await;
        }
        for _ in 0..busy {
            assert_eq!(queue.take_tenant().await, Some(0));
        }
        queue.add(1, None).await;
        assert_eq!(
            queue.take_tenant().await,
            Some(1),
            "{busy} workers are busy"
        );
    }
}

#[tokio::test]
async fn one_worker_serves_the_tenants_in_turn() {
    let queue = TestQueue::new(3).await;
    for _ in 0..20 {
        queue.add(0, None).await;
    }
    for number in [1, 1, 2, 2] {
        queue.add(number, None).await;
    }
    let mut served = Vec::new();
    for _ in 0..8 {
        let held = queue.take().await.unwrap();
        let tenant = held.job_ref.tenant;
        served.push(queue.people.iter().position(|it| it.tenant == tenant));
        queue.finish(held).await;
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
    let queue = TestQueue::new(2).await;
    for _ in 0..30 {
        queue.add(0, None).await;
    }
    for _ in 0..2 {
        queue.add(1, None).await;
    }
    let platform = &queue.app.platform;
    let takes = (0..24).map(|_| {
        let platform = platform.clone();
        tokio::spawn(async move {
            queue::take(&platform.db, JOBS_PER_TENANT, LEASE)
                .await
                .unwrap()
        })
    });
    let takes: Vec<_> = takes.collect();
    let mut held = Vec::new();
    for take in takes {
        held.extend(take.await.unwrap());
    }
    while let Some(more) = queue.take().await {
        held.push(more);
    }
    let mut jobs: HashMap<TenantId, Vec<JobId>> = HashMap::new();
    for held in &held {
        jobs.entry(held.job_ref.tenant)
            .or_default()
            .push(held.job_ref.job);
    }
    assert_eq!(jobs[&queue.tenant(0)].len(), 5);
    assert_eq!(jobs[&queue.tenant(1)].len(), 2);

    // The end of one is the beginning of another; a rest makes room as well.
    let mut held = held
        .into_iter()
        .filter(|it| it.job_ref.tenant == queue.tenant(0));
    queue.finish(held.next().unwrap()).await;
    assert_eq!(queue.take_tenant().await, Some(0));
    assert_eq!(queue.take_tenant().await, None);
    queue.requeue(held.next().unwrap(), LEASE).await;
    assert_eq!(queue.take_tenant().await, Some(0));
    assert_eq!(queue.take_tenant().await, None);
}

#[tokio::test]
async fn a_dead_worker_s_job_is_taken_over_and_its_lease_is_worth_nothing() {
    let queue = TestQueue::new(1).await;
    for _ in 0..7 {
        queue.add(0, None).await;
    }
    let dead = queue.take().await.unwrap();
    for _ in 1..JOBS_PER_TENANT {
        queue.take().await.unwrap();
    }
    assert_eq!(queue.take().await, None);
    queue.end_lease(dead).await;
    // In the place that it had, though all are taken.
    let heir = queue.take().await.unwrap();
    assert_eq!(heir.job_ref, dead.job_ref);
    assert_eq!(queue.take().await, None);

    let db = &queue.app.platform.db;
    assert!(!queue::renew_lease(db, dead, LEASE).await.unwrap());
    queue.requeue(dead, AT_ONCE).await;
    queue.finish(dead).await;
    assert_eq!(queue.take().await, None);
    assert!(queue::renew_lease(db, heir, LEASE).await.unwrap());
    queue.finish(heir).await;
    assert!(queue.take().await.is_some());
}

#[tokio::test]
async fn jobs_that_exclude_each_other_run_one_by_one_and_hold_up_no_other() {
    let queue = TestQueue::new(1).await;
    let first = queue.add(0, Some("replay:1")).await;
    let second = queue.add(0, Some("replay:1")).await;
    let other = queue.add(0, Some("replay:2")).await;
    let free = queue.add(0, None).await;
    let one = queue.take().await.unwrap();
    assert_eq!(one.job_ref.job, first);
    let (two, three) = (queue.take().await.unwrap(), queue.take().await.unwrap());
    assert_eq!([two.job_ref.job, three.job_ref.job], [other, free]);
    assert_eq!(queue.take().await, None);
    queue.end_lease(one).await;
    let heir = queue.take().await.unwrap();
    assert_eq!(heir.job_ref.job, first);
    assert_eq!(queue.take().await, None);
    queue.finish(heir).await;
    assert_eq!(queue.take().await.unwrap().job_ref.job, second);
}

#[tokio::test]
async fn an_interactive_job_is_taken_before_a_hundred_scheduled_ones_of_its_tenant() {
    let queue = TestQueue::new(1).await;
    for _ in 0..100 {
        queue.add_patient(0, None, Duration::from_secs(600)).await;
    }
    let asked = queue.add(0, None).await;
    assert_eq!(queue.take().await.unwrap().job_ref.job, asked);
    // Their patience ends.
    let late = queue.add(0, None).await;
    queue.execute(
        "update job_queue set start_by = start_by - interval '11 minutes' where patience > '0 s'",
    )
    .await;
    assert_ne!(queue.take().await.unwrap().job_ref.job, late);
}

#[tokio::test]
async fn lost_notifications_of_one_tenant_leave_room_for_those_of_another() {
    let queue = TestQueue::new(2).await;
    for _ in 0..20 {
        queue.add(0, None).await;
    }
    let lost = queue.add(1, None).await;
    queue
        .execute("update job_queue set announced_at = now() - interval '6 minutes'")
        .await;
    let db = &queue.app.platform.db;
    let found = queue::claim_stalled(db, JOBS_PER_TENANT, 1000)
        .await
        .unwrap();
    let of_lost = JobRef {
        tenant: queue.tenant(1),
        job: lost,
    };
    assert!(found.contains(&of_lost), "{found:?}");
    assert_eq!(found.len(), 6);
    let found = queue::claim_stalled(db, JOBS_PER_TENANT, 1000)
        .await
        .unwrap();
    assert_eq!(found.len(), 5, "the next ones");
}

#[tokio::test]
async fn a_long_queue_of_one_tenant_costs_the_others_nothing() {
    let queue = TestQueue::new(2).await;
    let tenant = queue.tenant(0);
    queue
        .execute(&format!(
            "with made as (
          insert into jobs (tenant_id, id, kind, payload)
          select '{tenant}', gen_random_uuid(), 'x', '{{}}' from generate_series(1, 20000)
          returning tenant_id, id)
        insert into job_queue (tenant_id, job_id) select tenant_id, id from made"
        ))
        .await;
    queue.execute("analyze job_queue").await;
    for _ in 0..JOBS_PER_TENANT {
        assert_eq!(queue.take_tenant().await, Some(0));
    }
    queue.add(1, None).await;
    assert_eq!(queue.take_tenant().await, Some(1));
    assert_eq!(queue.take_tenant().await, None);
    // Read so many of its rows, and it would be felt with each take of each worker.
    let read = "select (idx_tup_read - $1)::int8 from (
        select sum(idx_tup_read) idx_tup_read from pg_stat_all_indexes
        where relname = 'job_queue') s";
    let mut conn = queue.pool.acquire().await.unwrap();
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
        .execute(&queue.pool)
        .await
        .unwrap();
    let read = measure(before).await;
    assert!(read < 500, "{read} entries of 20,000 were read");
}
