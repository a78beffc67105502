//! Which mapping an object's records are read with.

use chrono::{DateTime, Utc};
use schema::TenantId;
use schema::mapping::Mapping;
use schema::source::ObjectRef;

use crate::db::mappings::{self, MappingVersion, NewMapping};
use crate::db::{self, Connection, source_objects};
use mapping::shipped;

/// The object's current mapping. Where it has none yet, the object is registered and the shipped
/// mapping becomes its version 1.
pub async fn current_or_shipped(
    conn: &mut Connection,
    tenant: TenantId,
    object: &ObjectRef,
    now: DateTime<Utc>,
) -> db::Result<(MappingVersion, Mapping)> {
    if let Some(current) = mappings::current(conn, tenant, object.key()).await? {
        return Ok(current);
    }
    source_objects::insert_once(conn, tenant, object).await?;
    let mapping = shipped(object);
    let new = NewMapping {
        version: 1,
        mapping,
        author: "shipped",
        reason: "the first records of the object came",
        now,
    };
    if mappings::insert(conn, tenant, object.key(), &new).await? {
        let version = MappingVersion {
            number: 1,
            created_at: now,
        };
        return Ok((version, mapping.clone()));
    }
    // Somebody else was first; theirs may even have successors by now.
    let current = mappings::current(conn, tenant, object.key()).await?;
    Ok(current.expect("a version that is taken is there, and stays"))
}

/// What the object's records are read with at first.
fn shipped(object: &ObjectRef) -> &'static Mapping {
    let kind = object.entity.kind;
    let of_system = match object.is_canonical() {
        true => None,
        false => shipped::find(&object.system, kind),
    };
    of_system
        .or_else(|| shipped::identity(kind))
        .expect("each entity has an identity mapping")
}

#[cfg(test)]
mod tests {
    use schema::{ConnectionId, entity};

    use super::*;

    fn check(object: &ObjectRef, expected: Option<&Mapping>) {
        assert_eq!(Some(shipped(object)), expected, "{object:?}");
    }

    #[test]
    fn an_object_begins_with_the_mapping_of_its_system_or_with_the_canonical_names() {
        let connection = ConnectionId(uuid::Uuid::nil());
        let account = entity::find("account").unwrap();
        let of = |system: &str| ObjectRef::of_entity(connection, system, account);
        let identity = shipped::identity("account");
        let salesforce = shipped::find("salesforce", "account");
        assert_ne!(salesforce, identity);
        check(&of("salesforce"), salesforce);
        check(&of("unheard-of"), identity);
        check(
            &ObjectRef::canonical(connection, "salesforce", account),
            identity,
        );
    }
}
