//! Calls to AWS, as the account's root.

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

/// An AWS.
pub(crate) struct Aws {
    client: Client,
    endpoint: String,
}

impl Aws {
    pub(crate) fn new(endpoint: &str) -> Aws {
        Aws {
            client: Client::new(),
            endpoint: endpoint.to_owned(),
        }
    }

    /// A call of the query protocol, which CloudFormation speaks. The answer is XML.
    pub(crate) async fn query(&self, service: &str, parameters: &[(&str, &str)]) -> String {
        let request = self.request(service, Method::POST, "/").query(parameters);
        text(request).await
    }

    /// A call of the JSON protocol, which queues and secrets speak.
    pub(crate) async fn json(&self, service: &str, target: &str, body: Value) -> Value {
        let request = self
            .request(service, Method::POST, "/")
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .body(body.to_string());
        let text = text(request).await;
        if text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&text).unwrap_or_else(|err| panic!("{target}: {err} in {text}"))
    }

    /// A call of the REST protocol, which the other services speak.
    pub(crate) async fn rest(
        &self,
        service: &str,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> String {
        text(self.request(service, method, path).body(body)).await
    }

    fn request(&self, service: &str, method: Method, path: &str) -> RequestBuilder {
        // MiniStack takes the root's word for who it is; functions have to sign.
        let root = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=0"
        );
        self.client
            .request(method, format!("{}{path}", self.endpoint))
            .header("authorization", root)
    }
}

async fn text(request: RequestBuilder) -> String {
    let response: Response = request.send().await.expect("MiniStack is there");
    let (url, status) = (response.url().clone(), response.status());
    let text = response.text().await.expect("an answer ends");
    assert!(status.is_success(), "{url} answers {status}: {text}");
    text
}

/// The texts of all elements of this name, in their order.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let rest = xml.split(open.as_str()).skip(1);
    rest.filter_map(|it| Some(it.split_once(close.as_str())?.0))
        .collect()
}
