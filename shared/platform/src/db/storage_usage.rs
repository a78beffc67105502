//! How much a tenant has stored. The database counts; nobody here writes but to join the parts.

use schema::TenantId;

use super::Connection;

/// What is used, and the quotas that the tenant has instead of the platform's.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(crate) bytes: i64,
    pub(crate) records: i64,
    pub(crate) max_bytes: Option<i64>,
    pub(crate) max_records: Option<i64>,
}

pub(crate) async fn find(conn: &mut Connection, tenant: TenantId) -> sqlx::Result<Usage> {
    sqlx::query_as!(
        Usage,
        r#"
        select coalesce(sum(bytes), 0)::bigint "bytes!", coalesce(sum(records), 0)::bigint "records!",
          (select storage_bytes from tenant_limits where tenant_id = $1) max_bytes,
          (select storage_records from tenant_limits where tenant_id = $1) max_records
        from storage_usage
        where tenant_id = $1
        "#,
        tenant as _,
    )
    .fetch_one(conn)
    .await
}

/// Joins up to so many parts of any tenants, as [`super::begin_sweep`] sees them. One that is being
/// written is left for the next time.
pub async fn join_parts(conn: &mut Connection, most: i64) -> sqlx::Result<u64> {
    let result = sqlx::query!(
        r#"
        with parts as (
          select tenant_id, part from storage_usage where part <> 0 limit $1 for update skip locked
        ), gone as (
          delete from storage_usage u
          using parts p
          where u.tenant_id = p.tenant_id and u.part = p.part
          returning u.tenant_id, u.bytes, u.records
        )
        insert into storage_usage as kept (tenant_id, part, bytes, records)
        select tenant_id, 0, sum(bytes)::bigint, sum(records)::bigint from gone group by tenant_id
        on conflict (tenant_id, part) do update
          set bytes = kept.bytes + excluded.bytes, records = kept.records + excluded.records
        "#,
        most,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected())
}
