//! The queue against a model of it, over random sequences of what happens to jobs.

use std::collections::HashMap;
use std::time::Duration;

use platform::db::queue::{self, LeasedJob};
use platform::queue::JobRef;
use schema::JobId;
use tests::fixtures::queue::{JOBS_PER_TENANT, LEASE, TestQueue};

const STEPS: usize = 250;
const TENANTS: usize = 3;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// What the queue should hold.
#[derive(Default)]
struct Model {
    /// The tenant of each job that is not over, and what it excludes.
    open: HashMap<JobId, (usize, Option<usize>)>,
    running: Vec<LeasedJob>,
    /// Their workers are dead.
    dead: Vec<LeasedJob>,
}

impl Model {
    /// What may be taken, by the rules and not by the queue: the fewest running come first.
    fn may_take(&self) -> Option<usize> {
        let count = |held: &[LeasedJob], tenant| {
            let of = held
                .iter()
                .filter(|it| self.open[&it.job_ref.job].0 == tenant);
            of.count()
        };
        (0..TENANTS)
            .filter(|&tenant| {
                let dead = count(&self.dead, tenant);
                let full = count(&self.running, tenant) + dead == usize::from(JOBS_PER_TENANT);
                0 < dead || !full && self.open.keys().any(|it| self.is_free(*it, tenant))
            })
            .map(|tenant| count(&self.running, tenant))
            .min()
    }

    fn is_free(&self, job: JobId, tenant: usize) -> bool {
        let held = || {
            self.running
                .iter()
                .chain(&self.dead)
                .map(|it| it.job_ref.job)
        };
        let (owner, exclusive) = self.open[&job];
        let excluded = held().any(|it| {
            let other = self.open[&it];
            exclusive.is_some() && other == (owner, exclusive)
        });
        owner == tenant && !excluded && held().all(|it| it != job)
    }
}

async fn take(queue: &TestQueue, model: &mut Model) -> bool {
    let fewest = model.may_take();
    let Some(held) = queue.take().await else {
        assert_eq!(fewest, None, "a job may be taken, and none was");
        return false;
    };
    let (tenant, _) = model.open[&held.job_ref.job];
    assert_eq!(queue.tenant(tenant), held.job_ref.tenant);
    let running = |it: &&LeasedJob| model.open[&it.job_ref.job].0 == tenant;
    let running = model.running.iter().filter(running).count();
    assert_eq!(Some(running), fewest, "another tenant had fewer running");
    let dead = model.dead.iter().position(|it| it.job_ref == held.job_ref);
    match dead {
        Some(dead) => drop(model.dead.swap_remove(dead)),
        None => assert!(model.is_free(held.job_ref.job, tenant), "it was not free"),
    }
    assert!(running < usize::from(JOBS_PER_TENANT));
    model.running.push(held);
    true
}

/// Somebody cancels one of the jobs: it ends now unless a worker has it.
async fn cancel(queue: &TestQueue, model: &mut Model, number: usize) {
    let mut jobs: Vec<_> = model.open.keys().copied().collect();
    jobs.sort_unstable_by_key(|it| it.0);
    if jobs.is_empty() {
        return;
    }
    let job = jobs[number % jobs.len()];
    let tenant = queue.tenant(model.open[&job].0);
    let job_ref = JobRef { tenant, job };
    let db = &queue.app.platform.db;
    let taken = queue::take_to_end(db, job_ref, LEASE).await.unwrap();
    let runs = model.running.iter().any(|it| it.job_ref == job_ref);
    assert_eq!(taken.is_none(), runs);
    if let Some(held) = taken {
        queue.finish(held).await;
        model.dead.retain(|it| it.job_ref != job_ref);
        model.open.remove(&job);
    }
}

async fn happen(queue: &TestQueue, model: &mut Model, numbers: &mut Numbers) {
    let any = |held: &mut Vec<LeasedJob>, number: usize| {
        (!held.is_empty()).then(|| held.swap_remove(number % held.len()))
    };
    let number = numbers.below(1000);
    match numbers.below(10) {
        0..=2 => {
            let (tenant, exclusive) =
                (number % TENANTS, [None, None, Some(1), Some(2)][number % 4]);
            let key = exclusive.map(|it| format!("replay:{it}"));
            let job = queue.add(tenant, key.as_deref()).await;
            model.open.insert(job, (tenant, exclusive));
        }
        3..=5 => drop(take(queue, model).await),
        6 => {
            if let Some(held) = any(&mut model.running, number) {
                queue.finish(held).await;
                model.open.remove(&held.job_ref.job);
            }
        }
        7 => {
            if let Some(held) = any(&mut model.running, number) {
                queue.requeue(held, Duration::ZERO).await;
            }
        }
        8 => {
            if let Some(held) = any(&mut model.running, number) {
                queue.end_lease(held).await;
                model.dead.push(held);
            }
        }
        _ => cancel(queue, model, number).await,
    }
}

#[tokio::test]
async fn whatever_happens_the_rules_hold_and_no_job_is_lost() {
    for seed in 1..=3 {
        let queue = TestQueue::new(TENANTS).await;
        let (mut model, mut numbers) = (Model::default(), Numbers(seed));
        for _ in 0..STEPS {
            happen(&queue, &mut model, &mut numbers).await;
        }
        // Once nothing more comes, each one's turn does.
        while !model.open.is_empty() {
            while take(&queue, &mut model).await {}
            assert!(
                !model.running.is_empty(),
                "{} wait for ever",
                model.open.len()
            );
            for held in std::mem::take(&mut model.running) {
                queue.finish(held).await;
                model.open.remove(&held.job_ref.job);
            }
        }
        assert_eq!(queue.take().await, None);
    }
}
