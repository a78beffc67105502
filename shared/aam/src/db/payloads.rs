//! What records say, read to be looked at: nothing is held.

use schema::TenantId;
use schema::source::ObjectKey;

use super::stored_records::Slice;
use super::{Connection as Conn, Result};

/// So many are read at once,
const ROWS: i64 = 2_000;
/// and so much, but at least one.
const BYTES: i64 = 8 << 20;

/// The next payloads of records that are not deleted, and where they stand. Where no mapping gives
/// ids, they are in random order.
pub async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    slice: Slice<'_>,
) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"
        select source_id, payload
        from (
          select source_id, payload, sum(octet_length(payload)) over (order by source_id) size
          from (
            select source_id, payload
            from raw_records
            where tenant_id = $1 and connection_id = $2 and object = $3 and source_id > $4
              and not deleted
            order by source_id
            limit $5
          ) next
        ) sized
        where size - octet_length(payload) < $6
        order by source_id
        "#,
        tenant as _,
        slice.object.connection as _,
        slice.object.name,
        slice.after,
        ROWS,
        BYTES,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|it| (it.source_id, it.payload))
        .collect())
}

/// Payloads of records that are not deleted, at most so many and at most 8 MiB together. Where no
/// mapping gives ids, they are a random sample.
pub async fn sample(
    conn: &mut Conn,
    tenant: TenantId,
    object: ObjectKey<'_>,
    most: i64,
) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"
        select payload
        from (
          select payload, source_id, sum(octet_length(payload)) over (order by source_id) size
          from (
            select source_id, payload
            from raw_records
            where tenant_id = $1 and connection_id = $2 and object = $3 and not deleted
            order by source_id
            limit $4
          ) first
        ) sized
        where size - octet_length(payload) < $5
        order by source_id
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        most,
        BYTES,
    )
    .fetch_all(conn)
    .await
}
