//! Replays: what was kept is mapped again, whoever dies in between.

use std::task::{Context, Poll};

use std::time::Duration;

use aam_connect::worker::Lease;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Person, TestApp};
use tests::fixtures::connections::{connect_filesource, list_quarantine, list_runs};
use tests::fixtures::database::{account_names, wait_for_blocked_backend, wait_until};
use tests::fixtures::files::upload_files;
use tests::fixtures::jobs::{end_leases, start_job};
use tests::fixtures::json::pick;
use tests::fixtures::mappings::insert_account_mapping;

async fn set_up() -> (TestApp, Person, String) {
    let app = TestApp::start().await;
    let person = app.register("Jobs Ltd").await;
    let id = connect_filesource(&app, &person, json!({})).await;
    (app, person, id)
}

async fn total(app: &TestApp, table: &'static str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
        .fetch_one(&app.database().pool())
        .await
        .unwrap()
}

const FILE: (&str, &[u8]) = (
    "accounts_crm.csv",
    b"account_id,name,title\n1,,One\n2,,Two\n3\n",
);

#[tokio::test]
async fn a_replay_after_a_repair_empties_the_quarantine() {
    let (app, person, id) = set_up().await;
    let answer = upload_files(&app, &person, &[FILE]).await;
    assert_eq!(answer["total"]["quarantined"], 3);
    assert!(!aam_connect::worker::step(&app.platform).await.unwrap());

    insert_account_mapping(&app, 2, "title").await;
    let path = format!("/api/v1/aam/connections/{id}/quarantine/replay");
    let task = start_job(&app, &person, &path).await;
    assert_eq!(app.get(&task, &person).await.json()["status"], "queued");
    assert!(aam_connect::worker::step(&app.platform).await.unwrap());
    assert!(!aam_connect::worker::step(&app.platform).await.unwrap());

    let done = app.get(&task, &person).await.json();
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(pick(&done, "result/written result/quarantined"), "2 1");
    assert_eq!(account_names(&app).await, ["One", "Two"]);
    let left = list_quarantine(&app, &person, &id).await;
    assert_eq!(left.len(), 1);
    // The row that could not even be cut into cells keeps its own reason.
    let reason = pick(&left[0], "reason");
    assert!(reason.contains("1 cell"), "{reason}");

    let other = app.register("Other Ltd").await;
    assert_eq!(app.get(&task, &other).await.status, StatusCode::NOT_FOUND);
    let listed = app
        .get("/api/v1/tasks?status=success", &person)
        .await
        .json();
    assert_eq!(listed["total"], 1);
}

