//! Functions that read queues, as processes behind the interfaces that Lambda and SQS give them.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tests::app::{Person, TestApp};
use tests::lambda::{Call, Function};

use crate::filesource::{connect, upload};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_function");
const PLENTY: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) person: Person,
    connection: String,
    key: String,
    pool: PgPool,
}

impl World {
    pub(crate) async fn new() -> World {
        let app = TestApp::start().await;
        let person = app.register("Acme").await;
        let connection = connect(&app, &person, json!({})).await;
        let new = json!({ "name": "queue", "scopes": ["ingest"] });
        let key = app.post("/api/v1/auth/api-keys", &person, new).await;
        assert_eq!(key.status, StatusCode::CREATED, "{key}");
        let key = key.json()["key"].as_str().unwrap().to_owned();
        let pool = app.database().pool();
        World {
            app,
            person,
            connection,
            key,
            pool,
        }
    }

    pub(crate) async fn start(&self, name: &str) -> Function {
        Function::start(PROGRAM, name, &self.app).await
    }

    pub(crate) fn event(&self, id: &str) -> Value {
        json!({
            "source": { "system": "crm", "connection_id": self.connection },
            "entity": "account",
            "op": "upsert",
            "data": { "account_id": id, "name": format!("Account {id}") },
        })
    }

    /// A message with these events, and the key of the tenant.
    pub(crate) fn message(&self, id: &str, body: &Value) -> Value {
        message(id, &body.to_string(), &self.key)
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    async fn execute(&self, sql: &'static str) {
        let done = sqlx::query(sql).execute(&self.pool).await.unwrap();
        assert!(done.rows_affected() > 0, "{sql}");
    }

    /// Waits until somebody waits for a lock of the transaction that holds one.
    async fn somebody_waits(&self) {
        let sql = "select count(*) from pg_locks where not granted
          and database = (select oid from pg_database where datname = current_database())";
        while self.count(sql).await == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// A replay of some records, waiting; the body of its wake, and its path.
    async fn job(&self, rows: usize) -> (Value, String) {
        let rows: String = (0..rows)
            .map(|it| format!("{it:05},Account {it}\n"))
            .collect();
        let file = format!("account_id,title\n{rows}");
        upload(
            &self.app,
            &self.person,
            &[("accounts_crm.csv", file.as_bytes())],
        )
        .await;
        sqlx::query(
            "insert into mappings
              (tenant_id, connection_id, object, version, document, author, reason, created_at)
            select tenant_id, connection_id, object, 2, $1, 'test', 'test', now()
            from source_objects where object = 'crm.account'",
        )
        .bind(json!({
            "entity": "account",
            "fields": [
                { "target": "account_id", "sources": ["account_id"] },
                { "target": "name", "sources": ["title"] },
            ],
        }))
        .execute(&self.pool)
        .await
        .unwrap();
        let path = format!("/api/v1/aam/connections/{}/replay", self.connection);
        let answer = self.app.post(&path, &self.person, json!({})).await;
        let job = answer.json()["job_id"].clone();
        let path = format!("/api/v1/tasks/{}", job.as_str().unwrap());
        (json!({ "tenant": self.person.tenant, "job": job }), path)
    }

    async fn task(&self, path: &str) -> Value {
        self.app.get(path, &self.person).await.json()
    }
}

fn message(id: &str, body: &str, key: &str) -> Value {
    let text = |it: &str| json!({ "stringValue": it, "dataType": "String" });
    json!({
        "messageId": id,
        "receiptHandle": format!("receipt of {id}"),
        "body": body,
        "attributes": { "ApproximateReceiveCount": "2" },
        "messageAttributes": { "Authorization": text(&format!("Bearer {key}")) },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:events",
    })
}

pub(crate) fn batch(messages: &[Value]) -> Value {
    json!({ "Records": messages })
}

pub(crate) fn failures(ids: &[&str]) -> Value {
    let items: Vec<_> = ids
        .iter()
        .map(|it| json!({ "itemIdentifier": it }))
        .collect();
    json!({ "batchItemFailures": items })
}

fn sent(calls: &[Call], action: &str) -> usize {
    calls.iter().filter(|it| it.action == action).count()
}

/// As API Gateway sends it.
pub(crate) fn request(path: &str, method: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "content-type": "application/json" },
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": "x", "domainPrefix": "x",
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "test",
            },
            "requestId": "1", "routeKey": "$default", "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1_767_225_600_000_i64,
        },
        "isBase64Encoded": false,
    })
}

