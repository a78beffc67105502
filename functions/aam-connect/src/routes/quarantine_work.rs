//! Working quarantined records off: mapping them again, or discarding them.

use aam::db::quarantine_groups::{self as groups, MAX_GROUPS};
use aam::db::source_objects;
use aam::db::{Connection, custom_entities};
use aam::quarantine::GroupFilter;
use aam::replay::{Phase, Replay};
use axum::extract::State;
use axum::http::StatusCode;
use platform::audit::{self, Entry};
use platform::extract::{Json, Path};
use platform::jobs::NewJob;
use platform::{Admin, Caller, Ingester, JobAccepted, Platform, Result, Routes, db, routes};
use schema::entity::Entities;
use schema::source::ObjectKey;
use schema::{ConnectionId, Error, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::connections::{self, check_name};
use crate::connection::audit_object;
use crate::db::connections::source;
use crate::jobs::discard::{self, Discard, DiscardProgress};
use crate::jobs::subject;

/// So many records are discarded at once; more of them are a job.
const AT_ONCE: i64 = 1000;
const MAX_REASON: usize = 1000;

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(retry))
        .routes(routes!(discard))
}

/// Which quarantined records; what is left out means all.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({})))]
struct NewRetry {
    /// Only records of this object, such as `hubspot.account`.
    object: Option<String>,
    /// Only records in which this canonical field is wrong, such as `amount`.
    field: Option<String>,
    /// Only records of this group.
    group: Option<Uuid>,
}

/// Which quarantined records to discard, and why; what is left out means all.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"reason": "lines of totals"})))]
struct NewDiscard {
    /// Only records of this object, such as `hubspot.account`.
    object: Option<String>,
    /// Only records in which this canonical field is wrong, such as `amount`.
    field: Option<String>,
    /// Only records of this group.
    group: Option<Uuid>,
    /// Why they are not needed, for the audit log.
    #[schema(min_length = 1, max_length = 1000, pattern = r"\S")]
    reason: String,
}

/// Records that are mapped again.
#[derive(Serialize, ToSchema)]
struct Retry {
    /// How many records fit the filter; no more than 100,000 of a group are counted.
    records: i64,
    /// Whether there may be more than `records`.
    at_least: bool,
    job: JobAccepted,
}

/// Records that are discarded.
#[derive(Serialize, ToSchema)]
#[schema(as = QuarantineDiscard)]
struct Discarding {
    /// How many records fit the filter; no more than 100,000 of a group are counted.
    records: i64,
    /// Whether there may be more than `records`.
    at_least: bool,
    /// How many are discarded.
    discarded: i64,
    /// The job that discards them; null where they are discarded already.
    job: Option<JobAccepted>,
}

/// Starts a job that maps quarantined records again with the current mapping, and writes those that
/// fit now. A group that has no records, and an object that is not there, are not found.
#[utoipa::path(post, path = "/api/v1/aam/connections/{id}/quarantine/retry", tag = "connect",
    operation_id = "quarantine.retry",
    params(("id" = ConnectionId, Path)), request_body = NewRetry,
    security(("bearer" = ["ingest"])), responses((status = 202, body = Retry)))]
async fn retry(
    State(platform): State<Platform>,
    Ingester(caller): Ingester,
    Path(id): Path<ConnectionId>,
    Json(new): Json<NewRetry>,
) -> Result<(StatusCode, Json<Retry>)> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let entities = custom_entities::entities(&mut tx, caller.tenant).await?;
    let filter = filter(&entities, new.object, new.field, new.group)?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let found = find(&mut tx, caller.tenant, id, &filter).await?;
    let replay = Replay {
        connection_id: id,
        object: filter.object.or(found.object),
        system: None,
        entity: None,
        from: Phase::Quarantine,
        field: filter.field,
        group: filter.group,
    };
    let job = replay.queue(&mut tx, &caller).await?;
    tx.commit().await?;
    let (status, Json(job)) = job.announced(&platform).await;
    Ok((
        status,
        Json(Retry {
            records: found.records,
            at_least: found.at_least,
            job,
        }),
    ))
}

/// Discards quarantined records for good. Stored records stay as they are.
///
/// Up to 1,000 records are discarded at once; more are discarded by a job, which leaves those that
/// come meanwhile. A record that comes again after it was discarded, in a file, in an event or
/// because a sync reads its row again, is mapped like any other, and quarantined again if it does
/// not fit.
#[utoipa::path(post, path = "/api/v1/aam/connections/{id}/quarantine/discard", tag = "connect",
    operation_id = "quarantine.discard",
    params(("id" = ConnectionId, Path)), request_body = NewDiscard,
    security(("bearer" = ["admin"])),
    responses((status = 200, body = Discarding, description = "They are discarded."),
        (status = 202, body = Discarding, description = "A job discards them.")))]
