//! What every operation's description has in common, so that no handler repeats it.

mod names;
mod prose;

use axum::http::StatusCode;
use serde_json::Value;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Server,
};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Body;

/// What the document says of the whole API.
const ABOUT: &str = "Register or log in, and send the `access_token` of the answer, or an API key, \
    as `Authorization: Bearer …`. Every error is `application/problem+json` (RFC 9457): `detail` \
    says what is wrong, and `errors` points at each field that is.";

/// Completes the document of some routes.
pub(crate) fn describe(mut document: OpenApi, title: &str) -> Value {
    document.info = InfoBuilder::new()
        .title(title)
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    document.servers = Some(vec![Server::new("/")]);
    let components = document
        .components
        .take()
        .unwrap_or_else(|| ComponentsBuilder::new().build());
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let mut of_problem = vec![(Body::name().into_owned(), Body::schema())];
    Body::schemas(&mut of_problem);
    document.components = Some(
        ComponentsBuilder::from(components)
            .security_scheme("bearer", bearer)
            .schemas_from_iter(of_problem)
            .build(),
    );
    for item in document.paths.paths.values_mut() {
        operations(item).for_each(complete);
    }
    let mut document = serde_json::to_value(document).expect("a document is JSON");
    names::name_schemas(&mut document);
    prose::unwrap(&mut document);
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

/// Describes each response, as OpenAPI demands, by its status where the handler has no words for
/// it, and names the problem that any other answer is.
fn complete(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(Response { description, .. }) = response
            && description.is_empty()
        {
            let status: Option<StatusCode> = status.parse().ok();
            let reason = status.and_then(|it| it.canonical_reason());
            reason.unwrap_or("The answer").clone_into(description);
        }
    }
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    let problem = ResponseBuilder::new()
        .description("An error, as `application/problem+json`.")
        .content("application/problem+json", problem)
        .build();
    responses.insert("default".to_owned(), problem.into());
}
