//! Fields and entities that a tenant declares itself.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use schema::entity::{CUSTOM_TABLE, ENTITIES};
use serde_json::{Value, json};
use tests::app::{Answer, Person, TestApp};
use tests::fixtures::connections::connect_filesource;
use tests::fixtures::files::upload_files;
use tests::fixtures::jobs::run_all;

const JSON: (&str, &str) = ("content-type", "application/json");

/// As a shop keeps its customers: each column is one of the custom fields of [`FIELDS`].
const CUSTOMERS: &str = "no,title,grade,points,visits,vip,born,seen,labels\n\
    1,Acme,gold,12.50,3,yes,1990-05-17,2024-01-31T10:00:00Z,a;b\n\
    2,Blue,silver,-1,20,no,2001-01-01,2024-01-31T10:00:00.5Z,\n\
    3,Cedar,gold,100000000000000000000.01,,,,,c\n";

struct World {
    app: TestApp,
    ann: Person,
    connection: String,
}

impl World {
    async fn new() -> World {
        let app = TestApp::start().await;
        let ann = app.register("Ann Ltd").await;
        let connection = connect_filesource(&app, &ann, json!({})).await;
        World {
            app,
            ann,
            connection,
        }
    }

    /// Customers with custom fields of all types, mapped.
    async fn of_customers() -> World {
        let world = World::new().await;
        for field in fields() {
            world.done("/api/v1/dcl/fields/account", field).await;
        }
        world.upload("shop.csv", CUSTOMERS).await;
        world.map("shop", customers()).await;
        world
    }

    async fn upload(&self, name: &str, content: &str) -> Value {
        let files: [(&str, &[u8]); 1] = [(name, content.as_bytes())];
        upload_files(&self.app, &self.ann, &files).await["files"][0].clone()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.app.get(path, &self.ann).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer}");
        answer.json()
    }

    /// Sends it, does what it started, and returns the answer.
    async fn done(&self, path: &str, body: Value) -> Value {
        let answer = self.app.post(path, &self.ann, body).await;
        assert!(answer.status.is_success(), "{path}: {answer}");
        run_all(&self.app).await;
        answer.json()
    }

    async fn map(&self, object: &str, mapping: Value) -> Value {
        let path = format!("/api/v1/dcl/mappings/{}/{object}", self.connection);
        self.done(&path, json!({"reason": "as I want it", "mapping": mapping}))
            .await
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = Body::from(body.to_string());
        let answer = self
            .app
            .send(method, path, Some(&self.ann), body, &[JSON])
            .await;
        run_all(&self.app).await;
        answer
    }

    /// The names of the accounts that a query finds, in its order.
    async fn names(&self, query: &str) -> String {
        let page = self
            .get(&format!("/api/v1/dcl/views/accounts?{query}"))
            .await;
        each(&page["data"], "name")
    }

    /// What is refused, and why.
    async fn refused(&self, method: Method, path: &str) -> (StatusCode, String) {
        let answer = self
            .app
            .send(method, path, Some(&self.ann), Body::empty(), &[])
            .await;
        (answer.status, answer.detail())
    }
}

/// The texts of one member of each, with spaces between.
fn each(rows: &Value, member: &str) -> String {
    let rows = rows.as_array().unwrap_or_else(|| panic!("no list: {rows}"));
    let texts = rows.iter().map(|it| it[member].as_str().unwrap_or("?"));
    texts.collect::<Vec<_>>().join(" ")
}

fn fields() -> Vec<Value> {
    vec![
        json!({"name": "tier", "type": "text", "enum": ["gold", "silver"], "description": "How much they matter."}),
        json!({"name": "score", "type": "decimal", "unit": "points"}),
        json!({"name": "visits", "type": "integer"}),
        json!({"name": "vip", "type": "boolean"}),
        json!({"name": "founded", "type": "date"}),
        json!({"name": "seen_at", "type": "timestamp"}),
        json!({"name": "tags", "type": "text_list"}),
    ]
}

fn customers() -> Value {
    let same = |target: &str, source: &str| json!({"target": target, "sources": [source]});
    let split = json!([{"kind": "array", "take": "all", "separator": ";"}]);
    json!({"entity": "account", "fields": [
        same("account_id", "no"), same("name", "title"), same("tier", "grade"),
        same("score", "points"), same("visits", "visits"), same("vip", "vip"),
        same("founded", "born"), same("seen_at", "seen"),
        {"target": "tags", "sources": ["labels"], "transforms": split},
    ]})
}

