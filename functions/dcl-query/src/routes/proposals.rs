//! What the platform takes an object for, and what a person says of it.

use std::collections::BTreeMap;

use aam::db::mapping_decisions::{Decided, remember};
use aam::db::{custom_entities, snapshots, source_objects};
use aam::proposals::{self, AcceptedField, Answers, LeftOut, Proposal};
use axum::extract::State;
use axum::http::StatusCode;
use platform::extract::{Json, Path, Query};
use platform::{Admin, Platform, Reader, Result, Routes, db, routes};
use schema::entity::Entities;
use schema::mapping::Mapping;
use schema::source::{SourceSchema, child_path};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::mappings::{MappingAdopted, NamedObject, ObjectPath, check_reason};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(read))
        .routes(routes!(accept))
        .routes(routes!(reject))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Propose for this entity; the likeliest where it is left out.
    entity: Option<String>,
}

/// What the platform takes an object for: its entity, its key, its fields and their formats, each
/// with how sure that is and why.
///
/// It is computed from a sample of what is stored, and nothing is changed. Accept it as it is, with
/// answers and corrections, or make a mapping of your own from it.
#[utoipa::path(get, path = "/api/v1/dcl/proposals/{connection}/{object}", tag = "mappings",
    operation_id = "proposals.read", params(ObjectPath, Wanted),
    security(("bearer" = ["read"])), responses((status = 200, body = Proposal)))]
async fn read(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(path): Path<ObjectPath>,
    Query(Wanted { entity }): Query<Wanted>,
) -> Result<Json<Proposal>> {
    let answers = Answers {
        entity,
        ..Answers::default()
    };
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    let proposal =
        proposals::propose_object(&mut tx, caller.tenant, object.key(), &answers).await?;
    Ok(Json(proposal))
}

/// What a person says of a proposal. What is left out stays as it is proposed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProposalAcceptance)]
#[schema(examples(json!({"fields": {"phone": null}, "reason": "Ada looked at it"})))]
struct Acceptance {
    /// The entity, where it is another one.
    entity: Option<String>,
    /// The source fields that make the record's id, where they are others.
    key: Option<Vec<String>>,
    /// By canonical field, the source field that it comes from, or null for none.
    #[serde(default)]
    fields: BTreeMap<String, Option<String>>,
    /// By the id of a question, the id of the choice.
    #[serde(default)]
    answers: BTreeMap<String, String>,
    /// Why, for whoever reads the versions later.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    reason: Option<String>,
}

/// What came of an accepted proposal.
#[derive(Serialize, ToSchema)]
struct ProposalAccepted {
    /// The mapping that is in force now.
    mapping: Mapping,
    /// What was accepted, and how sure it was.
    accepted: Vec<AcceptedField>,
    /// What has a likely source and is not mapped, and why.
    left_out: Vec<LeftOut>,
    #[serde(flatten)]
    adopted: MappingAdopted,
}

/// Makes a proposal the object's mapping, with corrections and answers, and what is stored follows
/// by a job.
///
/// A question that is open is refused with 422; its pointer says which, and its choices are named.
/// What was decided is remembered for the tenant's next proposals.
#[utoipa::path(post, path = "/api/v1/dcl/proposals/{connection}/{object}/accept",
    tag = "mappings", operation_id = "proposals.accept", params(ObjectPath),
    request_body = Acceptance, security(("bearer" = ["admin"])), responses(
        (status = 200, body = ProposalAccepted, description = "It is in force already."),
        (status = 201, body = ProposalAccepted, description = "It is in force now.")))]