#[tokio::test]
async fn a_replay_reads_stored_records_with_the_current_mapping() {
    let (app, person, _) = set_up().await;
    let file = (
        "accounts_crm.csv",
        &b"account_id,name,title\n1,One,Uno\n2,Two,Due\n"[..],
    );
    upload_files(&app, &person, &[file]).await;
    insert_account_mapping(&app, 2, "title").await;
    let path = "/api/v1/filesource/replay?system=crm&entity=account";
    let task = start_job(&app, &person, path).await;
    aam_connect::worker::step(&app.platform).await.unwrap();
    assert_eq!(app.get(&task, &person).await.json()["result"]["written"], 2);
    assert_eq!(account_names(&app).await, ["Uno", "Due"]);
    let wrong = app
        .post(
            "/api/v1/filesource/replay?entity=invoice",
            &person,
            json!({}),
        )
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_killed_worker_loses_and_doubles_nothing() {
    let (app, person, id) = set_up().await;
    let rows: String = (0..2600)
        .map(|it| format!("{it:05},old,new {it:05}\n"))
        .collect();
    let file = format!("account_id,name,title\n{rows}");
    upload_files(&app, &person, &[("accounts_crm.csv", file.as_bytes())]).await;
    insert_account_mapping(&app, 2, "title").await;
    let task = start_job(
        &app,
        &person,
        &format!("/api/v1/aam/connections/{id}/replay"),
    )
    .await;

    let mut kills = 0;
    for polls in [9, 25, 43, 61] {
        // Dropping the future between two of its steps is what a kill is to the database.
        let mut step = Box::pin(aam_connect::worker::step(&app.platform));
        let mut left = polls;
        std::future::poll_fn(|context: &mut Context<'_>| {
            left -= 1;
            if left == 0 {
                return Poll::Ready(());
            }
            match step.as_mut().poll(context) {
                Poll::Ready(_) => Poll::Ready(()),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        drop(step);
        kills += usize::from(left == 0);
        end_leases(&app).await;
    }
    assert!(kills > 1, "the worker was killed {kills} times only");
    while aam_connect::worker::step(&app.platform).await.unwrap() {}

    let done = app.get(&task, &person).await.json();
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(pick(&done, "result/rows_read result/written"), "2600 2600");
    assert_eq!(
        (
            total(&app, "accounts").await,
            total(&app, "raw_records").await
        ),
        (2600, 2600)
    );
    assert!(
        account_names(&app)
            .await
            .iter()
            .all(|it| it.starts_with("new"))
    );
    assert_eq!(total(&app, "job_queue").await, 0);
    let runs = list_runs(&app, &person, &id).await;
    let found = pick(&runs, "total runs/0/kind runs/0/written");
    assert_eq!(found, "2 replay 2600");
}

#[tokio::test]
async fn a_long_slice_keeps_its_job_from_a_second_worker() {
    let (app, person, id) = set_up().await;
    let file = ("accounts_crm.csv", &b"account_id,name\n1,One\n2,Two\n"[..]);
    upload_files(&app, &person, &[file]).await;
    let path = format!("/api/v1/aam/connections/{id}/replay");
    let task = start_job(&app, &person, &path).await;

    // A slice that lasts for as long as somebody else has the records.
    let pool = app.database().pool();
    let mut lock = pool.begin().await.unwrap();
    let statement = sqlx::query("lock table raw_records in access exclusive mode");
    statement.execute(&mut *lock).await.unwrap();
    let platform = app.platform.clone();
    let lease = Lease {
        length: Duration::from_secs(60),
        heartbeat: Duration::from_millis(10),
        turn: Duration::from_secs(60),
    };
    let worker =
        tokio::spawn(async move { aam_connect::worker::step_within(&platform, lease).await });
    wait_for_blocked_backend(&pool).await;

    // Its lease would be over now.
    end_leases(&app).await;
    wait_until(&pool, "select visible_at > now() from job_queue").await;
    assert!(!aam_connect::worker::step(&app.platform).await.unwrap());

    lock.rollback().await.unwrap();
    assert!(worker.await.unwrap().unwrap());
    let done = app.get(&task, &person).await.json();
    assert_eq!(done["status"], "success", "{done}");
}

#[tokio::test]
async fn a_job_without_progress_fails_after_three_attempts() {
    let (app, person, id) = set_up().await;
    let task = start_job(
        &app,
        &person,
        &format!("/api/v1/aam/connections/{id}/replay"),
    )
    .await;
    let broken = json!({ "nonsense": true });
    sqlx::query("update jobs set payload = $1")
        .bind(broken)
        .execute(&app.database().pool())
        .await
        .unwrap();
    for _ in 0..3 {
        end_leases(&app).await;
        assert!(aam_connect::worker::step(&app.platform).await.unwrap());
    }
    let failed = app.get(&task, &person).await.json();
    assert_eq!(
        (&failed["status"], &failed["attempts"]),
        (&json!("failed"), &json!(3))
    );
    assert!(
        failed["error"].as_str().unwrap().starts_with("given up"),
        "{failed}"
    );
    assert_eq!(failed["result"], Value::Null);
    assert_eq!(total(&app, "job_queue").await, 0);
}

#[tokio::test]
async fn a_replay_of_a_deleted_connection_fails_with_a_reason() {
    let (app, person, id) = set_up().await;
    let one = format!("/api/v1/aam/connections/{id}");
    let task = start_job(&app, &person, &format!("{one}/replay")).await;
    app.delete(&one, &person).await;
    aam_connect::worker::step(&app.platform).await.unwrap();
    let failed = app.get(&task, &person).await.json();
    assert_eq!(
        (&failed["status"], &failed["error"]),
        (&json!("failed"), &json!("the connection was deleted"))
    );
}
