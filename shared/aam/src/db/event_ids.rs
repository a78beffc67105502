//! Ids of events, to know one that is delivered again.

use chrono::{DateTime, Utc};
use schema::{ConnectionId, TenantId};

use super::{Connection, Result};

/// Keeps the ids and returns those that were not seen before. Give them sorted and distinct:
/// the order keeps two batches from waiting for each other.
pub async fn insert_once(
    conn: &mut Connection,
    tenant: TenantId,
    ids: &[(ConnectionId, &str)],
    now: DateTime<Utc>,
) -> Result<Vec<(ConnectionId, String)>> {
    let (connections, events): (Vec<_>, Vec<_>) = ids.iter().copied().unzip();
    let rows = sqlx::query!(
        r#"
        insert into event_ids (tenant_id, connection_id, event_id, seen_at)
        select $1, connection_id, event_id, $4
        from unnest($2::uuid[], $3::text[]) as given(connection_id, event_id)
        on conflict do nothing
        returning connection_id "connection: ConnectionId", event_id
        "#,
        tenant as _,
        connections as _,
        events as _,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|it| (it.connection, it.event_id))
        .collect())
}

/// Forgets up to `most` ids that are over their time, in a transaction of the sweep, which sees
/// no others. Says how many there were.
pub async fn delete_expired(conn: &mut Connection, most: i64) -> Result<u64> {
    let result = sqlx::query!(
        "delete from event_ids where ctid = any (array(select ctid from event_ids limit $1))",
        most,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected())
}
