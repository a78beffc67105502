//! Entities that a tenant declares itself.

use axum::http::{Method, StatusCode};
use schema::entity::{CUSTOM_TABLE, ENTITIES};
use serde_json::{Value, json};
use tests::fixtures::json::each;
use tests::fixtures::own_data::World;

/// What is refused, and why.
async fn refused(world: &World, method: Method, path: &str) -> (StatusCode, String) {
    let answer = world.send(method, path, json!({})).await;
    (answer.status, answer.detail())
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
async fn an_entity_of_a_tenant_has_a_view_like_any_other() {
    let world = World::new().await;
    let declared = world.post("/api/v1/dcl/entities", ticket()).await;
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
    world.post("/api/v1/dcl/fields/ticket", later).await;
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
    world.post("/api/v1/dcl/entities", ticket()).await;
    world.upload("hilfe.csv", TICKETS).await;
    world.map("hilfe", tickets()).await;
    let entity = "/api/v1/dcl/entities/ticket";
    let (status, detail) = refused(&world, Method::DELETE, entity).await;
    assert_eq!(status, StatusCode::CONFLICT, "{detail}");
    assert!(detail.contains("hilfe"), "{detail}");
    let (status, detail) = refused(
        &world,
        Method::DELETE,
        "/api/v1/dcl/fields/ticket/ticket_id",
    )
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
    let (status, _) = refused(&world, Method::GET, "/api/v1/dcl/views/tickets").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/api/v1/dcl/fields").await["fields"], json!([]));
    let (status, detail) = refused(&world, Method::DELETE, "/api/v1/dcl/entities/account").await;
    assert_eq!(status, StatusCode::CONFLICT, "{detail}");
}

#[tokio::test]
async fn the_records_of_an_entity_go_with_their_connection() {
    let world = World::new().await;
    world.post("/api/v1/dcl/entities", ticket()).await;
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
    world.post("/api/v1/dcl/entities", ticket()).await;
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
    let accepted = world.post(&format!("{path}/accept"), json!({})).await;
    assert!(accepted["version"].is_number(), "{accepted}");
    let page = world.get("/api/v1/dcl/views/tickets?sort=ticket_id").await;
    assert_eq!(each(&page["data"], "subject"), "Printer Mouse");
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
    world.post("/api/v1/dcl/entities", ticket()).await;
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
    world.post("/api/v1/dcl/entities", ticket()).await;
    let tables = ENTITIES
        .iter()
        .map(|it| (it.kind.to_string(), it.table().to_owned()));
    let tables: Vec<_> = tables
        .chain([("ticket".to_owned(), CUSTOM_TABLE.to_owned())])
        .collect();
    for (entity, table) in tables {
        let field = json!({"name": "note", "type": "text"});
        let path = format!("/api/v1/dcl/fields/{entity}");
        world.post(&path, field).await;
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
