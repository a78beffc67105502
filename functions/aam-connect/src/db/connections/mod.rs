//! Connections: what a tenant has linked.

pub(crate) mod schedule;
pub(crate) mod source;

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use platform::page::{CreatedAtKey, Keyset, Page};
use schema::entity::{CUSTOM_TABLE, ENTITIES};
use schema::run::{FirstRejection, RunOutcome};
use schema::{ConnectionId, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use utoipa::ToSchema;

/// One configured link to a source system.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) name: String,
    /// The connector's name.
    pub(crate) source_type: String,
    pub(crate) status: ConnectionStatus,
    /// Matches the connector's `config_schema` in the catalog.
    #[schema(value_type = Object)]
    pub(crate) connector_config: Value,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) last_health_check: Option<DateTime<Utc>>,
    /// Interval of scheduled syncs, in minutes; null where there are none.
    pub(crate) sync_every_minutes: Option<i32>,
    /// Interval of scheduled discoveries, in hours; null where there are none.
    pub(crate) schema_check_every_hours: Option<i32>,
}

impl Keyset for Connection {
    type Key = CreatedAtKey;

    fn keyset(&self) -> CreatedAtKey {
        (self.created_at, self.id.0)
    }
}

/// The status of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum ConnectionStatus {
    /// Its source was not reached yet.
    Pending,
    /// Records can come.
    Active,
    /// Its source cannot be reached.
    Failed,
    /// Its records no longer fit their mapping.
    Drifted,
    /// The last records did not come whole.
    Healing,
    /// It is switched off.
    Inactive,
}

