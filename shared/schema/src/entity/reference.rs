use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::Entity;

/// An entity to hold on to, whether it is canonical or a tenant's own.
#[derive(Clone)]
pub struct EntityRef(Home);

#[derive(Clone)]
enum Home {
    Program(&'static Entity),
    Tenant(Arc<Entity>),
}

impl Deref for EntityRef {
    type Target = Entity;

    fn deref(&self) -> &Entity {
        match &self.0 {
            Home::Program(entity) => entity,
            Home::Tenant(entity) => entity,
        }
    }
}

impl From<&'static Entity> for EntityRef {
    fn from(entity: &'static Entity) -> EntityRef {
        EntityRef(Home::Program(entity))
    }
}

impl From<Entity> for EntityRef {
    fn from(entity: Entity) -> EntityRef {
        EntityRef(Home::Tenant(Arc::new(entity)))
    }
}

impl fmt::Debug for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)
    }
}
