//! Numbered snapshots of a source object's structure. A snapshot never changes.

use chrono::{DateTime, Utc};
use schema::TenantId;
use schema::source::{ObjectKey, SourceSchema};
use sqlx::types::Json;

use super::{Connection, Result};

/// One snapshot.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// From 1.
    pub version: i32,
    /// The structure.
    pub schema: Json<SourceSchema>,
    /// Its hash.
    pub structure_hash: String,
}

/// The newest snapshot and the one that drift is measured from, if there are any. They may be
/// the same.
pub async fn find_latest_and_baseline(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
) -> Result<Option<(Snapshot, Snapshot)>> {
    let mut snapshots = sqlx::query_as!(
        Snapshot,
        r#"
        select version, document "schema: _", structure_hash
        from schema_snapshots
        where tenant_id = $1 and connection_id = $2 and object = $3
          and version in (
            (select baseline_version
             from source_objects
             where tenant_id = $1 and connection_id = $2 and object = $3),
            (select max(version)
             from schema_snapshots
             where tenant_id = $1 and connection_id = $2 and object = $3))
        order by version
        "#,
        tenant as _,
        object.connection as _,
        object.name,
    )
    .fetch_all(conn)
    .await?;
    let Some(latest) = snapshots.pop() else {
        return Ok(None);
    };
    let baseline = snapshots.pop().unwrap_or_else(|| latest.clone());
    Ok(Some((latest, baseline)))
}

/// Whether a structure was seen before.
pub async fn exists(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    structure_hash: &str,
) -> Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
          select 1
          from schema_snapshots
          where tenant_id = $1 and connection_id = $2 and object = $3 and structure_hash = $4
        ) "exists!"
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        structure_hash,
    )
    .fetch_one(conn)
    .await
}

/// Adds a snapshot. Its number must be free: lock the object before choosing one.
pub async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    snapshot: &Snapshot,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        insert into schema_snapshots
          (tenant_id, connection_id, object, version, document, structure_hash, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        snapshot.version,
        &snapshot.schema as _,
        snapshot.structure_hash,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
