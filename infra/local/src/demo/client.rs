//! Calls to the platform that say what went wrong in words.

use anyhow::{Context, bail, ensure};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::sample::File;

/// A client of one platform, signed in or not.
pub(super) struct Client {
    base: String,
    http: reqwest::Client,
    token: Option<String>,
}

impl Client {
    pub(super) fn new(base: String) -> Client {
        Client {
            base,
            http: reqwest::Client::new(),
            token: None,
        }
    }

    pub(super) fn sign_in(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// Whether a platform answers there.
    pub(super) async fn is_alive(&self) -> bool {
        let answer = self
            .http
            .get(format!("{}/api/v1/health", self.base))
            .send()
            .await;
        match answer {
            Ok(answer) => answer
                .json::<Value>()
                .await
                .is_ok_and(|it| it["service"] == "AOS"),
            Err(_) => false,
        }
    }

    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let request = self.request(Method::GET, path).query(query);
        self.send(request, StatusCode::OK)
            .await
            .with_context(|| format!("GET {path}"))
    }

    pub(super) async fn post(
        &self,
        path: &str,
        body: &Value,
        expected: StatusCode,
    ) -> anyhow::Result<Value> {
        let request = self.request(Method::POST, path).json(body);
        self.send(request, expected)
            .await
            .with_context(|| format!("POST {path}"))
    }

    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.request(Method::DELETE, path);
        self.send(request, StatusCode::OK)
            .await
            .with_context(|| format!("DELETE {path}"))
    }

    pub(super) async fn upload(&self, connection: &str, files: &[File]) -> anyhow::Result<Value> {
        let path = format!("/api/v1/filesource/upload?connection_id={connection}");
        let mut form = Form::new();
        for file in files {
            let part = Part::bytes(file.content.clone()).file_name(file.name.clone());
            form = form.part("file", part);
        }
        let request = self.request(Method::POST, &path).multipart(form);
        self.send(request, StatusCode::OK)
            .await
            .with_context(|| format!("POST {path}"))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder, expected: StatusCode) -> anyhow::Result<Value> {
        let answer: Response = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if status != expected {
            bail!("answered {status}: {text}");
        }
        ensure!(!text.is_empty(), "answered {status} with nothing");
        Ok(serde_json::from_str(&text)?)
    }
}
