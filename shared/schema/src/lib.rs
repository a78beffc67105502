//! The vocabulary that every crate speaks: ids, entities, mappings, schemas, drift, errors.
//!
//! **Invariant:** no I/O, no clock, no randomness. A model lives here and nowhere else.

mod access;
pub mod drift;
mod egress;
pub mod entity;
mod error;
pub mod format;
mod id;
pub mod input;
pub mod mapping;
pub mod pointer;
pub mod quarantine;
pub mod run;
pub mod source;

pub use access::{Role, Scope};
pub use egress::EgressPolicy;
pub use entity::Entity;
pub use error::{Error, FieldError, Result};
pub use id::{ApiKeyId, ConnectionId, DriftId, InvitationId, JobId, RunId, TenantId, UserId};
