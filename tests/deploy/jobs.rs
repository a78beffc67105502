//! Jobs, worked on by the worker that a queue wakes.

use axum::http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::ministack::kill;
use crate::wait::until;

pub(crate) async fn a_job_is_announced_and_worked_on(deployment: &Deployment) {
    quarantine(deployment, "soon", 20).await;
    remap(deployment, "soon").await;
    let task = replay(deployment).await;
    ended(deployment, &task, 20).await;
    let rows = "select count(*) from accounts where name like 'soon %'";
    assert_eq!(deployment.count(rows).await, 20);
}

pub(crate) async fn the_sweep_takes_up_a_job_whose_worker_was_killed(deployment: &Deployment) {
    quarantine(deployment, "late", 1200).await;
    remap(deployment, "late").await;
    let lock = deployment.lock("accounts").await;
    let task = replay(deployment).await;
    deployment.somebody_waits().await;
    for process in deployment.ministack.processes("-aam-worker") {
        kill(process).unwrap();
    }
    lock.rollback().await.unwrap();

    // As if the lease were over. The queue itself brings the job back only after half an hour.
    deployment
        .execute(
            "update job_queue set visible_at = now(), announced_at = now() - interval '1 hour'",
        )
        .await;
    sweep(deployment).await;
    ended(deployment, &task, 1200).await;
    let rows = "select count(*) from accounts where name like 'late %'";
    assert_eq!(deployment.count(rows).await, 1200);
    assert_eq!(deployment.count("select count(*) from job_queue").await, 0);
}

/// Uploads rows whose name is in a column that no mapping knows.
async fn quarantine(deployment: &Deployment, system: &str, rows: usize) {
    let rows = (0..rows).map(|it| format!("{system}-{it},,{system} {it:04}\n"));
    let content = format!("account_id,name,title\n{}", rows.collect::<String>());
    let name = format!("accounts_{system}.csv");
    let token = &deployment.person.token;
    let answer = deployment.api.upload(token, (&name, content)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    let total = &answer.json()["total"];
    assert_eq!(total["quarantined"], total["rows_read"], "{answer}");
}

/// Gives the mapping a version in which that column is the name.
async fn remap(deployment: &Deployment, system: &str) {
    let field = |target: &str, source: &str| json!({ "target": target, "sources": [source] });
    let mapping = json!({
        "entity": "account",
        "fields": [field("account_id", "account_id"), field("name", "title")],
    });
    let inserted = sqlx::query(
        "insert into mappings
          (tenant_id, connection_id, object, version, document, author, reason, created_at)
        select tenant_id, connection_id, object, 2, $1, 'test', 'test', now()
        from source_objects where object = $2",
    )
    .bind(mapping)
    .bind(format!("{system}.account"))
    .execute(&deployment.pool)
    .await
    .unwrap();
    assert_eq!(inserted.rows_affected(), 1);
}

/// Has the quarantine replayed; gives the path of the job.
async fn replay(deployment: &Deployment) -> String {
    let connection = &deployment.connection;
    let path = format!("/api/v1/aam/connections/{connection}/quarantine/replay");
    let token = deployment.person.token.as_str();
    let answer = deployment.api.post(&path, token, json!({})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer}");
    let answer = answer.json();
    format!("/api/v1/tasks/{}", answer["job_id"].as_str().unwrap())
}

/// Waits until the job has written so many records.
async fn ended(deployment: &Deployment, task: &str, written: usize) {
    let done = until("the end of a job", async || {
        let token = deployment.person.token.as_str();
        let answer = deployment.api.get(task, token).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        let task = answer.json();
        let over = task["status"] != "queued" && task["status"] != "in_progress";
        over.then_some(task)
    });
    let done = done.await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(done["result"]["written"], written, "{done}");
}

/// Fires what the template schedules, now: a copy of the schedule that is due once.
async fn sweep(deployment: &Deployment) {
    let aws = &deployment.aws;
    let path = format!("/schedules/{}", deployment.stack.resource("Sweep"));
    let schedule = aws.rest("scheduler", Method::GET, &path, "").await;
    let schedule: Value = serde_json::from_str(&schedule).unwrap();
    let now = json!({
        "ScheduleExpression": "at(2000-01-01T00:00:00)",
        "FlexibleTimeWindow": { "Mode": "OFF" },
        "ActionAfterCompletion": "DELETE",
        "Target": schedule["Target"],
    });
    aws.rest("scheduler", Method::POST, "/schedules/now", now.to_string())
        .await;
}
