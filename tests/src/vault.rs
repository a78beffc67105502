//! A Secrets Manager for one test: versions and their stages, as AWS keeps them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Config, Credentials, Region};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use platform::aws::Transport;
use platform::secrets::Manager;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

/// The service; it ends with the test's runtime.
pub struct Vault {
    endpoint: String,
    secrets: Arc<Mutex<Secrets>>,
}

type Secrets = BTreeMap<String, BTreeMap<String, Version>>;

#[derive(Default, Clone)]
struct Version {
    text: Option<String>,
    stages: Vec<String>,
}

impl Vault {
    /// A service that holds nothing.
    pub async fn start() -> Vault {
        let secrets: Arc<Mutex<Secrets>> = Arc::default();
        let routes = Router::new().route("/", post(answer));
        let routes = routes.with_state(secrets.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("it listens");
        tokio::spawn(axum::serve(listener, routes).into_future());
        Vault {
            endpoint: format!("http://{address}"),
            secrets,
        }
    }

    /// What speaks to it.
    pub fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "tests"))
            .endpoint_url(&self.endpoint)
            .http_client(Transport::new().expect("certificate authorities"))
            .retry_config(RetryConfig::disabled());
        Client::from_conf(config.build())
    }

    /// What reads one secret there.
    pub fn manager(&self, id: &str) -> Manager {
        Manager::through(self.client(), id.to_owned())
    }

    /// Puts a text into force.
    pub fn put(&self, id: &str, text: &str) {
        let version = Version {
            text: Some(text.to_owned()),
            stages: vec![],
        };
        let name = Uuid::now_v7().to_string();
        let mut secrets = lock(&self.secrets);
        let versions = secrets.entry(id.to_owned()).or_default();
        versions.insert(name.clone(), version);
        promote(versions, &name);
    }

    /// What is at a stage.
    pub fn text(&self, id: &str, stage: &str) -> Option<String> {
        let secrets = lock(&self.secrets);
        at(secrets.get(id)?, stage)?.1.text.clone()
    }

    /// Begins a rotation, as `RotateSecret` does; the token of its steps.
    pub fn begin_rotation(&self, id: &str) -> String {
        let token = Uuid::now_v7().to_string();
        let mut secrets = lock(&self.secrets);
        let versions = secrets.entry(id.to_owned()).or_default();
        for version in versions.values_mut() {
            version.stages.retain(|it| it != "AWSPENDING");
        }
        let pending = Version {
            text: None,
            stages: vec!["AWSPENDING".to_owned()],
        };
        versions.insert(token.clone(), pending);
        token
    }
}

fn lock(secrets: &Mutex<Secrets>) -> MutexGuard<'_, Secrets> {
    secrets.lock().unwrap_or_else(PoisonError::into_inner)
}

fn at<'a>(
    versions: &'a BTreeMap<String, Version>,
    stage: &str,
) -> Option<(&'a String, &'a Version)> {
    versions
        .iter()
        .find(|(_, it)| it.stages.iter().any(|it| it == stage))
}

/// Moves AWSCURRENT, and AWSPREVIOUS to where it was.
fn promote(versions: &mut BTreeMap<String, Version>, name: &str) {
    let before = at(versions, "AWSCURRENT").map(|it| it.0.clone());
    for (id, version) in versions.iter_mut() {
        version
            .stages
            .retain(|it| it != "AWSCURRENT" && it != "AWSPREVIOUS");
        if Some(id) == before.as_ref() {
            version.stages.push("AWSPREVIOUS".to_owned());
        }
        if id == name {
            version.stages.push("AWSCURRENT".to_owned());
        }
    }
}

async fn answer(
    State(secrets): State<Arc<Mutex<Secrets>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let action = headers["x-amz-target"].to_str().unwrap_or_default();
    let action = action.trim_start_matches("secretsmanager.");
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let text = |name: &str| request[name].as_str();
    let mut secrets = lock(&secrets);
    let found = text("SecretId").and_then(|it| secrets.get_mut(it));
    let answered = found.and_then(|versions| match action {
        "DescribeSecret" => Some(describe(versions)),
        "GetSecretValue" => read(versions, text("VersionId"), text("VersionStage")?),
        "PutSecretValue" => put(versions, &request),
        "UpdateSecretVersionStage" => {
            let name = text("MoveToVersionId")?.to_owned();
            promote(versions, &name);
            Some(json!({}))
        }
        _ => None,
    });
    match answered {
        Some(answer) => Json(answer).into_response(),
        None => {
            let body = json!({ "__type": "ResourceNotFoundException", "message": action });
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}

fn describe(versions: &BTreeMap<String, Version>) -> Value {
    let stages: BTreeMap<_, _> = versions.iter().map(|(id, it)| (id, &it.stages)).collect();
    json!({ "RotationEnabled": true, "VersionIdsToStages": stages })
}

fn read(versions: &BTreeMap<String, Version>, version: Option<&str>, stage: &str) -> Option<Value> {
    let (id, found) = at(versions, stage)?;
    let text = found.text.as_ref()?;
    let asked = version.is_none_or(|it| it == id);
    asked.then(|| json!({ "VersionId": id, "SecretString": text }))
}

fn put(versions: &mut BTreeMap<String, Version>, request: &Value) -> Option<Value> {
    let name = request["ClientRequestToken"].as_str()?.to_owned();
    let version = versions.entry(name.clone()).or_default();
    version.text = Some(request["SecretString"].as_str()?.to_owned());
    if request["VersionStages"].is_null() {
        promote(versions, &name);
    }
    Some(json!({ "VersionId": name }))
}