/// Which connections.
pub(crate) struct Wanted<'a> {
    pub(crate) source_type: Option<&'a str>,
    pub(crate) status: Option<ConnectionStatus>,
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    wanted: &Wanted<'_>,
    page: &Page,
) -> sqlx::Result<Vec<Connection>> {
    let (created_at, id) = page.after.unzip();
    sqlx::query_as!(
        Connection,
        r#"
        select id "id: _", name, source_type, status "status: _", connector_config, created_at,
          updated_at, last_health_check, sync_every_minutes, schema_check_every_hours
        from connections
        where tenant_id = $1
          and ($2::text is null or source_type = $2)
          and ($3::text is null or status = $3)
          and ($4::timestamptz is null or (created_at, id) < ($4, $5::uuid))
        order by created_at desc, id desc
        limit $6
        "#,
        tenant as _,
        wanted.source_type,
        wanted.status as _,
        created_at,
        id,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn count(
    conn: &mut Conn,
    tenant: TenantId,
    wanted: &Wanted<'_>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from connections
        where tenant_id = $1
          and ($2::text is null or source_type = $2)
          and ($3::text is null or status = $3)
        "#,
        tenant as _,
        wanted.source_type,
        wanted.status as _,
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
) -> sqlx::Result<Option<Connection>> {
    sqlx::query_as!(
        Connection,
        r#"
        select id "id: _", name, source_type, status "status: _", connector_config, created_at,
          updated_at, last_health_check, sync_every_minutes, schema_check_every_hours
        from connections
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(conn)
    .await
}

/// The same, held against every other change until the end of the transaction.
pub(crate) async fn lock(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
) -> sqlx::Result<Option<Connection>> {
    sqlx::query_as!(
        Connection,
        r#"
        select id "id: _", name, source_type, status "status: _", connector_config, created_at,
          updated_at, last_health_check, sync_every_minutes, schema_check_every_hours
        from connections
        where tenant_id = $1 and id = $2
        for update
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(conn)
    .await
}

/// What it is to do by itself is due at once.
pub(crate) async fn insert(
    conn: &mut Conn,
    tenant: TenantId,
    new: &Connection,
    sealed_secrets: Option<&[u8]>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into connections
          (tenant_id, id, name, source_type, status, connector_config, created_at, updated_at,
           sealed_secrets, sync_every_minutes, sync_due_at, schema_check_every_hours,
           schema_check_due_at)
        values
          ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
           case when $10::int is not null then $7::timestamptz end, $11,
           case when $11::int is not null then $7::timestamptz end)
        "#,
        tenant as _,
        new.id as _,
        new.name,
        new.source_type,
        new.status as _,
        new.connector_config,
        new.created_at,
        new.updated_at,
        sealed_secrets,
        new.sync_every_minutes,
        new.schema_check_every_hours,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what can change of a connection. What it is to do by itself is due at once where it is
/// new or comes at another pace.
pub(crate) async fn update(conn: &mut Conn, tenant: TenantId, it: &Connection) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update connections
        set name = $3, status = $4, connector_config = $5, updated_at = $6,
          last_health_check = $7, sync_every_minutes = $8, schema_check_every_hours = $9,
          sync_due_at = case
            when $8::int is null then null
            when sync_every_minutes = $8 then sync_due_at
            else $6
          end,
          schema_check_due_at = case
            when $9::int is null then null
            when schema_check_every_hours = $9 then schema_check_due_at
            else $6
          end
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        it.id as _,
        it.name,
        it.status as _,
        it.connector_config,
        it.updated_at,
        it.last_health_check,
        it.sync_every_minutes,
        it.schema_check_every_hours,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a connection with every record that came over it. Lock it before.
pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
) -> sqlx::Result<()> {
    // These have no foreign key; with the connection's row go all others.
    let tables = ENTITIES.iter().copied().map(|it| &*it.plural);
    for table in tables.chain([CUSTOM_TABLE, "raw_records"]) {
        let sql = format!("delete from {table} where tenant_id = $1 and connection_id = $2");
        sqlx::query(AssertSqlSafe(sql))
            .bind(tenant)
            .bind(id)
            .execute(&mut *conn)
            .await?;
    }
    sqlx::query!(
        "delete from connections where tenant_id = $1 and id = $2",
        tenant as _,
        id as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The ids of connections of that type, at most two.
pub(crate) async fn find_some_of_type(
    conn: &mut Conn,
    tenant: TenantId,
    source_type: &str,
) -> sqlx::Result<Vec<ConnectionId>> {
    sqlx::query_scalar!(
        r#"
        select id "id: _"
        from connections
        where tenant_id = $1 and source_type = $2
        limit 2
        "#,
        tenant as _,
        source_type,
    )
    .fetch_all(conn)
    .await
}

/// An object whose latest run quarantined records.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rejection {
    pub(crate) object: String,
    pub(crate) status: RunOutcome,
    pub(crate) rows_read: i64,
    pub(crate) quarantined: i64,
    pub(crate) first: FirstRejection,
}

/// What speaks against a connection's health.
pub(crate) struct Complaints {
    /// Why the latest run failed, if it did.
    pub(crate) failed_run: Option<String>,
    /// Why the latest run of an object quarantined records that are still there, if one did; the
    /// worst first.
    pub(crate) rejection: Option<Rejection>,
    /// Open drifts because of which records are quarantined.
    pub(crate) critical_drifts: i64,
}

pub(crate) async fn complaints(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
) -> sqlx::Result<Complaints> {
    let found = sqlx::query!(
        r#"
        select
          (select case when status = 'failed' then coalesce(error, 'no reason is known') end
          from runs
          where tenant_id = $1 and connection_id = $2 and status <> 'running'
          order by started_at desc, id desc
          limit 1) failed_run,
          (select count(*)
          from drift_events
          where tenant_id = $1 and connection_id = $2 and status = 'open'
            and severity = 'critical') "critical_drifts!",
          (select jsonb_build_object('object', o.object, 'status', r.status,
            'rows_read', r.rows_read, 'quarantined', r.quarantined, 'first', r.first_rejection)
          from source_objects o
          cross join lateral (
            select status, rows_read, quarantined, first_rejection
            from runs
            where tenant_id = $1 and connection_id = $2 and object = o.object
              and status not in ('running', 'canceled')
            order by started_at desc, id desc
            limit 1
          ) r
          where o.tenant_id = $1 and o.connection_id = $2 and r.status in ('failed', 'partial')
            and r.quarantined > 0 and r.first_rejection is not null
            and exists (
              select
              from quarantined_records q
              where q.tenant_id = $1 and q.connection_id = $2 and q.object = o.object
            )
          order by r.rows_read > r.quarantined, o.object
          limit 1) "rejection: Json<Rejection>"
        "#,
        tenant as _,
        id as _,
    )
    .fetch_one(conn)
    .await?;
    Ok(Complaints {
        failed_run: found.failed_run,
        rejection: found.rejection.map(|it| it.0),
        critical_drifts: found.critical_drifts,
    })
}
