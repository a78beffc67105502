//! What keeps a source from being read, in words that say what to do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a source could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", class.as_str())]
pub struct Trouble {
    /// What kind it is.
    pub class: TroubleClass,
    /// What is wrong and what to do.
    pub message: String,
    /// The JSON pointer of the config's field to look at.
    pub pointer: String,
}

/// What kind of trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TroubleClass {
    /// The source does not believe who asks.
    Auth,
    /// Who asks may not read that.
    Permission,
    /// The source cannot be reached.
    Network,
    /// The source has no capacity left, or takes too long.
    Quota,
    /// The source's structure is not what the config or the mapping says.
    Schema,
}

impl TroubleClass {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            TroubleClass::Auth => "auth",
            TroubleClass::Permission => "permission",
            TroubleClass::Network => "network",
            TroubleClass::Quota => "quota",
            TroubleClass::Schema => "schema",
        }
    }
}

impl Trouble {
    /// One of that class, at that pointer of the config: what is wrong and what to do.
    pub fn new(
        class: TroubleClass,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Trouble {
        Trouble {
            class,
            message: message.into(),
            pointer: pointer.into(),
        }
    }

    /// The source as a whole takes too long.
    pub fn late() -> Trouble {
        Trouble::new(
            TroubleClass::Network,
            "/host",
            "the source does not answer in time",
        )
    }

    /// Whether the same may succeed later though nobody changes anything.
    pub fn may_pass(&self) -> bool {
        matches!(self.class, TroubleClass::Network | TroubleClass::Quota)
    }
}
