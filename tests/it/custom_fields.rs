//! Fields that a tenant adds to an entity.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::fixtures::json::each;
use tests::fixtures::own_data::World;

/// As a shop keeps its customers: each column is one of the custom fields of [`fields()`].
const CUSTOMERS: &str = "no,title,grade,points,visits,vip,born,seen,labels\n\
    1,Acme,gold,12.50,3,yes,1990-05-17,2024-01-31T10:00:00Z,a;b\n\
    2,Blue,silver,-1,20,no,2001-01-01,2024-01-31T10:00:00.5Z,\n\
    3,Cedar,gold,100000000000000000000.01,,,,,c\n";

/// The names of the accounts that a query finds, in its order.
async fn account_names(world: &World, query: &str) -> String {
    let path = format!("/api/v1/dcl/views/accounts?{query}");
    each(&world.get(&path).await["data"], "name")
}

/// Customers with custom fields of all types, mapped.
async fn of_customers() -> World {
    let world = World::new().await;
    for field in fields() {
        world.post("/api/v1/dcl/fields/account", field).await;
    }
    world.upload("shop.csv", CUSTOMERS).await;
    world.map("shop", customers()).await;
    world
}

/// What is refused, and why.
async fn refused(world: &World, method: Method, path: &str) -> (StatusCode, String) {
    let answer = world.send(method, path, json!({})).await;
    (answer.status, answer.detail())
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

#[tokio::test]
async fn values_of_custom_fields_are_typed_and_shown() {
    let world = of_customers().await;
    let select = "select=tier,score,visits,vip,founded,seen_at,tags,extras&sort=account_id";
    let path = format!("/api/v1/dcl/views/accounts?{select}");
    let answer = world.app.get(&path, &world.ann).await;
    // A decimal keeps its digits, which a tree of JSON values would not: so the text is compared.
    let rows = [
        r#"{"tier":"gold","score":12.50,"visits":3,"vip":true,"founded":"1990-05-17","seen_at":"2024-01-31T10:00:00Z","tags":["a", "b"],"extras":{}}"#,
        r#"{"tier":"silver","score":-1,"visits":20,"vip":false,"founded":"2001-01-01","seen_at":"2024-01-31T10:00:00.500Z","tags":null,"extras":{}}"#,
        r#"{"tier":"gold","score":100000000000000000000.01,"visits":null,"vip":null,"founded":null,"seen_at":null,"tags":["c"],"extras":{}}"#,
    ];
    let data = format!(r#""data":[{}]"#, rows.join(","));
    assert!(answer.to_string().contains(&data), "{answer}");
    let whole = world
        .get("/api/v1/dcl/views/accounts?sort=account_id")
        .await;
    assert_eq!(whole["data"][0]["tier"], "gold");
}

#[tokio::test]
async fn records_are_filtered_by_custom_fields_of_every_type() {
    let world = of_customers().await;
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
        ("tags[contains]=a", "Acme"),
        ("tags[contains]=b,a", "Acme"),
        ("tags[contains]=c", "Cedar"),
        ("tags[contains]=a,c", ""),
        ("tags[contains]=a\\,b", ""),
        ("tags[null]=true", "Blue"),
        ("tags[null]=false", "Acme Cedar"),
        ("external_ids[null]=true", "Acme Blue Cedar"),
        ("external_ids[contains]=a", ""),
    ] {
        assert_eq!(
            account_names(&world, &format!("{query}&sort=name")).await,
            names,
            "{query}"
        );
    }
    let wrong = "/api/v1/dcl/views/accounts?visits=many&tags=a&tier[contains]=g&extras=x";
    let answer = world.app.get(wrong, &world.ann).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    let errors = answer.json()["errors"].clone();
    assert_eq!(
        each(&errors, "pointer"),
        "?visits ?tags ?tier[contains] ?extras"
    );
    let detail = "is a list: ask for one that has a text, as in `field[contains]=a`, or for none \
                  with `field[null]=true`";
    assert_eq!(errors[1]["detail"], detail);
}

#[tokio::test]
async fn pages_follow_an_order_by_a_custom_field_to_the_end() {
    let world = of_customers().await;
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
    let world = of_customers().await;
    world
        .upload("shop.csv", "no,title,grade\n4,Delta,bronze\n")
        .await;
    let path = format!("/api/v1/aam/connections/{}/quarantine", world.connection);
    let quarantined = world.get(&path).await;
    let reason = r#""bronze" is none of the words of `tier`: map it to one of them, or add it to the field's enum"#;
    assert_eq!(quarantined["records"][0]["reason"], reason);
    let groups = format!(
        "/api/v1/aam/connections/{}/quarantine/groups",
        world.connection
    );
    let groups = world.get(&groups).await;
    let fix = json!([{"kind": "add_field_words", "entity": "account", "words": ["bronze"],
        "all": ["gold", "silver", "bronze"]}]);
    assert_eq!(groups["groups"][0]["fixes"], fix, "{groups}");
    let change = json!({"enum": ["gold", "silver", "bronze"], "description": "Metal."});
    let answer = world
        .send(Method::PATCH, "/api/v1/dcl/fields/account/tier", change)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    assert_eq!(answer.json()["replays"].as_array().unwrap().len(), 1);
    assert_eq!(account_names(&world, "tier=bronze").await, "Delta");
    let narrower = json!({"enum": ["gold", "bronze"]});
    world
        .send(Method::PATCH, "/api/v1/dcl/fields/account/tier", narrower)
        .await;
    assert_eq!(account_names(&world, "sort=name").await, "Acme Cedar Delta");
}

#[tokio::test]
async fn a_dropped_field_leaves_the_views_and_its_raw_values_stay() {
    let world = of_customers().await;
    let tier = "/api/v1/dcl/fields/account/tier";
    let (status, detail) = refused(&world, Method::DELETE, tier).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let name = "shop of Files is mapped to it: take it out of the mapping first";
    assert_eq!(detail, name);
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
    let (status, _) = refused(&world, Method::GET, "/api/v1/dcl/views/accounts?tier=gold").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // Declared again as another type it begins empty.
    let again = json!({"name": "tier", "type": "integer"});
    world.post("/api/v1/dcl/fields/account", again).await;
    assert_eq!(
        account_names(&world, "tier[null]=true&sort=name").await,
        "Acme Blue Cedar"
    );
}

#[tokio::test]
async fn filters_by_an_indexed_field_use_its_index() {
    let world = of_customers().await;
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
        account_names(&world, "founded[gte]=1990-05-17&sort=name").await,
        "Acme Blue"
    );
    let (status, detail) =
        refused(&world, Method::PUT, "/api/v1/dcl/fields/account/tags/index").await;
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
async fn what_one_tenant_declares_does_not_exist_for_another() {
    let world = of_customers().await;
    let ticket = json!({
        "name": "ticket", "key": ["id"], "fields": [{"name": "id", "type": "text"}],
    });
    world.post("/api/v1/dcl/entities", ticket).await;
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
