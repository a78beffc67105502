//! Events in through the router: each item has its outcome, and nothing fails its neighbours.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tests::app::{Answer, JSON, Person, TestApp};
use tests::fixtures::connections::insert_connection;
use uuid::Uuid;

struct World {
    app: TestApp,
    person: Person,
    connection: Uuid,
    pool: PgPool,
}

impl World {
    async fn new() -> World {
        let app = TestApp::start().await;
        let person = app.register("Acme").await;
        let pool = app.database().pool();
        let connection = insert_connection(&pool, &person, "crm").await;
        World {
            app,
            person,
            connection,
            pool,
        }
    }

    fn event(&self, data: &Value) -> Value {
        json!({
            "source": { "system": "crm", "connection_id": self.connection },
            "entity": "account",
            "op": "upsert",
            "data": data,
        })
    }

    fn delete(&self, data: &Value) -> Value {
        let mut event = self.event(data);
        event["op"] = "delete".into();
        event
    }

    async fn send(&self, events: Value) -> Answer {
        self.app.post(EVENTS, &self.person, events).await
    }

    /// One word per event, with the reason where there is one.
    async fn check(&self, events: Value, expected: &[&str]) {
        let answer = self.send(events).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer}");
        assert_eq!(words(&answer), expected);
    }

    async fn raw(&self, body: impl Into<Body>, headers: &[(&str, &str)]) -> Answer {
        let person = Some(&self.person);
        let body = body.into();
        self.app
            .send(Method::POST, EVENTS, person, body, headers)
            .await
    }

    /// The first column of each row, as text.
    async fn rows(&self, sql: &str) -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }
}

const EVENTS: &str = "/api/v1/events";

fn words(answer: &Answer) -> Vec<String> {
    let results = answer.json()["results"].as_array().unwrap().clone();
    let word = |(index, it): (usize, &Value)| {
        assert_eq!(it["index"], index);
        let status = it["status"].as_str().unwrap();
        match it["reason"].as_str() {
            Some(reason) => format!("{status} {reason}"),
            None => status.to_owned(),
        }
    };
    results.iter().enumerate().map(word).collect()
}

fn account(id: &str, name: &str) -> Value {
    json!({ "account_id": id, "name": name })
}

fn dated(id: &str, name: &str, day: u8) -> Value {
    json!({ "account_id": id, "name": name, "updated_at": format!("2026-02-{day:02}T00:00:00Z") })
}

