//! Events through the queue.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::ministack::kill;
use crate::queue::Queue;
use crate::wait::until;

pub(crate) async fn events_of_the_queue_reach_the_views(deployment: &Deployment) {
    let queue = deployment.queue("EventsQueueUrl");
    let key = deployment.api_key().await;
    for batch in 0..12 {
        let events: Vec<_> = (0..5)
            .map(|it| event(deployment, "sent", batch * 5 + it))
            .collect();
        queue.send(&key, &json!(events).to_string()).await;
    }
    seen(deployment, "sent", 60).await;
    drained(&queue).await;
}

pub(crate) async fn a_poison_message_ends_alone_with_the_dead_letters(deployment: &Deployment) {
    let queue = deployment.queue("EventsQueueUrl");
    let dead = deployment.queue("EventsDeadLettersUrl");
    let key = deployment.api_key().await;
    let good = |it| event(deployment, "neighbour", it).to_string();
    let mut poison = [
        "this is not JSON".to_owned(),
        json!({ "neither": "an event" }).to_string(),
        good(99),
    ];
    let keys = [key.as_str(), key.as_str(), "aos_nobody"];
    for (index, (body, key_of_poison)) in poison.iter().zip(keys).enumerate() {
        queue.send(&key, &good(index)).await;
        queue.send(key_of_poison, body).await;
    }
    seen(deployment, "neighbour", 3).await;
    until("the dead letters", async || {
        (dead.total().await == 3).then_some(())
    })
    .await;
    poison.sort();
    assert_eq!(dead.receive().await, poison);
    drained(&queue).await;
    seen(deployment, "neighbour", 3).await;
}

pub(crate) async fn a_batch_whose_function_is_killed_takes_effect_once(deployment: &Deployment) {
    let queue = deployment.queue("EventsQueueUrl");
    let key = deployment.api_key().await;
    queue.hide_for(5).await;
    let before = deployment.count("select count(*) from raw_records").await;

    let lock = deployment.lock("accounts").await;
    for batch in 0..3 {
        let events: Vec<_> = (0..20)
            .map(|it| event(deployment, "once", batch * 20 + it))
            .collect();
        queue.send(&key, &json!(events).to_string()).await;
    }
    deployment.somebody_waits().await;
    let processes = deployment.ministack.processes("-event-ingest");
    assert!(!processes.is_empty(), "no event-ingest runs");
    for process in processes {
        kill(process).unwrap();
    }
    lock.rollback().await.unwrap();

    seen(deployment, "once", 60).await;
    drained(&queue).await;
    seen(deployment, "once", 60).await;
    let rows = "select count(*) from accounts where name like 'once %'";
    assert_eq!(deployment.count(rows).await, 60);
    let after = deployment.count("select count(*) from raw_records").await;
    assert_eq!(after - before, 60);
}

/// An event about an account of that name and number.
fn event(deployment: &Deployment, name: &str, number: usize) -> Value {
    json!({
        "source": { "system": "crm", "connection_id": deployment.connection },
        "entity": "account",
        "op": "upsert",
        "data": { "account_id": format!("{name}-{number}"), "name": format!("{name} {number:03}") },
    })
}

/// Waits until the view shows so many accounts of that name, each once.
async fn seen(deployment: &Deployment, name: &str, expected: usize) {
    let path = format!("/api/v1/dcl/views/accounts?limit=1000&name[like]={name}%25");
    let mut names = until(&format!("{expected} accounts `{name}`"), async || {
        let view = deployment
            .api
            .get(&path, deployment.person.token.as_str())
            .await;
        assert_eq!(view.status, StatusCode::OK, "{view}");
        let data = view.json()["data"].take();
        let names = data.as_array()?.iter().map(|it| it["name"].to_string());
        let names: Vec<_> = names.collect();
        (expected <= names.len()).then_some(names)
    })
    .await;
    names.sort();
    names.dedup();
    assert_eq!(names.len(), expected, "{names:?}");
}

async fn drained(queue: &Queue<'_>) {
    until("an empty queue", async || {
        (queue.total().await == 0).then_some(())
    })
    .await;
}
