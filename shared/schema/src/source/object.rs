//! Source objects: what a connection's records are of.

use crate::entity::EntityRef;
use crate::{ConnectionId, Entity};

/// A source object, and what its records become.
#[derive(Debug, Clone)]
pub struct ObjectRef {
    /// The connection that brings its records.
    pub connection: ConnectionId,
    /// Its name within the connection: `system.entity`, or the source's own.
    pub name: String,
    /// The system it is an object of, as shipped mappings name it: `salesforce`.
    pub system: String,
    /// What its records become.
    pub entity: EntityRef,
}

/// What tells a source object from the others of its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey<'a> {
    /// The connection that brings its records.
    pub connection: ConnectionId,
    /// Its name within the connection.
    pub name: &'a str,
}

impl ObjectRef {
    /// The object whose records come under no name of the source's own: `system.entity`.
    pub fn of_entity(
        connection: ConnectionId,
        system: &str,
        entity: impl Into<EntityRef>,
    ) -> ObjectRef {
        let entity = entity.into();
        ObjectRef {
            connection,
            name: format!("{system}.{}", entity.kind),
            system: system.to_owned(),
            entity,
        }
    }

    /// The object of records that came canonical already. It is one of its own, with a mapping of
    /// its own, so that stored payloads can be read again.
    pub fn canonical(
        connection: ConnectionId,
        system: &str,
        entity: impl Into<EntityRef>,
    ) -> ObjectRef {
        let entity = entity.into();
        ObjectRef {
            connection,
            name: canonical_name(system, &entity),
            system: system.to_owned(),
            entity,
        }
    }

    /// Whether its records came canonical already.
    pub fn is_canonical(&self) -> bool {
        self.name == canonical_name(&self.system, &self.entity)
    }

    /// What tells it from others.
    pub fn key(&self) -> ObjectKey<'_> {
        ObjectKey {
            connection: self.connection,
            name: &self.name,
        }
    }
}

fn canonical_name(system: &str, entity: &Entity) -> String {
    format!("{system}.{}.canonical", entity.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity;

    #[test]
    fn an_object_is_named_after_its_system_and_its_entity() {
        let connection = ConnectionId(uuid::Uuid::nil());
        let account = entity::find("account").unwrap();
        let plain = ObjectRef::of_entity(connection, "crm", account);
        let canonical = ObjectRef::canonical(connection, "crm", account);
        assert_eq!(plain.name, "crm.account");
        assert_eq!(canonical.name, "crm.account.canonical");
        assert_eq!(
            (plain.is_canonical(), canonical.is_canonical()),
            (false, true)
        );
        assert_eq!(plain.system, canonical.system);
        assert_ne!(plain.key(), canonical.key());
    }

    #[test]
    fn a_name_of_the_source_says_nothing_of_the_words_of_its_records() {
        let table = ObjectRef {
            connection: ConnectionId(uuid::Uuid::nil()),
            name: "sales.account.canonical".to_owned(),
            system: "postgres".to_owned(),
            entity: entity::find("account").unwrap().into(),
        };
        assert!(!table.is_canonical());
    }
}
