//! Ending a task: in each state that it may be in, and by whom.

use aam_connect::worker;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Answer, Person, TestApp};
use tests::fixtures::connections::{CONNECTIONS, connect_filesource, latest_run};
use tests::fixtures::database::{account_names, count, execute, wait_for_blocked_backend};
use tests::fixtures::files::upload_files;
use tests::fixtures::jobs::{EAGER, end_leases, task_path};
use tests::fixtures::mappings::insert_account_mapping;
use tests::fixtures::postgres_source::{
    ACCOUNTS_TABLE, accounts_object, set_up_postgres_source, sync,
};
use tests::fixtures::users::join;

/// A tenant with stored records of a file, and how many.
struct World {
    app: TestApp,
    person: Person,
    id: String,
}

impl World {
    async fn new(rows: usize) -> World {
        let app = TestApp::start().await;
        let person = app.register("Cancel Ltd").await;
        let id = connect_filesource(&app, &person, json!({})).await;
        store(&app, &person, rows).await;
        World { app, person, id }
    }

    /// Starts a replay, and says where it is told of.
    async fn replay(&self, body: Value) -> String {
        let path = format!("/api/v1/aam/connections/{}/replay", self.id);
        task_path(&self.app.post(&path, &self.person, body).await)
    }

    async fn task(&self, task: &str) -> Value {
        self.app.get(task, &self.person).await.json()
    }

    async fn cancel(&self, task: &str) -> Answer {
        self.app.delete(task, &self.person).await
    }

    async fn count(&self, sql: &'static str) -> i64 {
        count(&self.app, sql).await
    }

    async fn execute(&self, sql: &'static str) {
        execute(&self.app, sql).await;
    }

    async fn step(&self) -> bool {
        worker::step(&self.app.platform).await.unwrap()
    }

    /// The latest run.
    async fn run(&self) -> Value {
        latest_run(&self.app, &self.person, &self.id).await
    }
}

async fn store(app: &TestApp, person: &Person, rows: usize) {
    let rows: String = (0..rows).map(|it| format!("{it:05},old,new\n")).collect();
    let file = format!("account_id,name,title\n{rows}");
    upload_files(app, person, &[("accounts_crm.csv", file.as_bytes())]).await;
}

#[tokio::test]
async fn a_waiting_task_is_canceled_at_once_and_a_finished_one_cannot_be() {
    let world = World::new(3).await;
    let task = world.replay(json!({})).await;
    let canceled = world.cancel(&task).await;
    assert_eq!(canceled.status, StatusCode::OK, "{canceled}");
    assert_eq!(canceled.json()["status"], "canceled");
    assert_eq!(world.count("select count(*) from job_queue").await, 0);
    assert!(!world.step().await);
    assert_eq!(world.task(&task).await["status"], "canceled");

    let asked = "select count(*) from audit_log where action = 'job.cancel'";
    assert_eq!(world.count(asked).await, 1);

    let done = world.replay(json!({})).await;
    while world.step().await {}
    for over in [&task, &done] {
        let refused = world.cancel(over).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{refused}");
        assert!(refused.detail().contains("has finished"), "{refused}");
    }
    assert_eq!(world.task(&done).await["status"], "success");
    let verdict = "/api/v1/admin/audit/verify";
    let verdict = world.app.get(verdict, &world.person).await.json();
    assert_eq!(verdict["intact"], true, "{verdict}");
}

#[tokio::test]
async fn nobody_cancels_what_they_could_not_start() {
    let world = World::new(3).await;
    let other = world.app.register("Other Ltd").await;
    let viewer = join(&world.app, &world.person, "vic", "viewer").await;
    let member = join(&world.app, &world.person, "mel", "member").await;
    let task = world.replay(json!({})).await;
    for (who, status) in [
        (Some(&other), StatusCode::NOT_FOUND),
        (Some(&viewer), StatusCode::FORBIDDEN),
        (None, StatusCode::UNAUTHORIZED),
    ] {
        let answer = world.app.delete(&task, who).await;
        assert_eq!(answer.status, status, "{answer}");
        assert_eq!(world.task(&task).await["status"], "queued");
    }
    let unknown = "/api/v1/tasks/018f0000-0000-7000-8000-000000000000";
    assert_eq!(world.cancel(unknown).await.status, StatusCode::NOT_FOUND);
    let canceled = world.app.delete(&task, &member).await;
    assert_eq!(canceled.status, StatusCode::OK, "{canceled}");
}

