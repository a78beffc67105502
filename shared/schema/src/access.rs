//! Who may do what: roles of people, scopes of requests.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Error;

/// A user's role in their tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, people and keys included.
    Admin,
    /// Reads, and brings records in.
    Member,
    /// Reads.
    Viewer,
}

/// What a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read the tenant's objects.
    Read,
    /// Bring records in.
    Ingest,
    /// Change how the tenant is set up.
    Admin,
}

impl Role {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Member => "member",
            Role::Viewer => "viewer",
        }
    }

    /// What a person of this role may do.
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Role::Admin => &[Scope::Read, Scope::Ingest, Scope::Admin],
            Role::Member => &[Scope::Read, Scope::Ingest],
            Role::Viewer => &[Scope::Read],
        }
    }
}

impl std::str::FromStr for Role {
    type Err = Error;
    fn from_str(text: &str) -> Result<Role, Error> {
        [Role::Admin, Role::Member, Role::Viewer]
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| Error::invalid("/role", "one of admin, member, viewer"))
    }
}

impl Scope {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Ingest => "ingest",
            Scope::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = Error;
    fn from_str(text: &str) -> Result<Scope, Error> {
        [Scope::Read, Scope::Ingest, Scope::Admin]
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| Error::invalid("/scopes", "each one of read, ingest, admin"))
    }
}