fn ticket() -> Value {
    json!({
        "name": "ticket",
        "description": "A request for help.",
        "key": ["ticket_id"],
        "fields": [
            {"name": "ticket_id", "type": "integer"},
            {"name": "subject", "type": "text", "required": true},
            {"name": "opened", "type": "date"},
        ],
    })
}

fn tickets() -> Value {
    let same = |target: &str, source: &str| json!({"target": target, "sources": [source]});
    json!({"entity": "ticket", "fields": [
        same("ticket_id", "nr"), same("subject", "betreff"), same("opened", "datum"),
    ]})
}

const TICKETS: &str = "nr,betreff,datum,rest\n2,Printer,2024-02-01,x\n10,Mouse,2023-12-31,y\n";

#[tokio::test]
async fn values_of_custom_fields_are_typed_and_shown() {
    let world = World::of_customers().await;
    let select = "select=tier,score,visits,vip,founded,seen_at,tags,extras&sort=account_id";
    let page = world
        .get(&format!("/api/v1/dcl/views/accounts?{select}"))
        .await;
    let text = page["data"].to_string();
    // A decimal keeps its digits, which a tree of JSON values would not.
    assert!(
        text.contains("12.50") || page["data"][0]["score"] == json!(12.5),
        "{text}"
    );
    assert_eq!(
        page["data"][0],
        json!({
            "tier": "gold", "score": 12.50, "visits": 3, "vip": true, "founded": "1990-05-17",
            "seen_at": "2024-01-31T10:00:00Z", "tags": ["a", "b"], "extras": {},
        })
    );
    assert_eq!(page["data"][1]["seen_at"], "2024-01-31T10:00:00.500Z");
    assert_eq!(
        page["data"][2],
        json!({
            "tier": "gold", "score": page["data"][2]["score"], "visits": null, "vip": null,
            "founded": null, "seen_at": null, "tags": ["c"], "extras": {},
        })
    );
    let whole = world
        .get("/api/v1/dcl/views/accounts?sort=account_id")
        .await;
    assert_eq!(whole["data"][0]["tier"], "gold");
}

#[tokio::test]
async fn records_are_filtered_by_custom_fields_of_every_type() {
    let world = World::of_customers().await;
    for (query, names) in [
        ("tier=gold", "Acme Cedar"),
        ("tier[ne]=gold", "Blue"),
        ("tier[like]=s%25", "Blue"),
        ("tier[in]=gold,silver", "Acme Blue Cedar"),
        ("score[gt]=12.4", "Acme Cedar"),
        ("score=12.5", "Acme"),
        ("score[gte]=100000000000000000000.01", "Cedar"),
        ("visits[lt]=20", "Acme"),
        ("visits[null]=true", "Cedar"),
        ("vip=true", "Acme"),
        ("vip[null]=false", "Acme Blue"),
        ("founded[gte]=1990-05-17", "Acme Blue"),
        ("founded[lt]=2000-01-01", "Acme"),
        ("seen_at[gt]=2024-01-31T10:00:00Z", "Blue"),
        ("seen_at=2024-01-31T11:00:00%2B01:00", "Acme"),
    ] {
        assert_eq!(
            world.names(&format!("{query}&sort=name")).await,
            names,
            "{query}"
        );
    }
    let wrong = "/api/v1/dcl/views/accounts?visits=many&tags=a";
    let answer = world.app.get(wrong, &world.ann).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    assert_eq!(each(&answer.json()["errors"], "pointer"), "?visits ?tags");
}

#[tokio::test]
async fn pages_follow_an_order_by_a_custom_field_to_the_end() {
    let world = World::of_customers().await;
    for (sort, names) in [
        ("visits", "Acme Blue Cedar"),
        ("-visits", "Blue Acme Cedar"),
        ("score", "Blue Acme Cedar"),
        ("founded", "Acme Blue Cedar"),
        ("-seen_at", "Blue Acme Cedar"),
        ("tier,-score", "Cedar Acme Blue"),
        ("-vip", "Acme Blue Cedar"),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path =
                format!("/api/v1/dcl/views/accounts?select=name&sort={sort}&limit=1{cursor}");
            let page = world.get(&path).await;
            seen.push(page["data"][0]["name"].as_str().unwrap().to_owned());
            match page["meta"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.join(" "), names, "{sort}");
    }
}

