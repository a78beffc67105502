//! The forms that an event may have over HTTP, and what is said of one that has none.

use axum::http::Method;
use serde_json::{Value, json};
use tests::app::{Answer, JSON, Person, TestApp};
use tests::fixtures::connections::insert_connection;
use uuid::Uuid;

const CLOUD: (&str, &str) = ("content-type", "application/cloudevents+json");

struct World {
    app: TestApp,
    person: Person,
    connection: Uuid,
}

impl World {
    async fn new() -> World {
        let app = TestApp::start().await;
        let person = app.register("Acme").await;
        let connection = insert_connection(&app.database().pool(), &person, "crm").await;
        World {
            app,
            person,
            connection,
        }
    }

    fn envelope(&self) -> Value {
        json!({
            "source": { "system": "crm", "connection_id": self.connection },
            "entity": "account", "op": "upsert", "data": { "account_id": "1", "name": "One" },
        })
    }

    fn cloud_event(&self) -> Value {
        json!({
            "specversion": "1.0", "id": "e1", "source": format!("/connections/{}/crm", self.connection),
            "type": "account.upsert", "data": { "account_id": "2", "name": "Two" },
        })
    }

    async fn send(&self, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let (person, body) = (Some(&self.person), body.to_string().into());
        let events = "/api/v1/events";
        self.app
            .send(Method::POST, events, person, body, headers)
            .await
    }
}

#[tokio::test]
async fn a_cloud_event_in_json_says_itself_that_it_is_one() {
    let world = World::new().await;
    let answer = world.send(&world.cloud_event(), &[JSON]).await;
    assert_eq!(answer.json()["accepted"], 1, "{answer}");
    let mixed = json!([world.envelope(), world.cloud_event()]);
    let answer = world.send(&mixed, &[JSON]).await.json();
    assert_eq!(
        (&answer["accepted"], &answer["duplicate"]),
        (&json!(1), &json!(1)),
        "{answer}"
    );
}

#[tokio::test]
async fn the_data_of_a_binary_event_is_json_where_nothing_says_what_it_is() {
    let world = World::new().await;
    let event = world.cloud_event();
    let headers = ["specversion", "id", "source", "type"];
    let headers = headers.map(|it| (format!("ce-{it}"), event[it].as_str().unwrap().to_owned()));
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = world.send(&event["data"], &headers).await;
    assert_eq!(answer.json()["accepted"], 1, "{answer}");
    let text = [headers, vec![("content-type", "text/plain")]].concat();
    assert_eq!(world.send(&event["data"], &text).await.status.as_u16(), 415);
    // Other bodies are only taken for what they say that they are.
    assert_eq!(
        world.send(&world.envelope(), &[]).await.status.as_u16(),
        415
    );
}

#[tokio::test]
async fn what_is_wrong_in_an_event_is_pointed_at() {
    let world = World::new().await;
    let without = |pointer: &str, field: &str| {
        let mut event = world.envelope();
        let parent = event.pointer_mut(pointer).unwrap().as_object_mut();
        parent.unwrap().remove(field);
        event
    };
    let mut foreign = world.envelope();
    foreign["source"]["system"] = json!("Not a system");
    let cloud = |attribute: &str| {
        let mut event = world.cloud_event();
        event[attribute] = json!("wrong");
        event
    };
    for (body, kind, pointer) in [
        (without("", "entity"), JSON, "/entity"),
        (without("", "data"), JSON, "/data"),
        (json!([without("", "op")]), JSON, "/0/op"),
        (
            json!([without("/source", "system")]),
            JSON,
            "/0/source/system",
        ),
        (foreign, JSON, "/source/system"),
        (json!([1, 2]), JSON, "/0"),
        (cloud("type"), CLOUD, "/type"),
        (cloud("source"), CLOUD, "/source"),
        (cloud("time"), JSON, "/time"),
        (json!([cloud("specversion")]), CLOUD, "/0/specversion"),
    ] {
        let answer = world.send(&body, &[kind]).await;
        let found = answer.problem()["errors"][0]["pointer"].clone();
        assert_eq!(found, pointer, "{body}: {answer}");
    }
    let headers = [("ce-specversion", "1.0"), ("ce-id", "e1")];
    let answer = world.send(&json!([]), &headers).await;
    assert_eq!(
        answer.problem()["errors"][0]["pointer"],
        "ce-source",
        "{answer}"
    );
}
