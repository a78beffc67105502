//! The recorded events are such as AWS sends, to the functions that they are named after.

use axum::body::Body;
use lambda_http::Request;
use lambda_http::aws_lambda_events::sqs::SqsEvent;
use lambda_http::request::LambdaRequest;
use platform::queue::JobRef;
use serde_json::Value;
use tests::app::TestApp;

use super::{TEMPLATE, functions, root, routes};

/// The events, by the names of their files: `FUNCTION-WHAT.json`.
fn events() -> Vec<(String, String)> {
    let folder = std::fs::read_dir(root().join("infra/aws/events")).unwrap();
    let events = folder.map(|it| {
        let path = it.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    });
    let mut events: Vec<_> = events.collect();
    events.sort();
    events
}

#[test]
fn each_function_has_an_event_and_each_event_a_function() {
    let functions = functions();
    let mut called = std::collections::BTreeSet::new();
    for (name, _) in events() {
        let (function, _) = name.rsplit_once('-').unwrap();
        assert!(functions.contains_key(function), "{name} is for nobody");
        called.insert(function.to_owned());
    }
    for name in functions.keys() {
        assert!(called.contains(*name), "no event calls {name}");
    }
}

#[tokio::test]
async fn a_request_of_the_gateway_is_answered() {
    let app = TestApp::start().await;
    let person = app.register("Recorded").await;
    let mut answers = vec![];
    for (name, text) in events() {
        let Some(function) = name.strip_suffix("-http") else {
            continue;
        };
        let event: Value = serde_json::from_str(&text).unwrap();
        let said = |pointer: &str| event.pointer(pointer).unwrap().as_str().unwrap();
        let (method, path) = (said("/requestContext/http/method"), said("/rawPath"));
        let (key, chosen) = routes::key_and_function(method, path);
        assert_eq!(said("/routeKey"), key, "{name}");
        assert_eq!(function, chosen, "{name}");

        let text = text.replace("a.b.c", &person.token);
        let request: LambdaRequest = serde_json::from_str(&text).unwrap();
        let request = Request::from(request).map(|body| Body::from(body.to_vec()));
        let answer = app.call(request).await;
        answers.push(format!("{name}: {}", answer.status));
    }
    insta::assert_snapshot!(answers.join("\n"), @r"
    aam-connect-http: 200 OK
    aam-monitor-http: 200 OK
    auth-http: 201 Created
    dcl-query-http: 200 OK
    event-ingest-http: 422 Unprocessable Entity
    ");
}

#[test]
fn a_queue_s_messages_have_ids_and_a_worker_s_name_a_job() {
    for (name, text) in events() {
        let Some(function) = name.strip_suffix("-queue") else {
            continue;
        };
        let batch: SqsEvent = serde_json::from_str(&text).unwrap();
        assert!(!batch.records.is_empty(), "{name}");
        for message in batch.records {
            assert!(message.message_id.is_some(), "{name}");
            let body = message.body.unwrap();
            if function == "aam-worker" {
                serde_json::from_str::<JobRef>(&body).unwrap();
            }
        }
    }
}

#[test]
fn each_schedule_sends_what_is_recorded_and_the_worker_knows() {
    let mut known = vec![];
    for (schedule, event) in [
        ("Sweep", "aam-worker-sweep"),
        ("StandingSyncs", "aam-worker-sync"),
        ("SchemaChecks", "aam-worker-check"),
    ] {
        let input = &TEMPLATE["Resources"][schedule]["Properties"]["Target"]["Input"];
        let input: Value = serde_json::from_str(input.as_str().unwrap()).unwrap();
        let all = events();
        let (_, recorded) = all.iter().find(|(it, _)| it == event).unwrap();
        assert_eq!(serde_json::from_str::<Value>(recorded).unwrap(), input);
        known.push(input["schedule"].as_str().unwrap().to_owned());
    }
    assert_eq!(known, aam_connect::SCHEDULES);
    let resources = TEMPLATE["Resources"].as_object().unwrap().values();
    let schedules = resources.filter(|it| it["Type"] == "AWS::Scheduler::Schedule");
    assert_eq!(schedules.count(), known.len());
}

#[test]
fn a_rotation_takes_its_four_steps_in_one_version() {
    let mut versions = vec![];
    for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        let name = format!("auth-rotate-{step}");
        let all = events();
        let (_, text) = all.iter().find(|(it, _)| *it == name).unwrap();
        let event: Value = serde_json::from_str(text).unwrap();
        assert_eq!(event["Step"], step);
        versions.push((
            event["SecretId"].clone(),
            event["ClientRequestToken"].clone(),
        ));
    }
    versions.dedup();
    assert_eq!(versions.len(), 1);
}