#[tokio::test]
async fn a_word_outside_of_the_enum_is_quarantined_until_the_enum_has_it() {
    let world = World::of_customers().await;
    world
        .upload("shop.csv", "no,title,grade\n4,Delta,bronze\n")
        .await;
    let path = format!("/api/v1/aam/connections/{}/quarantine", world.connection);
    let quarantined = world.get(&path).await;
    let reason = r#""bronze" is none of the words of `tier`: map it to one of them, or add it to the field's enum"#;
    assert_eq!(quarantined["records"][0]["reason"], reason);
    let change = json!({"enum": ["gold", "silver", "bronze"], "description": "Metal."});
    let answer = world
        .send(Method::PATCH, "/api/v1/dcl/fields/account/tier", change)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    assert_eq!(answer.json()["replays"].as_array().unwrap().len(), 1);
    assert_eq!(world.names("tier=bronze").await, "Delta");
    let narrower = json!({"enum": ["gold", "bronze"]});
    world
        .send(Method::PATCH, "/api/v1/dcl/fields/account/tier", narrower)
        .await;
    assert_eq!(world.names("sort=name").await, "Acme Cedar Delta");
}

#[tokio::test]
async fn a_dropped_field_leaves_the_views_and_its_raw_values_stay() {
    let world = World::of_customers().await;
    let tier = "/api/v1/dcl/fields/account/tier";
    let (status, detail) = world.refused(Method::DELETE, tier).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let name = "shop of Files is mapped to it: take it out of the mapping first";
    assert!(
        detail.ends_with(name) || detail.starts_with("shop of "),
        "{detail}"
    );
    let mut without = customers();
    without["fields"]
        .as_array_mut()
        .unwrap()
        .retain(|it| it["target"] != "tier");
    world.map("shop", without.clone()).await;
    let answer = world.send(Method::DELETE, tier, json!({})).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer}");
    let page = world
        .get("/api/v1/dcl/views/accounts?sort=account_id")
        .await;
    assert_eq!(page["data"][0]["extras"], json!({"grade": "gold"}));
    assert!(page["data"][0].get("tier").is_none());
    let (status, _) = world
        .refused(Method::GET, "/api/v1/dcl/views/accounts?tier=gold")
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // Declared again as another type it begins empty.
    let again = json!({"name": "tier", "type": "integer"});
    world.done("/api/v1/dcl/fields/account", again).await;
    assert_eq!(
        world.names("tier[null]=true&sort=name").await,
        "Acme Blue Cedar"
    );
}

#[tokio::test]
async fn an_entity_of_a_tenant_has_a_view_like_any_other() {
    let world = World::new().await;
    let declared = world.done("/api/v1/dcl/entities", ticket()).await;
    assert_eq!(
        (&declared["plural"], &declared["custom"]),
        (&json!("tickets"), &json!(true))
    );
    world.upload("hilfe.csv", TICKETS).await;
    world.map("hilfe", tickets()).await;
    let view = "/api/v1/dcl/views/tickets";
    let page = world
        .get(&format!(
            "{view}?sort=ticket_id&select=ticket_id,subject,opened,extras,source_id"
        ))
        .await;
    assert_eq!(
        page["data"],
        json!([
            {"ticket_id": 2, "subject": "Printer", "opened": "2024-02-01", "extras": {"rest": "x"}, "source_id": "2"},
            {"ticket_id": 10, "subject": "Mouse", "opened": "2023-12-31", "extras": {"rest": "y"}, "source_id": "10"},
        ])
    );
    assert_eq!(page["meta"]["total"], 2);
    let found = world.get(&format!("{view}?opened[lt]=2024-01-01")).await;
    assert_eq!(each(&found["data"], "subject"), "Mouse");
    let record = format!(
        "{view}/record?connection_id={}&object=hilfe&source_id=2",
        world.connection
    );
    assert_eq!(world.get(&record).await["data"]["subject"], "Printer");
    // A changed row takes the place of the old one.
    world
        .upload(
            "hilfe.csv",
            "nr,betreff,datum,rest\n2,Printer again,2024-02-01,x\n",
        )
        .await;
    let page = world.get(&format!("{view}?sort=ticket_id")).await;
    assert_eq!(each(&page["data"], "subject"), "Printer again Mouse");
    // More fields can be added later.
    let later = json!({"name": "priority", "type": "text"});
    world.done("/api/v1/dcl/fields/ticket", later).await;
    let mut mapping = tickets();
    let row = json!({"target": "priority", "sources": ["rest"]});
    mapping["fields"].as_array_mut().unwrap().push(row);
    world.map("hilfe", mapping).await;
    let found = world.get(&format!("{view}?priority=y")).await;
    assert_eq!(each(&found["data"], "subject"), "Mouse");
}

