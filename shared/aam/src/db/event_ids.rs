//! Ids of events, to know one that is delivered again.

use chrono::{DateTime, Utc};
use schema::{ConnectionId, TenantId};

use super::{Connection, Result};

/// What tells an event from all others of its tenant.
pub struct EventId {
    /// Where it came.
    pub connection: ConnectionId,
    /// Who sent it.
    pub source: String,
    /// Its id there.
    pub event_id: String,
}

impl EventId {
    /// The same, borrowed.
    pub fn key(&self) -> (ConnectionId, &str, &str) {
        (self.connection, &self.source, &self.event_id)
    }
}

/// Keeps the ids and returns those that were not seen before. Give them sorted and distinct:
/// the order keeps two batches from waiting for each other.
///
/// An id without a source, from before there were any, is one of every source.
pub async fn insert_once(
    conn: &mut Connection,
    tenant: TenantId,
    ids: &[(ConnectionId, &str, &str)],
    now: DateTime<Utc>,
) -> Result<Vec<EventId>> {
    let (connections, sources, events) = columns(ids);
    sqlx::query_as!(
        EventId,
        r#"
        insert into event_ids (tenant_id, connection_id, source, event_id, seen_at)
        select $1, connection_id, source, event_id, $5
        from unnest($2::uuid[], $3::text[], $4::text[]) as given(connection_id, source, event_id)
        where not exists (
          select 1
          from event_ids seen
          where seen.tenant_id = $1 and seen.connection_id = given.connection_id
            and seen.source = '' and seen.event_id = given.event_id)
        on conflict do nothing
        returning connection_id "connection: _", source, event_id
        "#,
        tenant as _,
        connections as _,
        sources as _,
        events as _,
        now,
    )
    .fetch_all(conn)
    .await
}

/// Forgets ids: events that bear them are new again.
pub async fn delete(
    conn: &mut Connection,
    tenant: TenantId,
    ids: &[(ConnectionId, &str, &str)],
) -> Result<()> {
    let (connections, sources, events) = columns(ids);
    sqlx::query!(
        r#"
        delete from event_ids
        where tenant_id = $1
          and (connection_id, source, event_id) in (
            select connection_id, source, event_id
            from unnest($2::uuid[], $3::text[], $4::text[])
              as given(connection_id, source, event_id))
        "#,
        tenant as _,
        connections as _,
        sources as _,
        events as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

type Columns<'a> = (Vec<ConnectionId>, Vec<&'a str>, Vec<&'a str>);

fn columns<'a>(ids: &[(ConnectionId, &'a str, &'a str)]) -> Columns<'a> {
    let (mut connections, mut sources, mut events) = (vec![], vec![], vec![]);
    for (connection, source, event) in ids {
        connections.push(*connection);
        sources.push(*source);
        events.push(*event);
    }
    (connections, sources, events)
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