#[tokio::test]
async fn a_running_task_ends_at_its_next_step_and_keeps_what_it_stored() {
    let world = World::new(2600).await;
    insert_account_mapping(&world.app, 2, "title").await;
    let task = world.replay(json!({})).await;
    let other = world.app.register("Other Ltd").await;
    connect_filesource(&world.app, &other, json!({})).await;
    store(&world.app, &other, 1).await;
    // Turns of one step: the first begins the object, the second brings some of its records.
    for _ in 0..2 {
        let held = worker::take(&world.app.platform).await.unwrap().unwrap();
        assert_eq!(held.job_ref.tenant, world.person.tenant);
        let path = "/api/v1/filesource/replay";
        let waits = task_path(&world.app.post(path, &other, json!({})).await);
        let turn = worker::run_within(&world.app.platform, held, EAGER);
        turn.await.unwrap();
        world.app.delete(&waits, &other).await;
    }
    let stored = "select count(*) from accounts where name = 'new'";
    let before = world.count(stored).await;
    assert!(0 < before && before < 2600, "{before}");
    // Between its turns nobody has it.
    let canceled = world.cancel(&task).await;
    assert_eq!(canceled.status, StatusCode::OK, "{canceled}");
    assert_eq!(canceled.json()["status"], "canceled", "{canceled}");
    assert!(!world.step().await);
    assert_eq!(world.count(stored).await, before);
    let run = world.run().await;
    assert_eq!(
        (&run["kind"], &run["status"], &run["written"]),
        (&json!("replay"), &json!("canceled"), &json!(before)),
        "{run}"
    );
    assert_ne!(run["finished_at"], Value::Null);
}

#[tokio::test]
async fn a_task_that_waits_for_its_source_is_canceled_at_the_next_heartbeat() {
    let (app, source, person, id) = set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    let path = format!("{CONNECTIONS}/{id}/sync");
    let task = task_path(&app.post(&path, &person, json!({})).await);
    let rows = async || account_names(&app).await.len();
    // Its first page comes, the next one does not.
    let held = tokio::select! {
        over = worker::step(&app.platform) => panic!("it was over: {over:?}"),
        held = async {
            while rows().await == 0 {}
            source.hold("accounts").await
        } => held,
    };
    // That worker is dead, and its session must not be taken for that of the next one.
    source.end_sessions().await;
    end_leases(&app).await;
    let platform = app.platform.clone();
    let running = tokio::spawn(async move { worker::step_within(&platform, EAGER).await });
    wait_for_blocked_backend(source.pool()).await;
    let (stored, asked) = (rows().await, app.delete(&task, &person).await);
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{asked}");
    assert_eq!(asked.json()["status"], "in_progress", "{asked}");
    // The source has not answered.
    assert!(running.await.unwrap().unwrap());
    let canceled = app.get(&task, &person).await.json();
    assert_eq!(canceled["status"], "canceled", "{canceled}");
    held.rollback().await.unwrap();

    // What came stays, the run says so, and the connection is none the worse for it.
    assert_eq!(rows().await, stored);
    let one = format!("{CONNECTIONS}/{id}");
    let run = latest_run(&app, &person, &id).await;
    assert_eq!(run["status"], "canceled", "{run}");
    let connection = app.get(&one, &person).await.json();
    assert_eq!(connection["status"], "ACTIVE", "{connection}");
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(rows().await, 1200);
}