#[tokio::test]
async fn a_batch_fails_by_message() {
    let world = World::new().await;
    let function = world.start("event-ingest").await;
    let mut strange = world.event("9");
    strange["entity"] = "invoice".into();
    let many = vec![world.event("8"); 1001];
    let mut tenant_within = world.event("7");
    tenant_within["tenant_id"] = json!(world.person.tenant);
    let event = batch(&[
        world.message("good", &world.event("1")),
        message("no-json", "this is not JSON", &world.key),
        message("no-key", &world.event("2").to_string(), "aos_nobody"),
        world.message("in-part", &json!([world.event("3"), strange])),
        world.message("too-many", &json!(many)),
        world.message("unmapped", &json!([{ "nobody": "knows me" }])),
        world.message("tenant", &tenant_within),
        world.message("list", &json!([world.event("4"), world.event("5")])),
    ]);
    let poison = [
        "no-json", "no-key", "in-part", "too-many", "unmapped", "tenant",
    ];
    let answer = function.invoke(event.clone()).await.unwrap();
    assert_eq!(answer, failures(&poison));
    let ids = "select string_agg(source_id, ',' order by source_id) from accounts";
    let found: String = sqlx::query_scalar(ids)
        .fetch_one(&world.pool)
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
    assert_eq!(function.invoke(event).await.unwrap(), failures(&poison));
    assert_eq!(world.count("select count(*) from accounts").await, 4);
    assert_eq!(world.count("select sum(written)::int8 from runs").await, 4);
}

/// The recorded event of that name.
fn recorded(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/aws/events");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn recorded_events_are_understood() {
    let world = World::new().await;
    let function = world.start("event-ingest").await;
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
    let ids = failures(&ids);
    assert_eq!(function.invoke(event).await.unwrap(), ids);

    let function = world.start("aam-worker").await;
    // There is no such job any more.
    let answer = function.invoke(recorded("aam-worker-queue")).await.unwrap();
    assert_eq!(answer, failures(&[]));
    for schedule in ["aam-worker-sweep", "aam-worker-sync", "aam-worker-check"] {
        let answer = function.invoke(recorded(schedule)).await.unwrap();
        assert_eq!(answer, Value::Null, "{schedule}");
    }
}

