//! The two interfaces that a function calls: Lambda's runtime API, and SQS in AWS JSON 1.0.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

/// Longer than anything here takes, on a busy machine too.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

const NO_PANIC: &str = "nothing panics while it is held";

/// What a function reported of an invocation that failed.
#[derive(Debug)]
pub struct Failed(pub Value);

/// A call of SQS.
#[derive(Debug, Clone)]
pub struct Call {
    /// `SendMessage`, say.
    pub action: String,
    /// Its parameters.
    pub input: Value,
}

/// The server of both interfaces.
#[derive(Clone)]
pub(super) struct Api(Arc<Parts>);

struct Parts {
    base: String,
    send: mpsc::UnboundedSender<Invocation>,
    receive: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Result<Value, Failed>>>>,
    calls: watch::Sender<Vec<Call>>,
}

struct Invocation {
    id: String,
    event: Value,
    deadline: SystemTime,
}

impl Api {
    pub(super) async fn start() -> Api {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (send, receive) = mpsc::unbounded_channel();
        let api = Api(Arc::new(Parts {
            base: address.to_string(),
            send,
            receive: receive.into(),
            waiting: Mutex::default(),
            calls: watch::Sender::default(),
        }));
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2020-01-01/extension/register", post(register))
            .route(
                "/2020-01-01/extension/event/next",
                get(std::future::pending::<()>),
            )
            .route("/", post(sqs))
            .with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        api
    }

    /// Host and port.
    pub(super) fn address(&self) -> &str {
        &self.0.base
    }

    /// Calls the function. What it answers comes through the channel.
    pub(super) fn invoke(
        &self,
        event: Value,
        time: Duration,
    ) -> oneshot::Receiver<Result<Value, Failed>> {
        let (sender, answer) = oneshot::channel();
        let id = Uuid::now_v7().to_string();
        self.0
            .waiting
            .lock()
            .expect(NO_PANIC)
            .insert(id.clone(), sender);
        let deadline = SystemTime::now() + time;
        let sent = self.0.send.send(Invocation {
            id,
            event,
            deadline,
        });
        assert!(sent.is_ok(), "the receiver lives as long as the sender");
        answer
    }

    /// What SQS was asked for, once that is enough.
    pub(super) async fn calls(&self, enough: impl Fn(&[Call]) -> bool) -> Vec<Call> {
        let mut calls = self.0.calls.subscribe();
        let found = tokio::time::timeout(PATIENCE, calls.wait_for(|it| enough(it))).await;
        match found {
            Ok(calls) => calls.expect("the sender lives in self").clone(),
            Err(_) => panic!("not enough: {:?}", self.0.calls.borrow()),
        }
    }

    fn answer(&self, id: &str, answer: Result<Value, Failed>) -> StatusCode {
        let waiting = self.0.waiting.lock().expect(NO_PANIC).remove(id);
        // Whoever called may have stopped to wait.
        let _ = waiting.expect("it was given out").send(answer);
        StatusCode::ACCEPTED
    }
}

async fn next(State(api): State<Api>) -> Response {
    let mut invocations = api.0.receive.lock().await;
    let Some(invocation) = invocations.recv().await else {
        return std::future::pending().await;
    };
    let since = invocation.deadline.duration_since(SystemTime::UNIX_EPOCH);
    let millis = since.expect("after 1970").as_millis().to_string();
    let arn = "arn:aws:lambda:eu-central-1:000000000000:function:tested";
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let headers = [
        ("lambda-runtime-aws-request-id", invocation.id.as_str()),
        ("lambda-runtime-deadline-ms", &millis),
        ("lambda-runtime-invoked-function-arn", arn),
        ("lambda-runtime-trace-id", trace),
    ];
    (headers, axum::Json(invocation.event)).into_response()
}

async fn response(State(api): State<Api>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    api.answer(&id, Ok(read(&body)))
}

async fn error(State(api): State<Api>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    api.answer(&id, Err(Failed(read(&body))))
}

async fn register() -> impl IntoResponse {
    let about = json!({ "functionName": "tested", "functionVersion": "1", "handler": "x" });
    ([("lambda-extension-identifier", "1")], axum::Json(about))
}

async fn sqs(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let target = headers["x-amz-target"].to_str().expect("ASCII");
    let action = target.trim_start_matches("AmazonSQS.").to_owned();
    let input = read(&body);
    let entries = input["Entries"].as_array().into_iter().flatten();
    let successful: Vec<_> = entries
        .map(|it| json!({ "Id": it["Id"], "MessageId": "m", "MD5OfMessageBody": "" }))
        .collect();
    api.0
        .calls
        .send_modify(|it| it.push(Call { action, input }));
    let output = json!({ "MessageId": "m", "Successful": successful, "Failed": [] });
    let json = (header::CONTENT_TYPE, "application/x-amz-json-1.0");
    ([json], output.to_string())
}

fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|err| panic!("{err} in {body:?}"))
}