async fn discard(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(id): Path<ConnectionId>,
    Json(new): Json<NewDiscard>,
) -> Result<(StatusCode, Json<Discarding>)> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let entities = custom_entities::entities(&mut tx, caller.tenant).await?;
    let discard = new.check(&entities, id)?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let Found {
        records, at_least, ..
    } = find(&mut tx, caller.tenant, id, &discard.filter).await?;
    if at_least || AT_ONCE < records {
        let job = NewJob::new(discard::NAME, subject(id), &discard)?.exclusive();
        let job = JobAccepted::queue(&mut tx, &caller, "quarantine.discard.queue", job).await?;
        tx.commit().await?;
        let (status, Json(job)) = job.announced(&platform).await;
        let job = Some(job);
        let discarding = Discarding {
            records,
            at_least,
            discarded: 0,
            job,
        };
        return Ok((status, Json(discarding)));
    }
    let discarded = discard_now(&mut tx, &caller, &discard).await?;
    tx.commit().await?;
    Ok((
        StatusCode::OK,
        Json(Discarding {
            records,
            at_least,
            discarded,
            job: None,
        }),
    ))
}

async fn discard_now(conn: &mut Connection, caller: &Caller, discard: &Discard) -> Result<i64> {
    let mut progress = DiscardProgress::default();
    while progress.step(conn, caller.tenant, discard).await? {}
    source::settle_status(conn, caller.tenant, discard.connection_id).await?;
    let object = audit_object(discard.connection_id);
    let entry =
        Entry::new(caller, "quarantine.discard", object).after(discard.audited(progress.discarded));
    audit::append(conn, caller.tenant, &entry).await?;
    Ok(progress.discarded)
}

impl NewDiscard {
    fn check(self, entities: &Entities, connection_id: ConnectionId) -> Result<Discard> {
        let reason = self.reason.trim();
        if reason.is_empty() || MAX_REASON < reason.chars().count() || reason.contains('\0') {
            let detail = format!("say why, in 1 to {MAX_REASON} characters");
            return Err(Error::invalid("/reason", detail).into());
        }
        let reason = reason.to_owned();
        let filter = filter(entities, self.object, self.field, self.group)?;
        Ok(Discard {
            connection_id,
            filter,
            reason,
            requested_at: platform::now(),
        })
    }
}

fn filter(
    entities: &Entities,
    object: Option<String>,
    field: Option<String>,
    group: Option<Uuid>,
) -> Result<GroupFilter> {
    check_name("/object", object.as_deref())?;
    let is_known = |name: &String| entities.iter().any(|it| it.field(name).is_some());
    if !field.as_ref().is_none_or(is_known) {
        let detail = "no entity has this field: name one that the groups have";
        return Err(Error::invalid("/field", detail).into());
    }
    Ok(GroupFilter {
        object,
        field,
        group,
    })
}

/// What fits a filter.
struct Found {
    records: i64,
    at_least: bool,
    /// The object that all of them are of, where they are of one.
    object: Option<String>,
}

async fn find(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
    filter: &GroupFilter,
) -> Result<Found> {
    let found = groups::list(conn, tenant, connection, filter.object.as_deref()).await?;
    let all_found = i64::try_from(found.len()).is_ok_and(|it| it < MAX_GROUPS);
    let fits: Vec<_> = found.iter().filter(|it| filter.fits(it)).collect();
    let exact = all_found && fits.iter().all(|it| !it.at_least);
    if fits.is_empty() && all_found {
        check_named(conn, tenant, connection, filter).await?;
    }
    let first = fits.first().map(|it| &it.object);
    let is_only = |it: &&String| all_found && fits.iter().all(|other| other.object == **it);
    Ok(Found {
        records: fits.iter().map(|it| it.records).sum(),
        at_least: !exact,
        object: first.filter(is_only).cloned(),
    })
}

/// Nothing fits: what is named may not be there at all.
async fn check_named(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
    filter: &GroupFilter,
) -> Result<()> {
    if filter.group.is_some() {
        let what = "group of quarantined records";
        return Err(Error::NotFound { what }.into());
    }
    let Some(name) = filter.object.as_deref() else {
        return Ok(());
    };
    let object = ObjectKey { connection, name };
    let known = source_objects::find(conn, tenant, object).await?;
    known.ok_or(Error::NotFound {
        what: "source object",
    })?;
    Ok(())
}
