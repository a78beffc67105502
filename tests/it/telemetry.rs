//! What a function says of itself: log lines, metrics, spans.

use std::future::pending;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use prost::Message;
use serde_json::json;
use tests::fixtures::events::{MessageSender, gateway_request, sqs_batch, sqs_failures};
use tests::fixtures::json::pick;
use tests::lambda::Function;

const PROGRAM: &str = env!("CARGO_BIN_EXE_function");
use tokio::net::TcpListener;
use tokio::sync::mpsc;

#[tokio::test]
async fn lines_and_metrics_say_whose_request_it_was() {
    let sender = MessageSender::start().await;
    let function = Function::start(PROGRAM, "event-ingest", &sender.app).await;
    let events = json!([sender.event("1"), { "no": "event" }]);
    function
        .invoke(sqs_batch(&[sender.message("m", &events)]))
        .await
        .unwrap();

    let line = function.log(|it| it["message"] == "2 events came").await;
    let trace = "5759e988bd862e3fe1be46a994272793";
    assert_eq!(line["service"], "event-ingest");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["function_name"], "autonomos-event-ingest");
    assert_eq!(line["function_memory_size"], 512);
    assert_eq!(line["cold_start"], true);
    assert_eq!(line["xray_trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(line["tenant"], json!(sender.person.tenant));
    assert_eq!(line["correlation_id"], line["trace_id"]);
    for key in [
        "location",
        "timestamp",
        "function_request_id",
        "function_arn",
    ] {
        assert!(line[key].is_string(), "{key} in {line}");
    }

    let metrics = function.metrics(|it| it["EventsAccepted"] == 1.0).await;
    assert_eq!(metrics["EventsRejected"], 1.0);
    assert_eq!(metrics["ColdStart"], 1.0);
    assert_eq!(metrics["tenant"], json!(sender.person.tenant));
    let directive = metrics.pointer("/_aws/CloudWatchMetrics/0").unwrap();
    let found = pick(directive, "Namespace Dimensions");
    assert_eq!(found, r#"AutonomOS [["service"]]"#);

    // Through the gateway, the trace of X-Ray is the request's, unless the client brings its own.
    let answer = function
        .invoke(gateway_request("/api/v1/events", "POST"))
        .await
        .unwrap();
    assert_eq!(answer["statusCode"], 401, "{answer}");
    assert_eq!(answer["headers"]["x-trace-id"], trace);
    let line = function.log(|it| it["status"] == 401).await;
    assert_eq!(line["trace_id"], trace);
    assert_eq!(line["cold_start"], false);
}

/// Of OTLP's messages what is looked at here.
mod wire {
    #[derive(prost::Message)]
    pub(super) struct Request {
        #[prost(message, repeated, tag = "1")]
        pub(super) resource_spans: Vec<ResourceSpans>,
    }

    #[derive(prost::Message)]
    pub(super) struct ResourceSpans {
        #[prost(message, optional, tag = "1")]
        pub(super) resource: Option<Resource>,
        #[prost(message, repeated, tag = "2")]
        pub(super) scope_spans: Vec<ScopeSpans>,
    }

    #[derive(prost::Message)]
    pub(super) struct Resource {
        #[prost(message, repeated, tag = "1")]
        pub(super) attributes: Vec<Attribute>,
    }

    #[derive(prost::Message)]
    pub(super) struct ScopeSpans {
        #[prost(message, repeated, tag = "2")]
        pub(super) spans: Vec<Span>,
    }

    #[derive(prost::Message)]
    pub(super) struct Span {
        #[prost(bytes = "vec", tag = "1")]
        pub(super) trace_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        pub(super) span_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "4")]
        pub(super) parent_span_id: Vec<u8>,
        #[prost(string, tag = "5")]
        pub(super) name: String,
        #[prost(int32, tag = "6")]
        pub(super) kind: i32,
        #[prost(fixed64, tag = "7")]
        pub(super) start: u64,
        #[prost(fixed64, tag = "8")]
        pub(super) end: u64,
        #[prost(message, repeated, tag = "9")]
        pub(super) attributes: Vec<Attribute>,
        #[prost(message, optional, tag = "15")]
        pub(super) status: Option<Status>,
    }

    #[derive(prost::Message)]
    pub(super) struct Status {
        #[prost(int32, tag = "3")]
        pub(super) code: i32,
    }

    #[derive(prost::Message)]
    pub(super) struct Attribute {
        #[prost(string, tag = "1")]
        pub(super) key: String,
        #[prost(message, optional, tag = "2")]
        pub(super) value: Option<Value>,
    }

    #[derive(prost::Message)]
    pub(super) struct Value {
        #[prost(string, tag = "1")]
        pub(super) text: String,
    }
}

