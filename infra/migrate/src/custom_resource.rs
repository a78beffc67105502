//! What CloudFormation is told: a JSON document, put to the URL that its request names.

use anyhow::Context;
use aws_lambda_events::cloudformation::{
    CloudFormationCustomResourceRequest as Request,
    CloudFormationCustomResourceResponse as Response,
    CloudFormationCustomResourceResponseStatus as Status,
};

/// CloudFormation's name for the tables: one that never changes, so that nothing is ever replaced.
const RESOURCE: &str = "tables";
/// CloudFormation takes at most 4 KiB, of which the reason is the only part that grows.
const MAX_REASON: usize = 1024;

/// An answer and the URL that it belongs to.
pub struct Answer<'a> {
    /// Signed, for one answer.
    pub url: &'a str,
    /// The document.
    pub body: Response,
}

impl<'a> Answer<'a> {
    /// The answer to a request that ended so.
    pub fn new(request: &'a Request, end: &anyhow::Result<()>) -> anyhow::Result<Answer<'a>> {
        let (url, stack, id, name) = match request {
            Request::Create(it) => (
                &it.response_url,
                &it.stack_id,
                &it.request_id,
                &it.logical_resource_id,
            ),
            Request::Update(it) => (
                &it.response_url,
                &it.stack_id,
                &it.request_id,
                &it.logical_resource_id,
            ),
            Request::Delete(it) => (
                &it.response_url,
                &it.stack_id,
                &it.request_id,
                &it.logical_resource_id,
            ),
            _ => anyhow::bail!("CloudFormation sent an unknown request type"),
        };
        let mut body = Response::default();
        (body.status, body.reason) = match end {
            Ok(()) => (Status::Success, None),
            Err(error) => (Status::Failed, Some(reason(error))),
        };
        body.physical_resource_id = RESOURCE.to_owned();
        body.stack_id.clone_from(stack);
        body.request_id.clone_from(id);
        body.logical_resource_id.clone_from(name);
        Ok(Answer { url, body })
    }
}

fn reason(error: &anyhow::Error) -> String {
    format!("{error:#}").chars().take(MAX_REASON).collect()
}

/// Puts the answer where CloudFormation waits for it.
pub(crate) async fn send(
    client: &reqwest::Client,
    request: &Request,
    end: &anyhow::Result<()>,
) -> anyhow::Result<()> {
    let answer = Answer::new(request, end)?;
    client
        .put(answer.url)
        // The URL is signed for a request without a content type.
        .body(serde_json::to_vec(&answer.body)?)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        // Without the URL: whoever has it can answer in our place.
        .map_err(reqwest::Error::without_url)
        .context("answering CloudFormation")?;
    Ok(())
}
