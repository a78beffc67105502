//! Snapshots of the structure of source objects, for reading.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use platform::page::{Keyset, Page};
use schema::source::{ObjectKey, SourceSchema};
use schema::{ConnectionId, TenantId};
use serde::Serialize;
use sqlx::types::Json;
use utoipa::ToSchema;

/// One version of an object's schema.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SchemaVersion {
    pub(crate) object: String,
    pub(crate) version: i32,
    /// Whether drift is measured from it.
    baseline: bool,
    /// A hash of the schema; equal for equal schemas.
    structure_hash: String,
    pub(crate) created_at: DateTime<Utc>,
    #[schema(value_type = SourceSchema)]
    schema: Json<SourceSchema>,
}

impl Keyset for SchemaVersion {
    type Key = (String, i32);

    fn keyset(&self) -> (String, i32) {
        (self.object.clone(), self.version)
    }
}

/// Ordered by object, and then the newest version first.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    object: Option<&str>,
    page: &Page<(String, i32)>,
) -> sqlx::Result<Vec<SchemaVersion>> {
    let (after_object, after_version) = page.after.clone().unzip();
    sqlx::query_as!(
        SchemaVersion,
        r#"
        select s.object, s.version, s.version is not distinct from o.baseline_version "baseline!",
          s.structure_hash, s.created_at, s.document "schema: _"
        from schema_snapshots s
        join source_objects o using (tenant_id, connection_id, object)
        where s.tenant_id = $1 and s.connection_id = $2
          and ($3::text is null or s.object = $3)
          and ($4::text is null or (s.object, -s.version) > ($4, -$5::int))
        order by s.object, s.version desc
        limit $6
        "#,
        tenant as _,
        connection as _,
        object,
        after_object,
        after_version,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn count(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    object: Option<&str>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from schema_snapshots
        where tenant_id = $1 and connection_id = $2 and ($3::text is null or object = $3)
        "#,
        tenant as _,
        connection as _,
        object,
    )
    .fetch_one(conn)
    .await
}

/// The structure of one version.
pub(crate) async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    object: ObjectKey<'_>,
    version: i32,
) -> sqlx::Result<Option<SourceSchema>> {
    let found = sqlx::query_scalar!(
        r#"
        select document "document: Json<SourceSchema>"
        from schema_snapshots
        where tenant_id = $1 and connection_id = $2 and object = $3 and version = $4
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        version,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|it| it.0))
}
