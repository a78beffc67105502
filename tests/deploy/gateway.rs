//! Requests through API Gateway, as clients send them.

use axum::http::{HeaderMap, Method, StatusCode};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tests::app::{Answer, PASSWORD, Person};
use uuid::Uuid;

/// The API's front door.
#[derive(Clone)]
pub(crate) struct Gateway {
    client: Client,
    endpoint: String,
    host: String,
}

impl Gateway {
    /// `url` is what the stack says; its host is known to nobody, so requests name it in a header.
    pub(crate) fn new(endpoint: &str, url: &str) -> Gateway {
        let host = url.split("://").last().unwrap_or(url);
        Gateway {
            client: Client::new(),
            endpoint: endpoint.to_owned(),
            host: host.trim_end_matches('/').to_owned(),
        }
    }

    /// A new organisation with its admin.
    pub(crate) async fn register(&self, name: &str) -> Person {
        let email = format!("admin@{}.example", Uuid::now_v7().simple());
        let new = json!({ "name": name, "email": email, "password": PASSWORD });
        let answer = self.post("/api/v1/auth/register", None, new).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer}");
        Person::from_session(&answer.json())
    }

    /// Connects a person's files; gives the connection's id.
    pub(crate) async fn connect(&self, person: &Person) -> String {
        let new = json!({ "name": "Files", "source_type": "FileSource", "connector_config": {} });
        let token = person.token.as_str();
        let answer = self.post("/api/v1/aam/connections", token, new).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer}");
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// GET as the bearer of a token, or as nobody.
    pub(crate) async fn get(&self, path: &str, token: impl Into<Option<&str>>) -> Answer {
        self.send(self.request(Method::GET, path, token.into()))
            .await
    }

    /// POST of a JSON value.
    pub(crate) async fn post(
        &self,
        path: &str,
        token: impl Into<Option<&str>>,
        body: Value,
    ) -> Answer {
        let request = self.request(Method::POST, path, token.into());
        self.send(request.json(&body)).await
    }

    /// Uploads a file to a FileSource connection.
    pub(crate) async fn upload(&self, token: &str, file: (&str, String)) -> Answer {
        const PATH: &str = "/api/v1/filesource/upload";
        let (name, content) = file;
        let body = format!(
            "--cut\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n\
             {content}\r\n--cut--\r\n"
        );
        let request = self
            .request(Method::POST, PATH, Some(token))
            .header("content-type", "multipart/form-data; boundary=cut");
        self.send(request.body(body)).await
    }

    fn request(&self, method: Method, path: &str, token: Option<&str>) -> RequestBuilder {
        let url = format!("{}{path}", self.endpoint);
        let request = self.client.request(method, url).header("host", &self.host);
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("MiniStack is there");
        let (status, headers): (StatusCode, HeaderMap) =
            (response.status(), response.headers().clone());
        let body = response.bytes().await.expect("an answer ends");
        Answer {
            status,
            headers,
            body,
        }
    }
}