type Sent = (HeaderMap, Bytes);

async fn collect(State(sent): State<mpsc::Sender<Sent>>, headers: HeaderMap, body: Bytes) {
    sent.send((headers, body)).await.unwrap();
}

fn text(attributes: &[wire::Attribute], key: &str) -> String {
    let found = attributes.iter().find(|it| it.key == key);
    found.unwrap().value.as_ref().unwrap().text.clone()
}

#[tokio::test]
async fn spans_go_to_the_collector_in_the_trace_of_the_sender() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, mut sent) = mpsc::channel(10);
    let router = Router::new()
        .route("/v1/traces", post(collect))
        .with_state(sender);
    tokio::spawn(async { axum::serve(listener, router).await });
    let sender = MessageSender::start().await;
    let environment = [
        ("DATABASE_URL", sender.app.database().url()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "x-team=data, x-token=a=b".to_owned(),
        ),
    ];
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, it)| (*name, it.as_str()))
        .collect();
    let function = Function::with(PROGRAM, "event-ingest", &sender.app, &environment).await;

    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut message = sender.message("m", &json!([sender.event("1"), 7]));
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    message["messageAttributes"]["traceparent"] = json!({ "stringValue": parent });
    let answer = function.invoke(sqs_batch(&[message])).await.unwrap();
    assert_eq!(answer, sqs_failures(&["m"]));

    let (headers, body) = sent.recv().await.unwrap();
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert_eq!(
        (&headers["x-team"], &headers["x-token"]),
        (&"data".parse().unwrap(), &"a=b".parse().unwrap())
    );
    let request = wire::Request::decode(body).unwrap();
    let [spans] = &request.resource_spans[..] else {
        panic!("{request:?}")
    };
    let resource = spans.resource.as_ref().unwrap();
    assert_eq!(text(&resource.attributes, "service.name"), "event-ingest");
    let [span] = &spans.scope_spans[0].spans[..] else {
        panic!("{spans:?}")
    };
    assert_eq!(
        span.trace_id,
        u128::from_str_radix(trace, 16).unwrap().to_be_bytes()
    );
    assert_eq!(span.parent_span_id, 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes());
    assert_eq!(span.span_id.len(), 8);
    assert_eq!((span.name.as_str(), span.kind), ("message", 5));
    assert!(span.start < span.end, "{span:?}");
    assert_eq!(span.status.as_ref().unwrap().code, 2);
    assert_eq!(
        text(&span.attributes, "tenant"),
        sender.person.tenant.to_string()
    );
}

#[tokio::test]
async fn a_collector_that_is_silent_costs_no_request() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/traces", post(pending::<()>));
    tokio::spawn(async { axum::serve(listener, router).await });
    let sender = MessageSender::start().await;
    let environment = [
        ("DATABASE_URL", sender.app.database().url()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
    ];
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, it)| (*name, it.as_str()))
        .collect();
    let function = Function::with(PROGRAM, "event-ingest", &sender.app, &environment).await;
    for id in ["1", "2"] {
        let message = sender.message("m", &sender.event(id));
        let answer = function.invoke(sqs_batch(&[message])).await.unwrap();
        assert_eq!(answer, sqs_failures(&[]));
    }
    function
        .log(|it| it["message"] == "1 spans are lost: the collector is slow")
        .await;
}
