//! Ids that do not mix. Each is a UUID on the wire and in the database.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            Serialize, Deserialize, utoipa::ToSchema,
        )]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map($name)
            }
        }
    )*};
}

id! {
    /// One organisation. Its rows are invisible to every other.
    TenantId,
    /// One person of a tenant.
    UserId,
    /// One configured link from a tenant to a source system.
    ConnectionId,
    /// One key by which a program of a tenant signs in.
    ApiKeyId,
    /// One invitation of a person into a tenant.
    InvitationId,
    /// One upload, sync, replay or batch of events.
    RunId,
    /// A detected change of a source object's schema.
    DriftId,
    /// A background job.
    JobId,
}
