//! Quarantined records, worked off: grouped by what is wrong, retried, discarded.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Answer, Person, TestApp};
use tests::fixtures::connections::{CONNECTIONS, connect_filesource, list_quarantine};
use tests::fixtures::database::{account_names, execute};
use tests::fixtures::files::upload_files;
use tests::fixtures::jobs::finish_job;
use tests::fixtures::json::pick;
use tests::fixtures::mappings::insert_account_mapping;

struct World {
    app: TestApp,
    person: Person,
    id: String,
}

/// Two rows without a key, two whose time of change is none, one that cannot be cut into cells, and
/// one that fits.
const FILE: &[u8] = b"account_id,name,updated_at,Record ID\n\
    ,One,2024-01-01,r1\n\
    ,Two,2024-01-02,r2\n\
    3,Three,31/01/2024,r3\n\
    4,Four,n/a,r4\n\
    5\n\
    6,Six,2024-01-06,r6\n";

impl World {
    /// With that file in it.
    async fn new() -> World {
        let app = TestApp::start().await;
        let person = app.register("Acme").await;
        let id = connect_filesource(&app, &person, json!({})).await;
        let world = World { app, person, id };
        let report = upload_files(&world.app, &world.person, &[("accounts_crm.csv", FILE)]).await;
        assert_eq!(pick(&report, "total/written total/quarantined"), "1 5");
        world
    }

    fn path(&self, rest: &str) -> String {
        format!("{CONNECTIONS}/{}/quarantine{rest}", self.id)
    }

    async fn groups(&self, query: &str) -> Vec<Value> {
        let path = self.path(&format!("/groups{query}"));
        let answer = self.app.get(&path, &self.person).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        answer.json()["groups"].as_array().unwrap().clone()
    }

    /// The group of a field.
    async fn group(&self, field: &str) -> Value {
        let groups = self.groups("").await;
        let found = groups.into_iter().find(|it| it["field"] == field);
        found.unwrap_or_else(|| panic!("no group of {field}"))
    }

    async fn post(&self, rest: &str, body: Value) -> Answer {
        self.app.post(&self.path(rest), &self.person, body).await
    }

    async fn left(&self) -> usize {
        list_quarantine(&self.app, &self.person, &self.id)
            .await
            .len()
    }

    /// Entries of the audit log that say what was discarded.
    async fn audited(&self) -> Vec<Value> {
        let sql = "select after from audit_log where action = 'quarantine.discard' order by at";
        sqlx::query_scalar(sql)
            .fetch_all(self.app.owner())
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn records_are_grouped_by_what_is_wrong_with_them() {
    let world = World::new().await;
    let groups = world.groups("").await;
    let summary = |it: &Value| pick(it, "object field reason records at_least");
    let mut found: Vec<_> = groups.iter().map(summary).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "crm.account account_id missing 2 false",
            "crm.account null row has # cell where the header has # 1 false",
            "crm.account updated_at … is not an ISO 8601 timestamp of the years 0001 to 9999 2 false",
        ]
    );
    // The largest first.
    let records: Vec<_> = groups
        .iter()
        .map(|it| it["records"].as_i64().unwrap())
        .collect();
    assert_eq!(records, [2, 2, 1]);