async fn accept(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(path): Path<ObjectPath>,
    Json(said): Json<Acceptance>,
) -> Result<(StatusCode, Json<ProposalAccepted>)> {
    if let Some(reason) = &said.reason {
        check_reason(reason)?;
    }
    let answers = Answers {
        entity: said.entity,
        key: said.key,
        fields: said.fields,
        choices: said.answers,
    };
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    let reason = said
        .reason
        .as_deref()
        .unwrap_or("the proposal was accepted");
    let accepted = proposals::accept(&mut tx, &caller, object.key(), &answers, reason).await?;
    tx.commit().await?;
    let adopted = MappingAdopted::from(accepted.in_force);
    let (status, Json(adopted)) = adopted.announced(&platform).await?;
    let answer = ProposalAccepted {
        mapping: accepted.mapping,
        accepted: accepted.fields,
        left_out: accepted.left_out,
        adopted,
    };
    Ok((status, Json(answer)))
}

/// Which proposed pairs are wrong.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProposalRejection)]
#[schema(examples(json!({"entity": "contact", "fields": {"phone": "E-Mail"}})))]
struct Rejection {
    /// The entity that they were proposed for.
    entity: String,
    /// By canonical field, the source field that it does not come from.
    fields: BTreeMap<String, String>,
}

/// What came of a rejection.
#[derive(Serialize, ToSchema)]
struct ProposalRejected {
    /// How many pairs are remembered as wrong.
    remembered: usize,
}

/// Remembers proposed pairs as wrong, so that the tenant's next proposals do without them. The
/// object's mapping stays as it is.
#[utoipa::path(post, path = "/api/v1/dcl/proposals/{connection}/{object}/reject",
    tag = "mappings", operation_id = "proposals.reject", params(ObjectPath),
    request_body = Rejection, security(("bearer" = ["admin"])),
    responses((status = 200, body = ProposalRejected)))]
async fn reject(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(path): Path<ObjectPath>,
    Json(said): Json<Rejection>,
) -> Result<Json<ProposalRejected>> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let entities = custom_entities::entities(&mut tx, caller.tenant).await?;
    check_rejection(&entities, &said)?;
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    let known = source_objects::find(&mut tx, caller.tenant, object.key()).await?;
    let known = known.ok_or(schema::Error::NotFound {
        what: "source object",
    })?;
    let latest = snapshots::find_latest_and_baseline(&mut tx, caller.tenant, object.key()).await?;
    let schema = latest.map(|it| it.0.schema.0).unwrap_or_default();
    let fields = paths(&said, &schema)?;
    let decided = fields.iter().map(|(target, source)| Decided {
        source,
        target,
        accepted: false,
        transforms: &[],
    });
    let decided: Vec<_> = decided.collect();
    let of = (known.system.as_str(), said.entity.as_str());
    remember(&mut tx, caller.tenant, of, &decided, platform::now()).await?;
    tx.commit().await?;
    Ok(Json(ProposalRejected {
        remembered: decided.len(),
    }))
}

/// The source of each pair as the path that the object has; a column may be named as its file does.
fn paths(said: &Rejection, schema: &SourceSchema) -> schema::Result<BTreeMap<String, String>> {
    let path = |(target, source): (&String, &String)| {
        let escaped = child_path("", source);
        let mut known = [source, &escaped].into_iter();
        let Some(path) = known.find(|it| schema.fields.contains_key(*it)) else {
            let detail = format!(
                "the object has no field {source:?}: send the `source` of a field in the proposal"
            );
            return Err(schema::Error::invalid(format!("/fields/{target}"), detail));
        };
        Ok((target.clone(), path.clone()))
    };
    said.fields.iter().map(path).collect()
}

fn check_rejection(entities: &Entities, said: &Rejection) -> schema::Result<()> {
    let Some(entity) = entities.find(&said.entity) else {
        let detail = format!("no such entity: send one of {}", entities.kinds());
        return Err(schema::Error::invalid("/entity", detail));
    };
    for target in said.fields.keys() {
        if entity.field(target).is_none() {
            let detail = format!("{} has no such field", entity.kind);
            return Err(schema::Error::invalid(format!("/fields/{target}"), detail));
        }
    }
    Ok(())
}
