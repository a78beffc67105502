//! Which mapping an object's records are read with.

use chrono::{DateTime, Utc};
use schema::mapping::Mapping;
use schema::{ConnectionId, TenantId};

use crate::db::mappings::{self, NewMapping};
use crate::db::{self, Connection};
use mapping::shipped;

/// A source object and what its records are of.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// The connection.
    pub connection: ConnectionId,
    /// Its name: `system.entity`.
    pub name: &'a str,
    /// The system whose shipped mapping it starts with; the identity for an unknown one.
    pub system: &'a str,
    /// The kind of entity: `account`.
    pub entity: &'a str,
}

/// The object's current mapping. Where it has none yet, the shipped one becomes version 1; the
/// object must be registered. None where there is no such kind of entity.
pub async fn current_or_shipped(
    conn: &mut Connection,
    tenant: TenantId,
    object: &Object<'_>,
    now: DateTime<Utc>,
) -> db::Result<Option<(i32, Mapping)>> {
    let (connection, name) = (object.connection, object.name);
    if let Some(current) = mappings::current(conn, tenant, connection, name).await? {
        return Ok(Some(current));
    }
    let Some(mapping) =
        shipped::find(object.system, object.entity).or_else(|| shipped::identity(object.entity))
    else {
        return Ok(None);
    };
    let new = NewMapping {
        version: 1,
        mapping,
        author: "shipped",
        reason: "the first records of the object came",
        now,
    };
    if mappings::insert(conn, tenant, connection, name, &new).await? {
        return Ok(Some((1, mapping.clone())));
    }
    // Somebody else was first; theirs may even have successors by now.
    mappings::current(conn, tenant, connection, name).await
}
