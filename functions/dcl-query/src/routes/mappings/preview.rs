//! What the platform would take records for, without storing one.

use std::collections::BTreeMap;

use aam::db::{custom_entities, mapping_decisions};
use aam::proposals::{Answers, Proposal, Unmapped, propose_records};
use axum::extract::{FromRequest, Request, State};
use platform::extract::Json;
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::Error;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::preview_file::{self, PreviewForm};

pub(super) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(preview))
}

/// Most records of a preview.
pub(super) const MAX_RECORDS: usize = 1_000;

/// Records to look at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MappingPreview)]
#[schema(examples(json!({"object": "people", "records": [{"Id": "17", "Name": "Ada Lovelace", "E-Mail": "ada@acme.example"}]})))]
pub(super) struct Preview {
    /// What they would be called: a table, a file's name without its ending.
    #[serde(default)]
    pub(super) object: String,
    /// The system that they are of, such as `hubspot`.
    #[serde(default)]
    pub(super) system: String,
    /// What they are, where that is known.
    pub(super) entity: Option<String>,
    /// By the id of a question, the id of the choice.
    #[serde(default)]
    pub(super) answers: BTreeMap<String, String>,
    /// 1 to 1,000 records: JSON objects, as the source has them.
    #[schema(value_type = Vec<Object>)]
    pub(super) records: Vec<Box<RawValue>>,
}

/// What the platform would take records for: entity, key, fields, formats, and the first ones as the
/// mapping would make them. Nothing is stored.
///
/// Send records as JSON, or a file of at most 6 MB as a form, `multipart/form-data`: `.csv`, `.tsv`,
/// `.txt`, `.json` or `.ndjson`, read as an upload is, of which the first 1,000 records are looked at.
/// The form may have the fields `object`, `system` and `entity`; the object is called after the file
/// where none says it.
#[utoipa::path(post, path = "/api/v1/dcl/mappings/preview", tag = "mappings",
    operation_id = "mappings.preview",
    request_body(content(
        (Preview = "application/json"),
        (PreviewForm = "multipart/form-data"),
    )), security(("bearer" = ["read"])),
    responses((status = 200, body = Proposal)))]
async fn preview(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    request: Request,
) -> Result<Json<Proposal>> {
    let preview = match preview_file::is_form(request.headers()) {
        true => preview_file::read(request).await?,
        false => Json::<Preview>::from_request(request, &platform).await?.0,
    };
    let records = check(&preview.records)?;
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let memory = mapping_decisions::memory(&mut tx, caller.tenant).await?;
    let entities = custom_entities::entities(&mut tx, caller.tenant).await?;
    tx.commit().await?;
    // It may take a second of a processor, which others need meanwhile.
    let work = tokio::task::spawn_blocking(move || {
        let unmapped = Unmapped {
            object: &preview.object,
            system: &preview.system,
            records: &records,
            schema: None,
        };
        let answers = Answers {
            entity: preview.entity,
            choices: preview.answers,
            ..Answers::default()
        };
        propose_records(unmapped, (&entities, &memory), &answers)
    });
    let proposal = work.await.map_err(|err| Error::Internal(err.into()))??;
    Ok(Json(proposal))
}

fn check(records: &[Box<RawValue>]) -> schema::Result<Vec<String>> {
    if records.is_empty() || MAX_RECORDS < records.len() {
        let detail = format!("send 1 to {MAX_RECORDS} records");
        return Err(Error::invalid("/records", detail));
    }
    let mut texts = Vec::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        if !record.get().starts_with('{') {
            let pointer = format!("/records/{index}");
            return Err(Error::invalid(pointer, "a record is a JSON object"));
        }
        texts.push(record.get().to_owned());
    }
    Ok(texts)
}