#[tokio::test]
async fn an_entity_stays_while_something_is_mapped_to_it() {
    let world = World::new().await;
    world.done("/api/v1/dcl/entities", ticket()).await;
    world.upload("hilfe.csv", TICKETS).await;
    world.map("hilfe", tickets()).await;
    let entity = "/api/v1/dcl/entities/ticket";
    let (status, detail) = world.refused(Method::DELETE, entity).await;
    assert_eq!(status, StatusCode::CONFLICT, "{detail}");
    assert!(detail.contains("hilfe"), "{detail}");
    let (status, detail) = world
        .refused(Method::DELETE, "/api/v1/dcl/fields/ticket/ticket_id")
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{detail}");
    let mapping = format!("/api/v1/dcl/mappings/{}/hilfe", world.connection);
    let answer = world.send(Method::DELETE, &mapping, json!({})).await;
    assert!(answer.status.is_success(), "{answer}");
    assert_eq!(
        world.get("/api/v1/dcl/views/tickets").await["data"],
        json!([])
    );
    let answer = world.send(Method::DELETE, entity, json!({})).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer}");
    let (status, _) = world
        .refused(Method::GET, "/api/v1/dcl/views/tickets")
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/api/v1/dcl/fields").await["fields"], json!([]));
    let (status, detail) = world
        .refused(Method::DELETE, "/api/v1/dcl/entities/account")
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{detail}");
}

#[tokio::test]
async fn the_records_of_an_entity_go_with_their_connection() {
    let world = World::new().await;
    world.done("/api/v1/dcl/entities", ticket()).await;
    world.upload("hilfe.csv", TICKETS).await;
    world.map("hilfe", tickets()).await;
    let path = format!("/api/v1/aam/connections/{}", world.connection);
    let answer = world.send(Method::DELETE, &path, json!({})).await;
    assert!(answer.status.is_success(), "{answer}");
    let left: i64 = sqlx::query_scalar("select count(*) from custom_records")
        .fetch_one(world.app.owner())
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn custom_fields_and_entities_are_proposed_by_their_names() {
    let world = World::new().await;
    world.done("/api/v1/dcl/entities", ticket()).await;
    world
        .upload(
            "export.csv",
            "Ticket ID,Subject,Opened\n1,Printer,2024-02-01\n2,Mouse,2024-02-03\n",
        )
        .await;
    let path = format!("/api/v1/dcl/proposals/{}/export", world.connection);
    let proposal = world.get(&path).await;
    assert_eq!(proposal["entity"], "ticket", "{}", proposal["entities"]);
    let fields = proposal["fields"].as_array().unwrap();
    let of =
        |target: &str| fields.iter().find(|it| it["target"] == target).unwrap()["source"].clone();
    assert_eq!(
        (of("subject"), of("opened")),
        (json!("Subject"), json!("Opened"))
    );
    let accepted = world.done(&format!("{path}/accept"), json!({})).await;
    assert!(accepted["version"].is_number(), "{accepted}");
    let page = world.get("/api/v1/dcl/views/tickets?sort=ticket_id").await;
    assert_eq!(each(&page["data"], "subject"), "Printer Mouse");
}

#[tokio::test]
async fn what_one_tenant_declares_does_not_exist_for_another() {
    let world = World::of_customers().await;
    world.done("/api/v1/dcl/entities", ticket()).await;
    let bob = world.app.register("Bob Ltd").await;
    let none = world.app.get("/api/v1/dcl/fields", &bob).await.json();
    assert_eq!(none["fields"], json!([]));
    for path in ["/api/v1/dcl/entities", "/api/v1/dcl/schema"] {
        let text = world.app.get(path, &bob).await.json().to_string();
        assert!(!text.contains("tier") && !text.contains("ticket"), "{path}");
        let own = world.get(path).await.to_string();
        assert!(own.contains("tier") && own.contains("ticket"), "{path}");
    }
    for (path, status) in [
        ("/api/v1/dcl/views/tickets", StatusCode::NOT_FOUND),
        ("/api/v1/dcl/entities/ticket", StatusCode::NOT_FOUND),
        ("/api/v1/dcl/fields/account/tier", StatusCode::NOT_FOUND),
        (
            "/api/v1/dcl/views/accounts?tier=gold",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        assert_eq!(world.app.get(path, &bob).await.status, status, "{path}");
    }
    let valid = "/api/v1/dcl/mappings/validate";
    let refused = world.app.post(valid, &bob, customers()).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{refused}"
    );
    assert_eq!(
        world.app.post(valid, &world.ann, customers()).await.status,
        StatusCode::OK
    );
    // The same names are free for the other.
    let own = json!({"name": "tier", "type": "integer"});
    let answer = world
        .app
        .post("/api/v1/dcl/fields/account", &bob, own)
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer}");
}

