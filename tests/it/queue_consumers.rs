//! Functions that read queues, as processes behind the interfaces that Lambda and SQS give them.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::fixtures::connections::CONNECTIONS;
use tests::fixtures::database::{count, execute, wait_for_blocked_backend};
use tests::fixtures::events::{
    MessageSender, gateway_request, sqs_batch, sqs_failures, sqs_message,
};
use tests::fixtures::files::upload_files;
use tests::fixtures::jobs::start_job;
use tests::fixtures::json::pick;
use tests::fixtures::mappings::insert_account_mapping;
use tests::lambda::{Call, Function};

const PROGRAM: &str = env!("CARGO_BIN_EXE_function");
const PLENTY: Duration = Duration::from_secs(60);

/// A replay of some records, waiting: what a message of it says, and its task.
async fn queue_replay(sender: &MessageSender, rows: usize) -> (Value, String) {
    let rows: String = (0..rows)
        .map(|it| format!("{it:05},Account {it}\n"))
        .collect();
    let file = format!("account_id,title\n{rows}");
    let files = [("accounts_crm.csv", file.as_bytes())];
    upload_files(&sender.app, &sender.person, &files).await;
    insert_account_mapping(&sender.app, 2, "title").await;
    let path = format!("{CONNECTIONS}/{}/replay", sender.connection);
    let task = start_job(&sender.app, &sender.person, &path).await;
    let job = task.rsplit('/').next();
    (json!({ "tenant": sender.person.tenant, "job": job }), task)
}

async fn read_task(sender: &MessageSender, path: &str) -> Value {
    sender.app.get(path, &sender.person).await.json()
}

/// Changes what must be there.
async fn change(sender: &MessageSender, sql: &str) {
    assert!(execute(&sender.app, sql).await > 0, "{sql}");
}

fn sent(calls: &[Call], action: &str) -> usize {
    calls.iter().filter(|it| it.action == action).count()
}

#[tokio::test]
async fn a_batch_fails_by_message() {
    let sender = MessageSender::start().await;
    let function = Function::start(PROGRAM, "event-ingest", &sender.app).await;
    let mut strange = sender.event("9");
    strange["entity"] = "in/voice".into();
    let many = vec![sender.event("8"); 1001];
    let mut tenant_within = sender.event("7");
    tenant_within["tenant_id"] = json!(sender.person.tenant);
    let event = sqs_batch(&[
        sender.message("good", &sender.event("1")),
        sqs_message("no-json", "this is not JSON", &sender.key),
        sqs_message("no-key", &sender.event("2").to_string(), "aos_nobody"),
        sender.message("in-part", &json!([sender.event("3"), strange])),
        sender.message("too-many", &json!(many)),
        sender.message("unmapped", &json!([{ "nobody": "knows me" }])),
        sender.message("tenant", &tenant_within),
        sender.message("list", &json!([sender.event("4"), sender.event("5")])),
    ]);
    let poison = [
        "no-json", "no-key", "in-part", "too-many", "unmapped", "tenant",
    ];
    let answer = function.invoke(event.clone()).await.unwrap();
    assert_eq!(answer, sqs_failures(&poison));
    let ids = "select string_agg(source_id, ',' order by source_id) from accounts";
    let found: String = sqlx::query_scalar(ids)
        .fetch_one(&sender.app.database().pool())
        .await
        .unwrap();
    assert_eq!(found, "1,3,4,5");

    // Each goes to the dead letters soon: it is shown again at once.
    let calls = function.calls(|it| !it.is_empty()).await;
    assert_eq!(calls[0].action, "ChangeMessageVisibilityBatch");
    let entries = calls[0].input["Entries"].as_array().unwrap();
    assert_eq!(entries.len(), poison.len());
    for (entry, id) in entries.iter().zip(poison) {
        assert_eq!(entry["ReceiptHandle"], format!("receipt of {id}"));
        assert_eq!(entry["VisibilityTimeout"], 0);
    }
    let refused =
        |id: &'static str| move |it: &Value| it["message_id"] == id && it["code"] != Value::Null;
    for (id, code) in [
        ("no-json", "bad_request"),
        ("no-key", "unauthenticated"),
        ("in-part", "invalid"),
        ("too-many", "invalid"),
    ] {
        assert_eq!(function.log(refused(id)).await["code"], code);
    }

    // Delivered again, the same has no second effect.
    assert_eq!(function.invoke(event).await.unwrap(), sqs_failures(&poison));
    assert_eq!(count(&sender.app, "select count(*) from accounts").await, 4);
    assert_eq!(
        count(&sender.app, "select sum(written)::int8 from runs").await,
        4
    );
}