#[tokio::test]
async fn an_event_is_written_once_however_often_it_comes() {
    let world = World::new().await;
    let events = json!([
        world.event(&account("1", "One")),
        world.event(&json!({ "account_id": "2", "name": "Two", "colour": "red" })),
    ]);
    world.check(events.clone(), &["accepted", "accepted"]).await;
    world.check(events, &["unchanged", "unchanged"]).await;

    let sql = "select source_id || ' ' || name || ' ' || extras::text from accounts order by 1";
    assert_eq!(
        world.rows(sql).await,
        ["1 One {}", r#"2 Two {"colour": "red"}"#]
    );
    let sql = "select written || ' ' || unchanged || ' ' || object from runs order by id";
    assert_eq!(
        world.rows(sql).await,
        ["2 0 crm.account", "0 2 crm.account"]
    );
    let sql = "select action from audit_log where action = 'events.ingest'";
    assert_eq!(world.rows(sql).await.len(), 1);
}

#[tokio::test]
async fn the_newest_version_wins_whenever_it_comes() {
    let world = World::new().await;
    let event = |name, day| world.event(&dated("1", name, day));
    world
        .check(json!([event("second", 2)]), &["accepted"])
        .await;
    world.check(json!([event("first", 1)]), &["stale"]).await;
    let three = json!([event("third", 3), event("second", 2), event("fourth", 4)]);
    world.check(three, &["accepted", "stale", "accepted"]).await;
    assert_eq!(world.rows("select name from accounts").await, ["fourth"]);
}

#[tokio::test]
async fn an_id_seen_before_is_a_duplicate() {
    let world = World::new().await;
    let event = |id: &str, name| {
        let mut event = world.event(&account("1", name));
        event["id"] = id.into();
        event
    };
    world
        .check(
            json!([event("e1", "a"), event("e1", "b")]),
            &["accepted", "duplicate"],
        )
        .await;
    world
        .check(
            json!([event("e1", "c"), event("e2", "d")]),
            &["duplicate", "accepted"],
        )
        .await;
    assert_eq!(world.rows("select name from accounts").await, ["d"]);
    let sql = "select rows_read || ' ' || duplicate from runs order by id";
    assert_eq!(world.rows(sql).await, ["2 1", "2 1"]);
}

#[tokio::test]
async fn an_event_is_known_by_its_source_and_its_id() {
    let world = World::new().await;
    let event = |system: &str, id: &str| {
        let mut event = world.event(&account(id, system));
        event["source"]["system"] = system.into();
        event["id"] = "42".into();
        event
    };
    world
        .check(
            json!([event("crm", "1"), event("erp", "2"), event("crm", "3")]),
            &["accepted", "accepted", "duplicate"],
        )
        .await;
    // An id from before there were sources is one of every source.
    world
        .rows("with old as (update event_ids set source = '' where source = 'erp' returning event_id) select event_id from old")
        .await;
    world
        .check(json!([event("third", "4")]), &["duplicate"])
        .await;
}

#[tokio::test]
async fn the_id_of_a_quarantined_event_is_free_for_the_corrected_one() {
    let world = World::new().await;
    let event = |data: Value| {
        let mut event = world.event(&data);
        event["id"] = "e1".into();
        event
    };
    let wrong = || event(json!({ "account_id": "1", "updated_at": "soon" }));
    let outcomes = |answer: Answer| -> Vec<String> {
        let results = answer.json()["results"].as_array().unwrap().clone();
        let status = |it: &Value| it["status"].as_str().unwrap().to_owned();
        results.iter().map(status).collect()
    };
    let answer = world.send(json!([wrong(), event(account("1", "a"))])).await;
    assert_eq!(outcomes(answer), ["quarantined", "accepted"]);
    let answer = world.send(json!([wrong(), event(account("1", "b"))])).await;
    assert_eq!(outcomes(answer), ["duplicate", "duplicate"]);

    world
        .rows("with gone as (delete from event_ids returning event_id) select event_id from gone")
        .await;
    let answer = world.send(json!([wrong(), wrong(), wrong()])).await;
    assert_eq!(
        outcomes(answer),
        ["quarantined", "quarantined", "quarantined"]
    );
    let corrected = json!([event(account("1", "c")), event(account("1", "d"))]);
    let answer = world.send(corrected).await;
    assert_eq!(outcomes(answer), ["accepted", "duplicate"]);
    assert_eq!(world.rows("select name from accounts").await, ["c"]);
}

#[tokio::test]
async fn an_event_dated_far_in_the_future_is_rejected() {
    let world = World::new().await;
    let event = |at: &str| {
        let mut event = world.event(&account("1", "a"));
        event["occurred_at"] = at.into();
        event
    };
    let answer = world.send(json!([event("2999-01-01T00:00:00Z")])).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    let errors = answer.json()["errors"].clone();
    let reason = errors[0]["detail"].as_str().unwrap();
    assert!(
        reason.contains("more than 24 hours in the future"),
        "{reason}"
    );
    world
        .check(json!([event("2026-01-01T00:00:00Z")]), &["accepted"])
        .await;
}

#[tokio::test]
async fn a_delete_removes_the_record_and_older_events_do_not_restore_it() {
    let world = World::new().await;
    world
        .check(json!([world.event(&dated("1", "a", 2))]), &["accepted"])
        .await;
    let mut delete = world.delete(&json!({ "account_id": "1" }));
    delete["occurred_at"] = "2026-02-03T00:00:00Z".into();
    world
        .check(json!([delete, delete]), &["accepted", "unchanged"])
        .await;
    assert_eq!(world.rows("select name from accounts").await.len(), 0);
    world
        .check(json!([world.event(&dated("1", "late", 1))]), &["stale"])
        .await;
    world
        .check(json!([world.event(&dated("1", "back", 4))]), &["accepted"])
        .await;
    assert_eq!(world.rows("select name from accounts").await, ["back"]);
    let nothing = world.delete(&json!({ "name": "x" }));
    world
        .check(json!([nothing]), &["quarantined account_id: missing"])
        .await;
}

#[tokio::test]
async fn a_bad_event_never_fails_its_neighbours() {
    let world = World::new().await;
    let good = world.event(&account("1", "One"));
    let mut unknown_field = good.clone();
    unknown_field["colour"] = "red".into();
    let mut other_connection = good.clone();
    other_connection["source"]["connection_id"] = json!(Uuid::now_v7());
    let events = json!([
        world.event(&json!({ "account_id": "0" })),
        unknown_field,
        17,
        other_connection,
        good,
    ]);
    let expected = [
        "quarantined name: missing",
        "rejected not an event: unknown field `colour`, expected one of `source`, `entity`, \
         `op`, `data`, `id`, `occurred_at`, `format`",
        "rejected not an event: invalid type: integer `17`, expected struct Envelope",
        "rejected connection not found",
        "accepted",
    ];
    world.check(events, &expected).await;
    let sql = "select field || ': ' || reason || ' ' || payload from quarantined_records";
    assert_eq!(
        world.rows(sql).await,
        [r#"name: missing {"account_id":"0"}"#]
    );
}

#[tokio::test]
async fn a_corrected_event_empties_the_quarantine() {
    let world = World::new().await;
    let wrong = world.event(&json!({ "account_id": "7" }));
    world.check(wrong, &["quarantined name: missing"]).await;
    let total = async || {
        let path = format!("/api/v1/aam/connections/{}/quarantine", world.connection);
        world.app.get(&path, &world.person).await.json()["total"].clone()
    };
    assert_eq!(total().await, 1);
    let other = world.event(&account("8", "Another"));
    world.check(other, &["accepted"]).await;
    assert_eq!(total().await, 1);
    let right = world.event(&account("7", "Corrected"));
    world.check(right, &["accepted"]).await;
    assert_eq!(total().await, 0);
}

#[tokio::test]
async fn a_connection_of_another_tenant_is_not_found() {
    let world = World::new().await;
    let other = world.app.register("Other").await;
    let theirs = insert_connection(&world.pool, &other, "crm").await;
    let mut event = world.event(&account("1", "One"));
    event["source"]["connection_id"] = json!(theirs);
    let answer = world.send(event).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    let errors = json!([{ "pointer": "", "detail": "connection not found" }]);
    assert_eq!(answer.json()["errors"], errors);
    assert_eq!(
        world.rows("select object from source_objects").await.len(),
        0
    );
}

/// A record between two good ones.
async fn check_odd(world: &World, data: &str, expected: &str) {
    let good = || world.event(&account(&Uuid::now_v7().to_string(), "good"));
    let odd = world.event(&json!("DATA")).to_string();
    let odd = odd.replace("\"DATA\"", data);
    let body = format!("[{},{odd},{}]", good(), good());
    let answer = world.raw(body, &[JSON]).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer}");
    let words = words(&answer);
    assert_eq!((&*words[0], &*words[2]), ("accepted", "accepted"));
    assert!(
        words[1].starts_with(expected),
        "{} is not {expected}",
        words[1]
    );
}

#[tokio::test]
async fn odd_records_are_quarantined() {
    let long = "x".repeat(3000);
    let id = |id: &str| format!(r#"{{"account_id":"{id}","name":"n"}}"#);
    let field = |field: &str| format!(r#"{{"account_id":"1","name":"n",{field}}}"#);
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let cases = [
        (field(&format!(r#""odd":"{long}""#)), "accepted"),
        (
            field(r#""odd":12345678901234567890123456789012345678901234567890"#),
            "accepted",
        ),
        ("[]".to_owned(), "quarantined not a JSON object"),
        ("\"text\"".to_owned(), "quarantined not a JSON object"),
        (
            r#"{"account_id":{},"name":"n"}"#.to_owned(),
            "quarantined account_id: ",
        ),
        (id(&long), "quarantined account_id: is longer than 2 KiB"),
        (
            id(&long[..1500]),
            "quarantined the record's id is longer than 1 KiB",
        ),
        (id(r"a\u0000"), "quarantined account_id: "),
        (field(r#""odd":"\u0000""#), "quarantined odd: "),
        (field(r#""o\u0000dd":1"#), "quarantined "),
        (field(r#""odd":"\ud800""#), "quarantined odd: "),
        (field(r#""odd":1,"odd":2"#), "quarantined "),
        (field(r#""name":"m""#), "quarantined "),
        (
            field(&format!(r#""odd":{deep}"#)),
            "quarantined odd: nested deeper than 64",
        ),
        (field(r#""odd":1e999999"#), "quarantined odd: "),
        (
            field(r#""updated_at":"0000-01-01T00:00:00Z""#),
            "quarantined updated_at: ",
        ),
        (
            field(r#""updated_at":"+275760-09-13T00:00:00Z""#),
            "quarantined updated_at: ",
        ),
        (
            field(r#""updated_at":"275760-09-13T00:00:00Z""#),
            "quarantined updated_at: ",
        ),
    ];
    let world = World::new().await;
    for (data, expected) in &cases {
        check_odd(&world, data, expected).await;
    }
    let quarantined = cases.iter().filter(|it| it.1.starts_with("quarantined"));
    let kept = world.rows("select payload from quarantined_records").await;
    assert_eq!(kept.len(), quarantined.count());
    let good = world
        .rows("select name from accounts where name = 'good'")
        .await;
    assert_eq!(good.len(), 2 * cases.len());
}

#[tokio::test]
async fn numbers_beyond_38_digits_do_not_fit_a_decimal() {
    let world = World::new().await;
    let digits = "1".repeat(39);
    let mut event = world.event(&json!("DATA"));
    event["entity"] = "opportunity".into();
    let data = format!(r#"{{"opportunity_id":"1","name":"n","amount":{digits}}}"#);
    let answer = world
        .raw(event.to_string().replace("\"DATA\"", &data), &[JSON])
        .await;
    let expected = format!("quarantined amount: \"{digits}\" has more than 38 digits");
    assert_eq!(words(&answer), [expected]);
}

#[tokio::test]
async fn ten_thousand_columns_and_more_are_columns() {
    let world = World::new().await;
    let mut data = account("1", "wide");
    for index in 0..11_000 {
        data[format!("column_{index}")] = json!(index);
    }
    world.check(world.event(&data), &["accepted"]).await;
    let sql = "select count(*)::text from accounts, jsonb_object_keys(extras)";
    assert_eq!(world.rows(sql).await, ["11000"]);
}

#[tokio::test]
async fn a_body_that_is_no_list_of_events_is_a_problem() {
    let world = World::new().await;
    let big = vec![b' '; (5 << 20) + 1];
    let huge = vec![b' '; 6 << 20];
    let many = format!("[{}]", vec!["0"; 1001].join(","));
    let cases: [(Vec<u8>, &str, u16); 9] = [
        (b"{".to_vec(), "application/json", 400),
        (b"".to_vec(), "application/json", 400),
        (b"[1,]".to_vec(), "application/json", 400),
        (b"[\"\xff\"]".to_vec(), "application/json", 400),
        (b"[\"\0\"]".to_vec(), "application/json", 400),
        (b"{}".to_vec(), "text/plain", 415),
        (big, "application/json", 413),
        (huge, "application/json", 413),
        (many.into_bytes(), "application/json", 422),
    ];
    for (body, kind, status) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
        let answer = world.raw(body, &[("content-type", kind)]).await;
        assert_eq!(answer.status.as_u16(), status, "{shown}: {answer}");
    }
    assert_eq!(world.rows("select object from runs").await.len(), 0);
    world.check(json!([]), &[]).await;
}

#[tokio::test]
async fn cloud_events_are_read_in_three_modes() {
    let world = World::new().await;
    let source = format!("/connections/{}/crm", world.connection);
    let event = |id: &str, name: &str| {
        json!({
            "specversion": "1.0", "id": id, "source": source, "type": "account.upsert",
            "time": "2026-02-01T00:00:00Z", "data": account("1", name),
        })
    };
    let structured = event("e1", "structured").to_string();
    let kind = (
        "content-type",
        "application/cloudevents+json; charset=utf-8",
    );
    assert_eq!(words(&world.raw(structured, &[kind]).await), ["accepted"]);

    let batch = json!([event("e1", "again"), event("e2", "batch"), {}]).to_string();
    let kind = ("content-type", "application/cloudevents-batch+json");
    assert_eq!(
        words(&world.raw(batch, &[kind]).await),
        [
            "duplicate",
            "accepted",
            "rejected not a CloudEvent: missing field `specversion`"
        ]
    );

    let headers = [
        JSON,
        ("ce-specversion", "1.0"),
        ("ce-id", "e3"),
        ("ce-source", &source),
        ("ce-type", "account.upsert"),
    ];
    let binary = account("1", "binary").to_string();
    assert_eq!(words(&world.raw(binary, &headers).await), ["accepted"]);
    assert_eq!(world.rows("select name from accounts").await, ["binary"]);
    let headers = headers.map(|it| if it.0 == "ce-id" { (it.0, "e4") } else { it });
    let broken = world.raw(&b"{\"name\":\"\xff\0"[..], &headers).await;
    assert_eq!(words(&broken), ["quarantined not UTF-8 from byte 9"]);
    assert_eq!(
        world.rows("select payload from quarantined_records").await,
        ["{\"name\":\"\u{fffd}\u{fffd}"]
    );
}

#[tokio::test]
async fn shipped_mappings_read_what_known_systems_send() {
    let world = World::new().await;
    let mut event = world.event(&json!({
        "Id": "001", "Name": "Acme", "Industry": "Energy", "Shade": "dark",
        "LastModifiedDate": "2026-02-01T10:00:00.000+0000",
    }));
    event["source"]["system"] = "salesforce".into();
    world.check(event, &["accepted"]).await;
    let mut event = world.event(&account("001", "Canonical"));
    event["source"]["system"] = "salesforce".into();
    event["format"] = "canonical".into();
    world.check(event, &["accepted"]).await;
    let sql = "select object || ' ' || name || ' ' || coalesce(industry, '') || extras::text
               from accounts order by object";
    assert_eq!(
        world.rows(sql).await,
        [
            r#"salesforce.account Acme Energy{"Shade": "dark"}"#,
            "salesforce.account.canonical Canonical {}"
        ]
    );
    let sql = "select object || ' ' || version || ' ' || author from mappings order by object";
    assert_eq!(
        world.rows(sql).await,
        [
            "salesforce.account 1 shipped",
            "salesforce.account.canonical 1 shipped"
        ]
    );
}

#[tokio::test]
async fn a_corrected_payload_leaves_the_quarantine() {
    let world = World::new().await;
    let event = json!([world.event(&json!({ "account_id": "1", "title": "One" }))]);
    world
        .check(event.clone(), &["quarantined name: missing"])
        .await;
    world
        .check(event.clone(), &["quarantined name: missing"])
        .await;
    let sql = "select reason from quarantined_records";
    assert_eq!(world.rows(sql).await.len(), 1);

    let mapping = r#"
        insert into mappings
        select tenant_id, connection_id, object, 2,
          jsonb_set(document, '{fields,2,sources}', '["title"]'), 'test', 'renamed', now()
        from mappings returning document->'fields'->2->>'target'"#;
    assert_eq!(world.rows(mapping).await, ["name"]);
    world.check(event, &["accepted"]).await;
    assert_eq!(world.rows(sql).await.len(), 0);
    assert_eq!(world.rows("select name from accounts").await, ["One"]);
}

#[tokio::test]
async fn a_record_that_a_new_mapping_reads_otherwise_is_not_unchanged() {
    let world = World::new().await;
    let event = json!([world.event(&json!({ "account_id": "1", "name": "One", "title": "T" }))]);
    world.check(event.clone(), &["accepted"]).await;
    world
        .rows(
            r#"insert into mappings
               select tenant_id, connection_id, object, 2,
                 jsonb_set(document, '{fields,2,sources}', '["title"]'), 'test', 'renamed', now()
               from mappings returning object"#,
        )
        .await;
    world.check(event.clone(), &["accepted"]).await;
    world.check(event, &["unchanged"]).await;
    assert_eq!(world.rows("select name from accounts").await, ["T"]);
}

#[tokio::test]
async fn a_field_of_another_type_is_a_drift_once() {
    let world = World::new().await;
    let record = |id: usize, size: Value| {
        world.event(&json!({ "account_id": format!("{id}"), "name": "n", "size": size }))
    };
    let many = |from: usize, size: &Value| {
        let events: Vec<_> = (from..from + 120)
            .map(|it| record(it, size.clone()))
            .collect();
        Value::from(events)
    };
    world.send(many(0, &json!(1))).await;
    world.send(many(1000, &json!(2))).await;
    assert_eq!(world.rows("select object from drift_events").await.len(), 0);
    world.send(many(2000, &json!("three"))).await;
    world.send(many(3000, &json!("four"))).await;
    let sql = "select from_version || ' ' || to_version || ' ' || severity || ' ' || status
                 || ' ' || (changes->0->>'kind') || ' ' || (changes->0->>'path')
               from drift_events";
    assert_eq!(world.rows(sql).await, ["1 2 medium open retyped size"]);
    let sql = "select version::text from schema_snapshots order by version";
    assert_eq!(world.rows(sql).await, ["1", "2"]);
    let sql = "select baseline_version::text from source_objects";
    assert_eq!(world.rows(sql).await, ["1"]);
}
