//! What the platform would take records for, without storing one.

use std::collections::BTreeMap;

use aam::db::{custom_entities, mapping_decisions};
use aam::proposals::{Answers, Proposal, Unmapped, propose_records};
use axum::extract::State;
use platform::extract::Json;
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::Error;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

pub(super) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(preview))
}

/// Most records of a preview.
const MAX_RECORDS: usize = 1_000;

/// Records to look at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MappingPreview)]
struct Preview {
    /// What they would be called: a table, a file's name without its ending.
    #[serde(default)]
    object: String,
    /// The system that they are of, such as `hubspot`.
    #[serde(default)]
    system: String,
    /// What they are, where that is known.
    entity: Option<String>,
    /// By the id of a question, the id of the choice.
    #[serde(default)]
    answers: BTreeMap<String, String>,
    /// 1 to 1,000 records: JSON objects, as the source has them.
    #[schema(value_type = Vec<Object>)]
    records: Vec<Box<RawValue>>,
}

/// What the platform would take records for: entity, key, fields, formats, and the first ones as the
/// mapping would make them. Nothing is stored.
#[utoipa::path(post, path = "/api/v1/dcl/mappings/preview", tag = "mappings",
    operation_id = "mappings.preview", request_body = Preview, security(("bearer" = ["read"])),
    responses((status = 200, body = Proposal)))]
async fn preview(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Json(preview): Json<Preview>,
) -> Result<Json<Proposal>> {
    let records = check(&preview.records)?;
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let memory = mapping_decisions::memory(&mut tx, caller.tenant).await?;
    let entities = custom_entities::entities(&mut tx, caller.tenant).await?;
    tx.commit().await?;
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
    Ok(Json(propose_records(
        unmapped,
        (&entities, &memory),
        &answers,
    )?))
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
