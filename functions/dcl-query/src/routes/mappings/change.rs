//! Changing mappings.

use std::time::Instant;

use aam::db::mappings;
use aam::dry_run::{self, Difference};
use aam::mapping_check::{self, Checked};
use aam::mappings::{InForce, adopt_and_replay};
use axum::extract::State;
use axum::http::StatusCode;
use mapping::Plan;
use platform::extract::{Json, Path, Query};
use platform::{Admin, JobAccepted, Platform, Problem, Reader, Result, Routes, db, routes};
use schema::mapping::Mapping;
use schema::source::ObjectKey;
use schema::{Error, TenantId, entity};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

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
#[schema(examples(json!({"mapping": {"entity": "contact", "fields": [{"target": "contact_id", "sources": ["Id"]}, {"target": "email", "sources": ["E-Mail"]}]}, "reason": "the export names its columns so", "dry_run": true})))]
pub(super) struct NewMapping {
    /// The mapping, whole.
    mapping: Mapping,
    /// Why, for whoever reads the versions later.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
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
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    let sent = ("/mapping", &new.mapping);
    let checked = mapping_check::check(&mut tx, caller.tenant, Some(object.key()), sent).await?;
    if new.dry_run {
        let difference = difference(&mut tx, caller.tenant, object.key(), checked).await?;
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

/// What a mapping would change of an object.
async fn difference(
    conn: &mut db::Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    Checked { plan, entities }: Checked,
) -> Result<Difference> {
    let before = match mappings::current(conn, tenant, object).await? {
        Some((_, mapping)) => Plan::compile_for(&entities, &mapping)?,
        None => Plan::unmapped(),
    };
    let until = Instant::now() + dry_run::MAX_TIME;
    dry_run::compare(conn, tenant, object, (before, plan), until).await
}

/// Which version shall be in force again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MappingActivation)]
#[schema(examples(json!({"version": 1, "reason": "the columns are as they were"})))]
pub(super) struct Activation {
    /// The number of an older version.
    #[schema(minimum = 1)]
    version: i32,
    /// Why, for whoever reads the versions later.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
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
    let adopted = adopt_and_replay(&mut tx, &caller, object.key(), wanted).await;
    let adopted = adopted.map_err(not_any_more)?;
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

/// The object that a mapping is for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MappedObject {
    /// The connection's id or name; together with `object`.
    connection: Option<String>,
    /// The object, such as `hubspot.account`; together with `connection`.
    object: Option<String>,
}

/// Checks a mapping for itself, and where an object is named, whether it can work there, as
/// `mappings.create` does. Each fault has a pointer from the mapping's root and says what to do.
#[utoipa::path(post, path = "/api/v1/dcl/mappings/validate", tag = "mappings",
    operation_id = "mappings.validate", params(MappedObject), request_body = Mapping,
    security(("bearer" = ["read"])), responses((status = 200, body = MappingValid)))]
async fn validate(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Query(of): Query<MappedObject>,
    Json(mapping): Json<Mapping>,
) -> Result<Json<MappingValid>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let object = match of.path()? {
        Some(path) => Some(NamedObject::find(&mut tx, caller.tenant, path).await?),
        None => None,
    };
    let object = object.as_ref().map(NamedObject::key);
    mapping_check::check(&mut tx, caller.tenant, object, ("", &mapping)).await?;
    Ok(Json(MappingValid { valid: true }))
}

impl MappedObject {
    fn path(self) -> schema::Result<Option<ObjectPath>> {
        match (self.connection, self.object) {
            (Some(connection), Some(object)) => Ok(Some(ObjectPath { connection, object })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Error::invalid("?connection", "say whose object it is")),
            (Some(_), None) => Err(Error::invalid("?object", "say which object of it")),
        }
    }
}

/// A version that was good may name what there is no longer: a field that a tenant deleted.
fn not_any_more(problem: Problem) -> Problem {
    match problem.error() {
        error @ Error::Invalid(_) => {
            let detail = format!("the version cannot be any more, send a new mapping: {error}");
            Error::invalid("/version", detail).into()
        }
        _ => problem,
    }
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