    let changed = world.group("updated_at").await;
    assert_eq!(
        pick(&changed, "mapping/version mapping/target mapping/sources/0"),
        "1 updated_at updated_at"
    );
    let fix = json!([{
        "kind": "declare_format", "expected": "timestamp", "values": ["31/01/2024", "n/a"],
        "entry": { "target": "updated_at", "sources": ["updated_at"], "transforms": [
            { "kind": "nulls", "words": ["n/a"] },
            { "kind": "date", "formats": ["ISO", "DD/MM/YYYY"] },
        ] },
    }]);
    assert_eq!(changed["fixes"], fix);
    let examples = changed["examples"].as_array().unwrap();
    let mut reasons: Vec<_> = examples.iter().map(|it| pick(it, "line reason")).collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            r#"4 "31/01/2024" is not an ISO 8601 timestamp of the years 0001 to 9999"#,
            r#"5 "n/a" is not an ISO 8601 timestamp of the years 0001 to 9999"#,
        ]
    );
    assert!(pick(&examples[0], "payload").contains("account_id"));

    let key = world.group("account_id").await;
    let fixes = json!([
        { "kind": "use_key", "candidates": ["Record ID"], "records": 2 },
        { "kind": "key_by_content", "entry": {
            "target": "account_id",
            "sources": ["account_id"],
            "transforms": [{ "kind": "content_hash" }, { "kind": "trim" }],
        } },
    ]);
    assert_eq!(key["fixes"], fixes);
    assert!(
        key["first_seen_at"].as_str() <= key["last_seen_at"].as_str(),
        "{key}"
    );

    assert_eq!(world.groups("?object=crm.contact").await.len(), 0);
    assert_eq!(world.groups("?object=crm.account&limit=1").await.len(), 1);
    let path = world.path("/groups?limit=0");
    let answer = world.app.get(&path, &world.person).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_word_that_a_mapping_does_not_list_is_proposed() {
    let world = World::new().await;
    insert_account_mapping(&world.app, 2, "name").await;
    let words = json!({ "kind": "enum", "values": { "Kunde": "customer" }, "otherwise": "reject" });
    let field = json!([{ "target": "type", "sources": ["Art"], "transforms": [words] }]);
    sqlx::query(
        "update mappings set document = jsonb_set(document, '{fields}', document -> 'fields' || $1)
        where version = 2",
    )
    .bind(&field)
    .execute(world.app.owner())
    .await
    .unwrap();
    let file = b"account_id,name,Art\n7,Seven,Partner\n8,Eight,Kunde\n9,Nine,Lead\n";
    upload_files(&world.app, &world.person, &[("accounts_crm.csv", file)]).await;
    let group = world.group("type").await;
    assert_eq!(
        group["fixes"],
        json!([{
            "kind": "add_enum_words", "words": ["Lead", "Partner"],
            "entry": { "target": "type", "sources": ["Art"], "transforms": [{
                "kind": "enum", "otherwise": "reject",
                "values": { "Kunde": "customer", "Lead": "Lead", "Partner": "Partner" },
            }] },
        }])
    );
    assert_eq!(group["mapping"]["transforms"][0], field[0]["transforms"][0]);
    assert_eq!(group["mapping"]["version"], 2);
}

#[tokio::test]
async fn a_retry_maps_the_records_of_one_group_again() {
    let world = World::new().await;
    // A mapping without the time: both of that group fit now.
    insert_account_mapping(&world.app, 2, "name").await;
    let group = world.group("updated_at").await["group"].clone();
    let answer = world.post("/retry", json!({ "group": group })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer}");
    assert_eq!(
        pick(&answer.json(), "records at_least job/kind"),
        "2 false replay"
    );
    let path = format!("/api/v1/tasks/{}", pick(&answer.json(), "job/job_id"));
    while Box::pin(aam_connect::worker::step(&world.app.platform))
        .await
        .unwrap()
    {}
    let done = world.app.get(&path, &world.person).await.json();
    assert_eq!(
        pick(&done, "status result/rows_read result/written"),
        "success 2 2"
    );
    assert_eq!(account_names(&world.app).await, ["Three", "Four", "Six"]);
    assert_eq!(world.left().await, 3);

    // By field, and nothing that fits.
    let answer = world
        .post(
            "/retry",
            json!({ "field": "account_id", "object": "crm.account" }),
        )
        .await;
    assert_eq!(answer.json()["records"], 2);
    let path = format!("/api/v1/tasks/{}", pick(&answer.json(), "job/job_id"));
    while Box::pin(aam_connect::worker::step(&world.app.platform))
        .await
        .unwrap()
    {}
    let done = world.app.get(&path, &world.person).await.json();
    assert_eq!(pick(&done, "status progress/counts/rows_read"), "failed 2");
    let answer = world.post("/retry", json!({ "field": "colour" })).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    // The route that there was before takes all of them.
    let answer = world.post("/replay", json!({})).await;
    let done = finish_job(&world.app, &world.person, answer).await;
    assert_eq!(done["progress"]["counts"]["rows_read"], 3, "{done}");
}