#[tokio::test]
async fn a_killed_batch_has_its_effect_once() {
    let world = World::new().await;
    let mut function = world.start("event-ingest").await;
    let messages: Vec<_> = (0..3)
        .map(|it| {
            let events: Vec<_> = (0..20).map(|n| world.event(&format!("{it}-{n}"))).collect();
            world.message(&format!("m{it}"), &json!(events))
        })
        .collect();

    // One message is committed; the second waits for the lock when the kill comes.
    let first = batch(&messages[..1]);
    assert_eq!(function.invoke(first).await.unwrap(), failures(&[]));
    let mut lock = world.pool.begin().await.unwrap();
    sqlx::query("lock table accounts in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let _lost = function.begin(batch(&messages), PLENTY);
    world.somebody_waits().await;
    function.kill();
    lock.rollback().await.unwrap();

    let function = world.start("event-ingest").await;
    for _ in 0..2 {
        assert_eq!(
            function.invoke(batch(&messages)).await.unwrap(),
            failures(&[])
        );
    }
    assert_eq!(world.count("select count(*) from accounts").await, 60);
    assert_eq!(world.count("select sum(written)::int8 from runs").await, 60);
}

#[tokio::test]
async fn an_outage_pauses_a_message_and_an_end_of_time_gives_it_back() {
    let world = World::new().await;
    let function = world.start("event-ingest").await;
    let event = batch(&[world.message("late", &world.event("1"))]);
    let mut lock = world.pool.begin().await.unwrap();
    sqlx::query("lock table accounts in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let answer = function
        .invoke_within(event.clone(), Duration::from_secs(4))
        .await;
    assert_eq!(answer.unwrap(), failures(&["late"]));
    let calls = function.calls(|it| !it.is_empty()).await;
    assert_eq!(calls[0].input["Entries"][0]["VisibilityTimeout"], 30);
    lock.rollback().await.unwrap();
    assert_eq!(function.invoke(event).await.unwrap(), failures(&[]));
}

#[tokio::test]
async fn a_function_lives_on_after_an_event_of_no_known_kind() {
    let world = World::new().await;
    let function = world.start("event-ingest").await;
    for (event, expected) in [
        (json!({ "what": "is this" }), "not an event of API Gateway"),
        (json!([1]), "not an event"),
        (
            json!({ "Records": [{ "messageId": "", "body": "x" }] }),
            "has no id",
        ),
        (
            json!({ "schedule": "sweep" }),
            "nothing is scheduled as `sweep`",
        ),
    ] {
        let failed = function.invoke(event).await.unwrap_err().0;
        let said = failed["errorMessage"].as_str().unwrap();
        assert!(said.contains(expected), "{failed}");
    }
    let event = batch(&[world.message("good", &world.event("1"))]);
    assert_eq!(function.invoke(event).await.unwrap(), failures(&[]));
}

#[tokio::test]
async fn a_request_ends_before_the_function_does() {
    let world = World::new().await;
    let function = world.start("event-ingest").await;
    let mut lock = world.pool.begin().await.unwrap();
    sqlx::query("lock table accounts in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let mut event = request("/api/v1/events", "POST");
    event["headers"]["authorization"] = format!("Bearer {}", world.key).into();
    event["body"] = world.event("1").to_string().into();
    let answer = function
        .invoke_within(event, Duration::from_secs(3))
        .await
        .unwrap();
    assert_eq!(answer["statusCode"], 503, "{answer}");
    lock.rollback().await.unwrap();
}

#[tokio::test]
async fn a_function_that_is_stopped_lets_go_of_the_database() {
    let world = World::new().await;
    let mut function = world.start("event-ingest").await;
    let event = batch(&[world.message("good", &world.event("1"))]);
    function.invoke(event).await.unwrap();
    assert!(function.terminate().success());
    let line = function
        .log(|it| it["message"] == "the environment ends")
        .await;
    assert_eq!(line["clean"], true, "{line}");
}

#[tokio::test]
async fn a_wake_is_worked_off_and_a_wrong_one_refused() {
    let world = World::new().await;
    let (job_ref, task) = world.job(3).await;
    let function = world.start("aam-worker").await;
    let event = batch(&[
        message("no-json", "{", ""),
        message("typo", r#"{"tenant_id": 1}"#, ""),
        message("job_ref", &job_ref.to_string(), ""),
        message("twice", &job_ref.to_string(), ""),
    ]);
    let answer = function.invoke(event).await.unwrap();
    assert_eq!(answer, failures(&["no-json", "typo"]));
    let done = world.task(&task).await;
    assert_eq!(
        (&done["status"], &done["result"]["written"]),
        (&json!("success"), &json!(3))
    );
    assert_eq!(world.count("select count(*) from job_queue").await, 0);
    let metrics = function.metrics(|it| it["JobsEnded"] == 1.0).await;
    assert_eq!(metrics["JobsFailed"], 0.0);
}

#[tokio::test]
async fn a_job_outlives_its_worker_s_time() {
    let world = World::new().await;
    let (job_ref, task) = world.job(1500).await;
    let function = world.start("aam-worker").await;
    let event = batch(&[message("job_ref", &job_ref.to_string(), "")]);

    // The first slice goes through; the next, which writes, waits until its time is over.
    let mut lock = world.pool.begin().await.unwrap();
    sqlx::query("lock table accounts in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let answer = function
        .invoke_within(event.clone(), Duration::from_secs(6))
        .await;
    assert_eq!(answer.unwrap(), failures(&[]));
    let calls = function.calls(|it| sent(it, "SendMessage") == 1).await;
    let again: Value =
        serde_json::from_str(calls[0].input["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(again, job_ref);
    let trace = &calls[0].input["MessageAttributes"]["x-trace-id"]["StringValue"];
    let trace = trace.as_str().unwrap();
    let parent = &calls[0].input["MessageAttributes"]["traceparent"]["StringValue"];
    assert!(
        parent
            .as_str()
            .unwrap()
            .starts_with(&format!("00-{trace}-")),
        "{parent}"
    );
    let xray = &calls[0].input["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"];
    let root = format!("Root=1-{}-{};", &trace[..8], &trace[8..]);
    assert!(xray.as_str().unwrap().starts_with(&root), "{xray}");
    let half = world.task(&task).await;
    assert_eq!(half["status"], "in_progress");
    assert!(half["progress"].is_object(), "{half}");
    lock.rollback().await.unwrap();

    function.invoke(event).await.unwrap();
    let done = world.task(&task).await;
    assert_eq!(
        (&done["status"], &done["result"]["written"]),
        (&json!("success"), &json!(1500))
    );
    assert_eq!(world.count("select count(*) from accounts").await, 1500);
}

#[tokio::test]
async fn a_job_that_another_worker_has_is_looked_at_again_when_its_lease_is_over() {
    let world = World::new().await;
    let (job_ref, task) = world.job(3).await;
    world
        .execute("update job_queue set visible_at = now() + interval '40 seconds'")
        .await;
    let function = world.start("aam-worker").await;
    let event = batch(&[message("job_ref", &job_ref.to_string(), "")]);
    assert_eq!(function.invoke(event).await.unwrap(), failures(&[]));
    let calls = function.calls(|it| sent(it, "SendMessage") == 1).await;
    let delay = calls[0].input["DelaySeconds"].as_i64().unwrap();
    assert!((1..=40).contains(&delay), "{delay}");
    assert_eq!(world.task(&task).await["status"], "queued");
}

#[tokio::test]
async fn the_sweep_repeats_lost_wakes_and_forgets_what_is_over() {
    let world = World::new().await;
    let (job_ref, _) = world.job(3).await;
    let (tenant, connection) = (world.person.tenant, &world.connection);
    for (id, age) in [("old", "31 days"), ("new", "29 days")] {
        let sql = format!(
            "insert into event_ids (tenant_id, connection_id, event_id, seen_at)
            values ('{tenant}', '{connection}', '{id}', now() - interval '{age}')"
        );
        sqlx::query(AssertSqlSafe(sql))
            .execute(&world.pool)
            .await
            .unwrap();
    }
    for (key, age) in [("old", "25 hours"), ("new", "23 hours")] {
        let sql = format!(
            "insert into idempotency_keys (tenant_id, key, request_hash, created_at)
            values ('{tenant}', '{key}', '', now() - interval '{age}')"
        );
        sqlx::query(AssertSqlSafe(sql))
            .execute(&world.pool)
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
            .execute(&world.pool)
            .await
            .unwrap();
    }
    world
        .execute("update job_queue set announced_at = now() - interval '6 minutes'")
        .await;
    let tokens = "select count(*) from refresh_tokens";
    assert_eq!(world.count(tokens).await, 1);

    let function = world.start("aam-worker").await;
    let sweep = json!({ "schedule": "sweep" });
    assert_eq!(function.invoke(sweep.clone()).await.unwrap(), Value::Null);
    let calls = function.calls(|it| !it.is_empty()).await;
    assert_eq!(calls[0].action, "SendMessageBatch");
    let entries = calls[0].input["Entries"].as_array().unwrap();
    let body: Value = serde_json::from_str(entries[0]["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!((entries.len(), body), (1, job_ref));
    assert_eq!(world.count("select count(*) from event_ids").await, 1);
    let kept = "select count(*) from idempotency_keys where key = 'new'";
    assert_eq!(world.count(kept).await, 1);
    assert_eq!(
        world.count("select count(*) from idempotency_keys").await,
        1
    );
    assert_eq!(world.count(tokens).await, 1, "it is not expired");
    let metrics = function.metrics(|it| it["DriftUnanswered"] == 1.0).await;
    assert_eq!(metrics["service"], "aam-worker");

    // Announced a moment ago, the job is not announced again.
    world
        .execute("update refresh_tokens set expires_at = now() - interval '1 minute'")
        .await;
    function.invoke(sweep).await.unwrap();
    assert_eq!(world.count(tokens).await, 0);
    assert_eq!(sent(&function.calls(|_| true).await, "SendMessageBatch"), 1);
}
