//! Changing mappings.

use aam::db::{custom_entities, mappings};
use aam::dry_run::{self, Difference};
use aam::mappings::{InForce, adopt_and_replay};
use axum::extract::State;
use axum::http::StatusCode;
use mapping::Plan;
use platform::extract::{Json, Path};
use platform::{Admin, JobAccepted, Platform, Reader, Result, Routes, db, routes};
use schema::mapping::Mapping;
use schema::{Error, entity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NamedObject, ObjectPath};

pub(super) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(create, delete))
        .routes(routes!(activate))
        .routes(routes!(validate))
}

/// A mapping that shall come into force.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMapping {
    /// The mapping, whole.
    mapping: Mapping,
    /// Why, for whoever reads the versions later.
    reason: String,
    /// Only says what would change, record by record, and changes nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What came of a new mapping.
#[derive(Serialize, ToSchema)]
pub(crate) struct MappingAdopted {
    /// The version that is in force; null for a dry run.
    version: Option<i32>,
    /// The job by which what is stored follows; null where nothing changes.
    replay: Option<JobAccepted>,
    /// What a dry run found; null otherwise.
    difference: Option<Difference>,
}

/// Makes a mapping the next version of an object's, and what is stored follows it by a job.
///
/// With `dry_run` it only says what would change. A mapping that cannot be is refused with 422: each
/// fault has a pointer from the request's root and says what to do.
#[utoipa::path(post, path = "/api/v1/dcl/mappings/{connection}/{object}", tag = "mappings",
    operation_id = "mappings.create", params(ObjectPath),
    request_body = NewMapping, security(("bearer" = ["admin"])), responses(
        (status = 200, body = MappingAdopted, description = "What the mapping would change, or that it is in force already."),
        (status = 201, body = MappingAdopted, description = "A new version is in force.")))]
async fn create(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(path): Path<ObjectPath>,
    Json(new): Json<NewMapping>,
) -> Result<(StatusCode, Json<MappingAdopted>)> {
    check_reason(&new.reason)?;
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let entities = custom_entities::entities(&mut tx, caller.tenant).await?;
    let plan = Plan::compile_for(&entities, &new.mapping).map_err(|it| it.below("/mapping"))?;
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    if new.dry_run {
        let tenant = caller.tenant;
        let current = mappings::current(&mut tx, tenant, object.key()).await?;
        let before = match current {
            Some((_, mapping)) => Plan::compile_for(&entities, &mapping)?,
            None => Plan::unmapped(),
        };
        let plans = (&before, &plan);
        let difference = dry_run::compare(&mut tx, tenant, object.key(), plans).await?;
        let answer = MappingAdopted {
            version: None,
            replay: None,
            difference: Some(difference),
        };
        return Ok((StatusCode::OK, Json(answer)));
    }
    let wanted = (&new.mapping, new.reason.as_str());
    let adopted = adopt_and_replay(&mut tx, &caller, object.key(), wanted).await?;
    tx.commit().await?;
    MappingAdopted::from(adopted).announced(&platform).await
}

/// Which version shall be in force again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MappingActivation)]
pub(super) struct Activation {
    /// The number of an older version.
    version: i32,
    /// Why, for whoever reads the versions later.
    reason: String,
}

/// Brings an older version of an object's mapping back, as its next version, and what is stored
/// follows it by a job: a rollback.
#[utoipa::path(post, path = "/api/v1/dcl/mappings/{connection}/{object}/activate",
    tag = "mappings", operation_id = "mappings.activate", params(ObjectPath),
    request_body = Activation, security(("bearer" = ["admin"])), responses(
        (status = 200, body = MappingAdopted, description = "It is in force already."),
        (status = 201, body = MappingAdopted, description = "It is in force again.")))]
async fn activate(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(path): Path<ObjectPath>,
    Json(Activation { version, reason }): Json<Activation>,
) -> Result<(StatusCode, Json<MappingAdopted>)> {
    check_reason(&reason)?;
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    let found = mappings::find(&mut tx, caller.tenant, object.key(), Some(version)).await?;
    let mapping = found.ok_or(Error::NotFound { what: "version" })?.mapping.0;
    let wanted = (&mapping, reason.as_str());
    let adopted = adopt_and_replay(&mut tx, &caller, object.key(), wanted).await?;
    tx.commit().await?;
    MappingAdopted::from(adopted).announced(&platform).await
}

/// Takes an object's mapping away: its records leave the views and are kept raw. The versions stay.
#[utoipa::path(delete, path = "/api/v1/dcl/mappings/{connection}/{object}", tag = "mappings",
    operation_id = "mappings.delete", params(ObjectPath),
    security(("bearer" = ["admin"])), responses(
        (status = 200, body = MappingAdopted, description = "It had none."),
        (status = 201, body = MappingAdopted, description = "It has none from now on.")))]
async fn delete(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(path): Path<ObjectPath>,
) -> Result<(StatusCode, Json<MappingAdopted>)> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    let unmapped = Mapping {
        entity: entity::UNMAPPED.kind.to_string(),
        fields: vec![],
    };
    let wanted = (&unmapped, "the mapping was deleted");
    let adopted = adopt_and_replay(&mut tx, &caller, object.key(), wanted).await?;
    tx.commit().await?;
    MappingAdopted::from(adopted).announced(&platform).await
}

/// What there is to say of a mapping that could come into force.
#[derive(Serialize, ToSchema)]
pub(super) struct MappingValid {
    /// Always true: faults are a problem.
    valid: bool,
}

/// Checks a mapping without an object. Each fault has a pointer from the mapping's root and says
/// what to do.
#[utoipa::path(post, path = "/api/v1/dcl/mappings/validate", tag = "mappings",
    operation_id = "mappings.validate", request_body = Mapping, security(("bearer" = ["read"])),
    responses((status = 200, body = MappingValid)))]
async fn validate(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Json(mapping): Json<Mapping>,
) -> Result<Json<MappingValid>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let entities = custom_entities::entities(&mut tx, caller.tenant).await?;
    tx.commit().await?;
    Plan::compile_for(&entities, &mapping)?;
    Ok(Json(MappingValid { valid: true }))
}

impl From<InForce> for MappingAdopted {
    fn from(it: InForce) -> MappingAdopted {
        MappingAdopted {
            version: Some(it.version),
            replay: it.replay,
            difference: None,
        }
    }
}

impl MappingAdopted {
    pub(crate) async fn announced(
        self,
        platform: &Platform,
    ) -> Result<(StatusCode, Json<MappingAdopted>)> {
        let status = match &self.replay {
            Some(job) => {
                job.announce(platform).await;
                StatusCode::CREATED
            }
            None => StatusCode::OK,
        };
        Ok((status, Json(self)))
    }
}

pub(crate) fn check_reason(reason: &str) -> schema::Result<()> {
    match reason.trim().chars().count() {
        1..=500 => Ok(()),
        _ => Err(Error::invalid(
            "/reason",
            "say in 1 to 500 characters why the mapping changes",
        )),
    }
}