#[tokio::test]
async fn what_is_discarded_is_gone_until_it_comes_again() {
    let world = World::new().await;
    let why = json!({ "field": "updated_at", "reason": "a test export" });
    let answer = world.post("/discard", why).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    assert_eq!(
        pick(&answer.json(), "records at_least discarded job"),
        "2 false 2 null"
    );
    assert_eq!(world.left().await, 3);
    let entry = json!({
        "discarded": 2,
        "filter": { "object": null, "field": "updated_at", "group": null },
        "reason": "a test export",
    });
    assert_eq!(world.audited().await, [entry]);
    // What is stored stays.
    assert_eq!(account_names(&world.app).await, ["Six"]);

    let group = world.group("account_id").await["group"].clone();
    let answer = world
        .post("/discard", json!({ "group": group, "reason": "no key" }))
        .await;
    assert_eq!(answer.json()["discarded"], 2);
    let answer = world
        .post(
            "/discard",
            json!({ "object": "crm.account", "reason": "rest" }),
        )
        .await;
    assert_eq!(answer.json()["discarded"], 1);
    assert_eq!(world.left().await, 0);
    // Nothing is left that speaks against the connection.
    let path = format!("{CONNECTIONS}/{}/health-check", world.id);
    let check = world.app.post(&path, &world.person, json!({})).await.json();
    assert_eq!(check["status"], "healthy", "{check}");

    upload_files(&world.app, &world.person, &[("accounts_crm.csv", FILE)]).await;
    assert_eq!(world.left().await, 5);
}

#[tokio::test]
async fn many_records_are_discarded_by_a_job_which_leaves_what_comes_meanwhile() {
    let world = World::new().await;
    // 2,500 more of the group, none of them ever stored.
    execute(
        &world.app,
        "insert into quarantined_records
          (tenant_id, connection_id, object, content_hash, id, run_id, field, reason, payload,
           created_at, last_seen_at, group_id)
        select tenant_id, connection_id, object, sha256(('x' || n)::bytea), gen_random_uuid(), run_id,
          field, reason, 'x' || n, created_at, last_seen_at, group_id
        from generate_series(1, 2500) n, (
          select * from quarantined_records where field = 'updated_at' limit 1
        ) one",
    )
    .await;
    let group = world.group("updated_at").await;
    assert_eq!(group["records"], 2502);
    let body = json!({ "group": group["group"], "reason": "too many" });
    let answer = world.post("/discard", body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer}");
    assert_eq!(
        pick(&answer.json(), "records discarded job/kind"),
        "2502 0 discard"
    );
    // One of them comes again before the job takes it up.
    execute(
        &world.app,
        "update quarantined_records set last_seen_at = now() + interval '1 s' where payload = 'x7'",
    )
    .await;
    let path = format!("/api/v1/tasks/{}", pick(&answer.json(), "job/job_id"));
    while Box::pin(aam_connect::worker::step(&world.app.platform))
        .await
        .unwrap()
    {}
    let done = world.app.get(&path, &world.person).await.json();
    assert_eq!(pick(&done, "status result/discarded"), "success 2501");
    assert_eq!(world.left().await, 4);
    let audited = world.audited().await;
    assert_eq!(pick(&audited[0], "discarded reason"), "2501 too many");
    assert_eq!(audited[0]["filter"]["group"], group["group"]);
}

#[tokio::test]
async fn discarding_needs_an_admin_a_reason_and_something_that_is_there() {
    let world = World::new().await;
    for body in [
        json!({ "field": "updated_at" }),
        json!({ "field": "updated_at", "reason": "  " }),
        json!({ "field": "colour", "reason": "x" }),
        json!({ "object": "", "reason": "x" }),
    ] {
        let answer = world.post("/discard", body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    }
    // Neither a group nor an object that is not there.
    for rest in ["/retry", "/discard"] {
        for what in [
            json!({ "group": "00000000-0000-4000-8000-000000000000" }),
            json!({ "object": "nope" }),
        ] {
            let mut body = what;
            if rest == "/discard" {
                body["reason"] = json!("x");
            }
            let answer = world.post(rest, body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer}");
        }
    }
    let stranger = world.app.register("Other").await;
    let body = json!({ "reason": "not mine" });
    let answer = world
        .app
        .post(&world.path("/discard"), &stranger, body)
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer}");
    let key = json!({ "name": "k", "scopes": ["ingest", "read"] });
    let key = world
        .app
        .post("/api/v1/auth/api-keys", &world.person, key)
        .await;
    assert_eq!(key.status, StatusCode::CREATED, "{key}");
    let bearer = format!("Bearer {}", pick(&key.json(), "key"));
    let answer = world
        .app
        .send(
            axum::http::Method::POST,
            &world.path("/discard"),
            None::<&Person>,
            json!({ "reason": "x" }).to_string().into(),
            &[
                ("content-type", "application/json"),
                ("authorization", &bearer),
            ],
        )
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer}");
    assert_eq!(world.left().await, 5);
}