/// The recorded event of that name.
fn recorded(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/aws/events");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn recorded_events_are_understood() {
    let sender = MessageSender::start().await;
    let function = Function::start(PROGRAM, "event-ingest", &sender.app).await;
    let answer = function
        .invoke(recorded("event-ingest-http"))
        .await
        .unwrap();
    assert_eq!(answer["statusCode"], 401, "{answer}");
    // Its key is nobody's.
    let event = recorded("event-ingest-queue");
    let records = event["Records"].as_array().unwrap();
    let ids: Vec<_> = records
        .iter()
        .map(|it| it["messageId"].as_str().unwrap())
        .collect();
    let ids = sqs_failures(&ids);
    assert_eq!(function.invoke(event).await.unwrap(), ids);

    let function = Function::start(PROGRAM, "aam-worker", &sender.app).await;
    // There is no such job any more.
    let answer = function.invoke(recorded("aam-worker-queue")).await.unwrap();
    assert_eq!(answer, sqs_failures(&[]));
    for schedule in ["aam-worker-sweep", "aam-worker-sync", "aam-worker-check"] {
        let answer = function.invoke(recorded(schedule)).await.unwrap();
        assert_eq!(answer, Value::Null, "{schedule}");
    }
}

#[tokio::test]
async fn a_killed_batch_has_its_effect_once() {
    let sender = MessageSender::start().await;
    let mut function = Function::start(PROGRAM, "event-ingest", &sender.app).await;
    let messages: Vec<_> = (0..3)
        .map(|it| {
            let events: Vec<_> = (0..20)
                .map(|n| sender.event(&format!("{it}-{n}")))
                .collect();
            sender.message(&format!("m{it}"), &json!(events))
        })
        .collect();

    // One message is committed; the second waits for the lock when the kill comes.
    let first = sqs_batch(&messages[..1]);
    assert_eq!(function.invoke(first).await.unwrap(), sqs_failures(&[]));
    let mut lock = sender.app.database().pool().begin().await.unwrap();
    sqlx::query("lock table accounts in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let _lost = function.begin(sqs_batch(&messages), PLENTY);
    wait_for_blocked_backend(&sender.app.database().pool()).await;
    function.kill();
    lock.rollback().await.unwrap();

    let function = Function::start(PROGRAM, "event-ingest", &sender.app).await;
    for _ in 0..2 {
        assert_eq!(
            function.invoke(sqs_batch(&messages)).await.unwrap(),
            sqs_failures(&[])
        );
    }
    assert_eq!(
        count(&sender.app, "select count(*) from accounts").await,
        60
    );
    assert_eq!(
        count(&sender.app, "select sum(written)::int8 from runs").await,
        60
    );
}

#[tokio::test]
async fn an_outage_pauses_a_message_and_an_end_of_time_gives_it_back() {
    let sender = MessageSender::start().await;
    let function = Function::start(PROGRAM, "event-ingest", &sender.app).await;
    let event = sqs_batch(&[sender.message("late", &sender.event("1"))]);
    let mut lock = sender.app.database().pool().begin().await.unwrap();
    sqlx::query("lock table accounts in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let answer = function
        .invoke_within(event.clone(), Duration::from_secs(4))
        .await;
    assert_eq!(answer.unwrap(), sqs_failures(&["late"]));
    let calls = function.calls(|it| !it.is_empty()).await;
    assert_eq!(calls[0].input["Entries"][0]["VisibilityTimeout"], 30);
    lock.rollback().await.unwrap();
    assert_eq!(function.invoke(event).await.unwrap(), sqs_failures(&[]));
}

#[tokio::test]
async fn a_function_lives_on_after_an_event_of_no_known_kind() {
    let sender = MessageSender::start().await;
    let function = Function::start(PROGRAM, "event-ingest", &sender.app).await;
    for (event, expected) in [
        (json!({ "what": "is this" }), "not an event of API Gateway"),
        (json!([1]), "not an event"),
        (
            json!({ "Records": [{ "messageId": "", "body": "x" }] }),
            "has no id",
        ),
        (
            json!({ "schedule": "sweep" }),
            "there is no schedule `sweep`",
        ),
    ] {
        let failed = function.invoke(event).await.unwrap_err().0;
        let said = failed["errorMessage"].as_str().unwrap();
        assert!(said.contains(expected), "{failed}");
    }
    let event = sqs_batch(&[sender.message("good", &sender.event("1"))]);
    assert_eq!(function.invoke(event).await.unwrap(), sqs_failures(&[]));
}

#[tokio::test]
async fn a_request_ends_before_the_function_does() {
    let sender = MessageSender::start().await;
    let function = Function::start(PROGRAM, "event-ingest", &sender.app).await;
    let mut lock = sender.app.database().pool().begin().await.unwrap();
    sqlx::query("lock table accounts in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let mut event = gateway_request("/api/v1/events", "POST");
    event["headers"]["authorization"] = format!("Bearer {}", sender.key).into();
    event["body"] = sender.event("1").to_string().into();
    let answer = function
        .invoke_within(event, Duration::from_secs(3))
        .await
        .unwrap();
    assert_eq!(answer["statusCode"], 503, "{answer}");
    lock.rollback().await.unwrap();
}

#[tokio::test]
async fn a_function_that_is_stopped_lets_go_of_the_database() {
    let sender = MessageSender::start().await;
    let mut function = Function::start(PROGRAM, "event-ingest", &sender.app).await;
    let event = sqs_batch(&[sender.message("good", &sender.event("1"))]);
    function.invoke(event).await.unwrap();
    assert!(function.terminate().success());
    let line = function
        .log(|it| it["message"] == "the environment ends")
        .await;
    assert_eq!(line["clean"], true, "{line}");
}

#[tokio::test]
async fn a_notification_runs_its_job_and_a_wrong_one_is_refused() {
    let sender = MessageSender::start().await;
    let (job_ref, task) = queue_replay(&sender, 3).await;
    let function = Function::start(PROGRAM, "aam-worker", &sender.app).await;
    let event = sqs_batch(&[
        sqs_message("no-json", "{", ""),
        sqs_message("typo", r#"{"tenant_id": 1}"#, ""),
        sqs_message("job_ref", &job_ref.to_string(), ""),
        sqs_message("twice", &job_ref.to_string(), ""),
    ]);
    let answer = function.invoke(event).await.unwrap();
    assert_eq!(answer, sqs_failures(&["no-json", "typo"]));
    let done = read_task(&sender, &task).await;
    assert_eq!(
        (&done["status"], &done["result"]["written"]),
        (&json!("success"), &json!(3))
    );
    assert_eq!(
        count(&sender.app, "select count(*) from job_queue").await,
        0
    );
    let metrics = function.metrics(|it| it["JobsEnded"] == 1.0).await;
    assert_eq!(metrics["JobsFailed"], 0.0);
}

#[tokio::test]
async fn a_job_outlives_its_worker_s_time() {
    let sender = MessageSender::start().await;
    let (job_ref, task) = queue_replay(&sender, 1500).await;
    let function = Function::start(PROGRAM, "aam-worker", &sender.app).await;
    let event = sqs_batch(&[sqs_message("job_ref", &job_ref.to_string(), "")]);

    // The first slice goes through; the next, which writes, waits until its time is over.
    let mut lock = sender.app.database().pool().begin().await.unwrap();
    sqlx::query("lock table accounts in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let answer = function
        .invoke_within(event.clone(), Duration::from_secs(6))
        .await;
    assert_eq!(answer.unwrap(), sqs_failures(&[]));
    let calls = function.calls(|it| sent(it, "SendMessage") == 1).await;
    let again: Value =
        serde_json::from_str(calls[0].input["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(again, job_ref);
    let attribute = |of: &str| pick(&calls[0].input, &format!("{of}/StringValue"));
    let trace = attribute("MessageAttributes/x-trace-id");
    let parent = attribute("MessageAttributes/traceparent");
    assert!(parent.starts_with(&format!("00-{trace}-")), "{parent}");
    let xray = attribute("MessageSystemAttributes/AWSTraceHeader");
    let root = format!("Root=1-{}-{};", &trace[..8], &trace[8..]);
    assert!(xray.starts_with(&root), "{xray}");
    let half = read_task(&sender, &task).await;
    assert_eq!(half["status"], "in_progress");
    assert!(half["progress"].is_object(), "{half}");
    lock.rollback().await.unwrap();

    function.invoke(event).await.unwrap();
    let done = read_task(&sender, &task).await;
    assert_eq!(
        (&done["status"], &done["result"]["written"]),
        (&json!("success"), &json!(1500))
    );
    assert_eq!(
        count(&sender.app, "select count(*) from accounts").await,
        1500
    );
}

#[tokio::test]
async fn a_job_that_another_worker_has_is_looked_at_again_when_its_lease_is_over() {
    let sender = MessageSender::start().await;
    let (job_ref, task) = queue_replay(&sender, 3).await;
    change(
        &sender,
        "update job_queue set visible_at = now() + interval '40 seconds'",
    )
    .await;
    let function = Function::start(PROGRAM, "aam-worker", &sender.app).await;
    let event = sqs_batch(&[sqs_message("job_ref", &job_ref.to_string(), "")]);
    assert_eq!(function.invoke(event).await.unwrap(), sqs_failures(&[]));
    let calls = function.calls(|it| sent(it, "SendMessage") == 1).await;
    let delay = calls[0].input["DelaySeconds"].as_i64().unwrap();
    assert!((1..=40).contains(&delay), "{delay}");
    assert_eq!(read_task(&sender, &task).await["status"], "queued");
}

#[tokio::test]
async fn the_sweep_repeats_lost_notifications_and_purges_expired_rows() {
    let sender = MessageSender::start().await;
    let (job_ref, _) = queue_replay(&sender, 3).await;
    let (tenant, connection) = (sender.person.tenant, &sender.connection);
    for (id, age) in [("old", "31 days"), ("new", "29 days")] {
        let sql = format!(
            "insert into event_ids (tenant_id, connection_id, event_id, seen_at)
            values ('{tenant}', '{connection}', '{id}', now() - interval '{age}')"
        );
        sqlx::query(AssertSqlSafe(sql))
            .execute(&sender.app.database().pool())
            .await
            .unwrap();
    }
    for (key, age) in [("old", "25 hours"), ("new", "23 hours")] {
        let sql = format!(
            "insert into idempotency_keys (tenant_id, key, request_hash, created_at)
            values ('{tenant}', '{key}', '', now() - interval '{age}')"
        );
        sqlx::query(AssertSqlSafe(sql))
            .execute(&sender.app.database().pool())
            .await
            .unwrap();
    }
    for (version, age) in [(2, "25 hours"), (3, "23 hours")] {
        let sql = format!(
            "insert into drift_events
              (tenant_id, id, connection_id, object, from_version, to_version, changes, severity,
               created_at)
            values ('{tenant}', gen_random_uuid(), '{connection}', 'crm.account', 1, {version},
              '[]', 'high', now() - interval '{age}')"
        );
        sqlx::query(AssertSqlSafe(sql))
            .execute(&sender.app.database().pool())
            .await
            .unwrap();
    }
    change(
        &sender,
        "update job_queue set announced_at = now() - interval '6 minutes'",
    )
    .await;
    let tokens = "select count(*) from refresh_tokens";
    assert_eq!(count(&sender.app, tokens).await, 1);

    let function = Function::start(PROGRAM, "aam-worker", &sender.app).await;
    let sweep = json!({ "schedule": "sweep" });
    assert_eq!(function.invoke(sweep.clone()).await.unwrap(), Value::Null);
    let calls = function.calls(|it| !it.is_empty()).await;
    assert_eq!(calls[0].action, "SendMessageBatch");
    let entries = calls[0].input["Entries"].as_array().unwrap();
    let body: Value = serde_json::from_str(entries[0]["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!((entries.len(), body), (1, job_ref));
    assert_eq!(
        count(&sender.app, "select count(*) from event_ids").await,
        1
    );
    let kept = "select count(*) from idempotency_keys where key = 'new'";
    assert_eq!(count(&sender.app, kept).await, 1);
    assert_eq!(
        count(&sender.app, "select count(*) from idempotency_keys").await,
        1
    );
    assert_eq!(count(&sender.app, tokens).await, 1, "it is not expired");
    let metrics = function.metrics(|it| it["DriftUnanswered"] == 1.0).await;
    assert_eq!(metrics["service"], "aam-worker");

    // Announced a moment ago, the job is not announced again.
    change(
        &sender,
        "update refresh_tokens set expires_at = now() - interval '1 minute'",
    )
    .await;
    function.invoke(sweep).await.unwrap();
    assert_eq!(count(&sender.app, tokens).await, 0);
    assert_eq!(sent(&function.calls(|_| true).await, "SendMessageBatch"), 1);
}
