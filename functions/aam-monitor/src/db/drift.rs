//! Drift events, for reading.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use platform::page::{CreatedAtKey, Keyset, Page};
use schema::drift::{Change, DriftStatus, Severity};
use schema::{ConnectionId, DriftId, TenantId};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::{IntoParams, ToSchema};

/// A detected change of a source object's schema.
#[derive(Serialize, ToSchema)]
pub(crate) struct Drift {
    pub(crate) id: DriftId,
    connection_id: ConnectionId,
    connection_name: String,
    /// The source's object: `system.entity` for files and events.
    object: String,
    /// The version of the baseline, the snapshot that drift is measured from.
    from_version: i32,
    /// The version of the snapshot that differs from it.
    to_version: i32,
    #[schema(value_type = Vec<Change>)]
    changes: Json<Vec<Change>>,
    /// The worst of its changes.
    severity: Severity,
    status: DriftStatus,
    pub(crate) created_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
}

impl Keyset for Drift {
    type Key = CreatedAtKey;

    fn keyset(&self) -> CreatedAtKey {
        (self.created_at, self.id.0)
    }
}

/// Which drifts.
#[derive(Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DriftFilter {
    /// Only those with this status.
    status: Option<DriftStatus>,
    /// Only those of this connection.
    connection_id: Option<ConnectionId>,
}

pub(crate) async fn list(
    conn: &mut Connection,
    tenant: TenantId,
    filter: &DriftFilter,
    page: &Page,
) -> sqlx::Result<Vec<Drift>> {
    let (created_at, id) = page.after.unzip();
    sqlx::query_as!(
        Drift,
        r#"
        select d.id "id: _", d.connection_id "connection_id: _", c.name connection_name,
          d.object, d.from_version, d.to_version, d.changes "changes: _",
          d.severity "severity: _", d.status "status: _", d.created_at, d.resolved_at
        from drift_events d
        join connections c on c.tenant_id = d.tenant_id and c.id = d.connection_id
        where d.tenant_id = $1
          and ($2::text is null or d.status = $2)
          and ($3::uuid is null or d.connection_id = $3)
          and ($4::timestamptz is null or (d.created_at, d.id) < ($4, $5::uuid))
        order by d.created_at desc, d.id desc
        limit $6
        "#,
        tenant as _,
        filter.status as _,
        filter.connection_id as _,
        created_at,
        id,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn count(
    conn: &mut Connection,
    tenant: TenantId,
    filter: &DriftFilter,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from drift_events
        where tenant_id = $1
          and ($2::text is null or status = $2)
          and ($3::uuid is null or connection_id = $3)
        "#,
        tenant as _,
        filter.status as _,
        filter.connection_id as _,
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn find(
    conn: &mut Connection,
    tenant: TenantId,
    id: DriftId,
) -> sqlx::Result<Option<Drift>> {
    sqlx::query_as!(
        Drift,
        r#"
        select d.id "id: _", d.connection_id "connection_id: _", c.name connection_name,
          d.object, d.from_version, d.to_version, d.changes "changes: _",
          d.severity "severity: _", d.status "status: _", d.created_at, d.resolved_at
        from drift_events d
        join connections c on c.tenant_id = d.tenant_id and c.id = d.connection_id
        where d.tenant_id = $1 and d.id = $2
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(conn)
    .await
}