#[tokio::test]
async fn filters_by_an_indexed_field_use_its_index() {
    let world = World::of_customers().await;
    for field in ["tier", "score", "visits", "vip", "founded", "seen_at"] {
        let path = format!("/api/v1/dcl/fields/account/{field}/index");
        let answer = world.send(Method::PUT, &path, json!({})).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        assert_eq!(answer.json()["indexed"], true);
    }
    let indexes = "select count(*) from pg_indexes where indexname ~ '^custom_field_[0-9]+$'";
    let count = async || -> i64 {
        let rows = sqlx::query_scalar(indexes).fetch_one(world.app.owner());
        rows.await.unwrap()
    };
    assert_eq!(count().await, 6);
    let id: i64 = sqlx::query_scalar("select id from custom_fields where name = 'founded'")
        .fetch_one(world.app.owner())
        .await
        .unwrap();
    // As a view filters.
    let explain = format!(
        "explain select name from accounts where tenant_id = $1 \
         and ((custom ->> '{id}') collate \"C\") >= $2::text"
    );
    let mut tx = world.app.owner().begin().await.unwrap();
    sqlx::query("set local enable_seqscan = off")
        .execute(&mut *tx)
        .await
        .unwrap();
    let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(explain))
        .bind(world.ann.tenant)
        .bind("1990-01-01")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    // It holds the index.
    tx.rollback().await.unwrap();
    assert!(
        plan.concat().contains(&format!("custom_field_{id}")),
        "{plan:?}"
    );
    assert_eq!(
        world.names("founded[gte]=1990-05-17&sort=name").await,
        "Acme Blue"
    );
    let (status, detail) = world
        .refused(Method::PUT, "/api/v1/dcl/fields/account/tags/index")
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{detail}");
    world
        .send(
            Method::DELETE,
            "/api/v1/dcl/fields/account/tier/index",
            json!({}),
        )
        .await;
    assert_eq!(count().await, 5);
}

#[tokio::test]
async fn a_wrong_declaration_says_what_to_do() {
    let world = World::new().await;
    let wrong = json!({"name": "Stufe", "type": "text", "enum": ["a", "a"]});
    let answer = world
        .app
        .post("/api/v1/dcl/fields/account", &world.ann, wrong)
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    assert_eq!(each(&answer.json()["errors"], "pointer"), "/name /enum/1");
    let unknown = json!({"name": "x", "type": "money"});
    let answer = world
        .app
        .post("/api/v1/dcl/fields/account", &world.ann, unknown)
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    let no_entity = json!({"name": "x", "type": "text"});
    let answer = world
        .app
        .post("/api/v1/dcl/fields/lead", &world.ann, no_entity)
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer}");
    for _ in 0..2 {
        world
            .app
            .post("/api/v1/dcl/entities", &world.ann, ticket())
            .await;
    }
    let again = world
        .app
        .post("/api/v1/dcl/entities", &world.ann, ticket())
        .await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{again}");
    let other_type = json!({"type": "integer"});
    let path = "/api/v1/dcl/fields/ticket/subject";
    let answer = world.send(Method::PATCH, path, other_type).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
}

#[tokio::test]
async fn an_index_is_one_of_the_entity_s_own_table() {
    let world = World::new().await;
    world.done("/api/v1/dcl/entities", ticket()).await;
    let tables = ENTITIES
        .iter()
        .map(|it| (it.kind.to_string(), it.table().to_owned()));
    let tables: Vec<_> = tables
        .chain([("ticket".to_owned(), CUSTOM_TABLE.to_owned())])
        .collect();
    for (entity, table) in tables {
        let field = json!({"name": "note", "type": "text"});
        let path = format!("/api/v1/dcl/fields/{entity}");
        world.done(&path, field).await;
        let answer = world
            .send(Method::PUT, &format!("{path}/note/index"), json!({}))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        let of: String = sqlx::query_scalar(
            "select tablename::text from pg_indexes where indexname = (
               select 'custom_field_' || id from custom_fields where entity = $1 and name = 'note'
             )",
        )
        .bind(&entity)
        .fetch_one(world.app.owner())
        .await
        .unwrap();
        assert_eq!(of, table, "{entity}");
    }
}
