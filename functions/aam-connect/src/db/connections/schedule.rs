//! Which connections are to be asked by themselves, and when.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use schema::{ConnectionId, TenantId};

/// What a connection does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schedule {
    Sync,
    SchemaCheck,
}

/// A connection that is due.
pub(crate) struct DueConnection {
    pub(crate) tenant: TenantId,
    pub(crate) connection: ConnectionId,
}

/// Connections of all tenants that are due, in a transaction of the sweep, which sees no others.
/// The one due longest of each tenant comes first, then the second of each: however many one has,
/// the others are not left out.
pub(crate) async fn list_due(
    conn: &mut Conn,
    what: Schedule,
    most: i64,
) -> sqlx::Result<Vec<DueConnection>> {
    match what {
        Schedule::Sync => {
            sqlx::query_as!(
                DueConnection,
                r#"
                select tenant_id "tenant: _", id "connection: _"
                from connections
                where sync_due_at <= now()
                order by row_number() over (partition by tenant_id order by sync_due_at), sync_due_at
                limit $1
                "#,
                most,
            )
            .fetch_all(conn)
            .await
        }
        Schedule::SchemaCheck => {
            sqlx::query_as!(
                DueConnection,
                r#"
                select tenant_id "tenant: _", id "connection: _"
                from connections
                where schema_check_due_at <= now()
                order by row_number() over (partition by tenant_id order by schema_check_due_at), schema_check_due_at
                limit $1
                "#,
                most,
            )
            .fetch_all(conn)
            .await
        }
    }
}

/// Puts off what is due by its pace, up to a tenth more by `jitter`, which is from 0 to 1. Says
/// whether it was due: of two who find it so, one gets it.
pub(crate) async fn claim_due(
    conn: &mut Conn,
    due: &DueConnection,
    what: Schedule,
    now: DateTime<Utc>,
    jitter: f64,
) -> sqlx::Result<bool> {
    let stretch = 1.0 + jitter / 10.0;
    let query = match what {
        Schedule::Sync => sqlx::query!(
            r#"
            update connections
            set sync_due_at = $3::timestamptz + sync_every_minutes * $4::float8 * interval '1 minute'
            where tenant_id = $1 and id = $2 and sync_due_at <= $3
            "#,
            due.tenant as _,
            due.connection as _,
            now,
            stretch,
        ),
        Schedule::SchemaCheck => sqlx::query!(
            r#"
            update connections
            set schema_check_due_at =
              $3::timestamptz + schema_check_every_hours * $4::float8 * interval '1 hour'
            where tenant_id = $1 and id = $2 and schema_check_due_at <= $3
            "#,
            due.tenant as _,
            due.connection as _,
            now,
            stretch,
        ),
    };
    Ok(query.execute(conn).await?.rows_affected() == 1)
}