#[tokio::test]
async fn a_task_between_attempts_or_of_a_dead_worker_is_canceled_at_once() {
    let rests = "update job_queue set visible_at = now() + interval '1 minute'";
    let dead = "update job_queue set lease = gen_random_uuid(), slot = 1";
    for state in [rests, dead] {
        let world = World::new(3).await;
        let task = world.replay(json!({})).await;
        world
            .execute("update jobs set status = 'in_progress', attempts = 1")
            .await;
        world.execute(state).await;
        let canceled = world.cancel(&task).await;
        assert_eq!(canceled.status, StatusCode::OK, "{canceled}");
        assert_eq!(world.task(&task).await["status"], "canceled", "{state}");
        assert_eq!(world.count("select count(*) from job_queue").await, 0);
    }
}

#[tokio::test]
async fn a_task_that_runs_for_too_long_fails_and_says_what_to_do() {
    let world = World::new(3).await;
    let task = world.replay(json!({})).await;
    world
        .execute("update jobs set started_at = now() - interval '23 hours', status = 'in_progress'")
        .await;
    while world.step().await {}
    assert_eq!(world.task(&task).await["status"], "success");
    for (kind, path, hours) in [("replay", "replay", 24)] {
        let path = format!("/api/v1/aam/connections/{}/{path}", world.id);
        let task = task_path(&world.app.post(&path, &world.person, json!({})).await);
        world
            .execute(
                "update jobs set started_at = now() - interval '25 hours' where status = 'queued'",
            )
            .await;
        while world.step().await {}
        let failed = world.task(&task).await;
        assert_eq!(failed["status"], "failed", "{failed}");
        let error = failed["error"].as_str().unwrap();
        assert!(error.contains(&format!("{hours} hours")), "{error}");
        assert!(
            error.contains(kind) && error.contains("at a time"),
            "{error}"
        );
    }
    assert_eq!(world.count("select count(*) from job_queue").await, 0);
}

#[tokio::test]
async fn a_replay_that_waits_serves_whoever_asks_for_the_same() {
    let world = World::new(3).await;
    let first = world.replay(json!({})).await;
    assert_eq!(world.replay(json!({})).await, first);
    let of_object = world.replay(json!({ "object": "crm.account" })).await;
    assert_ne!(of_object, first);
    assert_eq!(
        world.replay(json!({ "object": "crm.account" })).await,
        of_object
    );

    // It runs: what is asked for now may have changed, so it waits for its end.
    let platform = &world.app.platform;
    let running = worker::take(platform).await.unwrap().unwrap();
    world
        .execute("update jobs set status = 'in_progress' where payload -> 'object' = 'null'")
        .await;
    let later = world.replay(json!({})).await;
    assert_ne!(later, first);
    assert!(worker::take(platform).await.unwrap().is_none());
    worker::run(platform, running).await.unwrap();
    while world.step().await {}
    for task in [first, of_object, later] {
        assert_eq!(world.task(&task).await["status"], "success");
    }
}

#[tokio::test]
async fn a_long_job_gives_way_to_a_tenant_that_waits() {
    let world = World::new(2600).await;
    let long = world.replay(json!({})).await;
    let other = world.app.register("Other Ltd").await;
    let short = connect_filesource(&world.app, &other, json!({})).await;
    store(&world.app, &other, 1).await;
    let held = worker::take(&world.app.platform).await.unwrap().unwrap();
    let path = format!("/api/v1/aam/connections/{short}/replay");
    let short = task_path(&world.app.post(&path, &other, json!({})).await);
    worker::run_within(&world.app.platform, held, EAGER)
        .await
        .unwrap();
    let waits = world.task(&long).await;
    assert_eq!(waits["status"], "in_progress", "{waits}");
    assert!(world.step().await);
    let done = world.app.get(&short, &other).await.json();
    assert_eq!(done["status"], "success", "{done}");
    while world.step().await {}
    assert_eq!(world.task(&long).await["status"], "success");
}
