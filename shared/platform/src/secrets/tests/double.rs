//! A Secrets Manager, with its extension, that says what it is told to say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Config, Credentials, Region};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::aws::Transport;
use crate::secrets::Manager;
use crate::secrets::extension::Extension;

const ID: &str = "arn:aws:secretsmanager:eu-west-1:1:secret:auth/keys+x";
const TOKEN: &str = "a session";

/// What it says.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// An id and a text.
    Version(String, String),
    /// A status and AWS's word for it.
    Error(u16, &'static str),
    /// A body.
    Raw(String),
    /// Nothing, for as long as anybody waits.
    Never,
}

pub(super) struct Double {
    port: u16,
    state: Arc<Mutex<CredentialVersion>>,
}

#[derive(Default)]
struct CredentialVersion {
    replies: HashMap<String, Reply>,
    extension: bool,
    /// Which way each question came.
    ways: Vec<&'static str>,
    asked: usize,
}

impl Double {
    /// One that says this of the current version, and knows none before.
    pub(super) async fn start(current: Reply) -> Double {
        let state: Arc<Mutex<CredentialVersion>> = Arc::default();
        let routes = Router::new()
            .route("/", post(api))
            .route("/secretsmanager/get", get(extension))
            .with_state(state.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(axum::serve(listener, routes).into_future());
        let double = Double { port, state };
        double.say("AWSCURRENT", current);
        double
    }

    pub(super) fn say(&self, stage: &str, reply: Reply) {
        self.state
            .lock()
            .unwrap()
            .replies
            .insert(stage.to_owned(), reply);
    }

    /// How many questions came.
    pub(super) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }

    /// Which way questions came since the last look.
    pub(super) fn ways(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state.lock().unwrap().ways)
    }

    /// Whether the extension is ready.
    pub(super) fn extension(&self, ready: bool) {
        self.state.lock().unwrap().extension = ready;
    }

    pub(super) fn manager(&self) -> Manager {
        Manager::through(self.client(), ID.to_owned())
    }

    pub(super) fn through_extension(&self) -> Manager {
        let extension = Extension::at(self.port, TOKEN.to_owned().into());
        let mut manager = self.manager();
        manager.extension = Some(extension);
        manager
    }

    fn client(&self) -> Client {
        let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(3));
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "tests"))
            .endpoint_url(format!("http://127.0.0.1:{}", self.port))
            .http_client(Transport::new().unwrap())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.build());
        Client::from_conf(config.build())
    }
}

type Shared = State<Arc<Mutex<CredentialVersion>>>;

async fn api(State(state): Shared, headers: HeaderMap, body: String) -> Response {
    assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(request["SecretId"], ID);
    answer(&state, "api", request["VersionStage"].as_str().unwrap()).await
}

async fn extension(
    State(state): Shared,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    assert_eq!(headers["x-aws-parameters-secrets-token"], TOKEN);
    assert_eq!(query["secretId"], ID);
    if !state.lock().unwrap().extension {
        return (
            StatusCode::BAD_REQUEST,
            "not ready to serve traffic, please wait",
        )
            .into_response();
    }
    answer(&state, "extension", &query["versionStage"]).await
}

async fn answer(state: &Mutex<CredentialVersion>, way: &'static str, stage: &str) -> Response {
    let reply = {
        let mut told = state.lock().unwrap();
        told.ways.push(way);
        told.asked += 1;
        told.replies.get(stage).cloned()
    };
    // Others come meanwhile.
    tokio::task::yield_now().await;
    match reply.unwrap_or(Reply::Error(400, "ResourceNotFoundException")) {
        Reply::Version(id, text) => {
            let body = json!({ "ARN": ID, "Name": "auth", "VersionId": id, "SecretString": text });
            Json(body).into_response()
        }
        Reply::Error(status, code) => {
            let status = StatusCode::from_u16(status).unwrap();
            let body = json!({ "__type": code, "message": "as it was told" });
            (status, Json(body)).into_response()
        }
        Reply::Raw(body) => body.into_response(),
        Reply::Never => std::future::pending().await,
    }
}
