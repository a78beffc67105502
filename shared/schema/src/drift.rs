//! Drift: how a source object's structure left the one its mapping was made for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::source::SourceField;
use crate::{ConnectionId, DriftId};

/// One noticed drift: from the baseline to a newer snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriftEvent {
    /// Its id.
    pub id: DriftId,
    /// The connection whose source drifted.
    pub connection_id: ConnectionId,
    /// The source object.
    pub object: String,
    /// The baseline's number.
    pub from_version: i32,
    /// The newer snapshot's number.
    pub to_version: i32,
    /// What changed, in path order.
    pub changes: Vec<Change>,
    /// That of the worst change.
    pub severity: Severity,
    /// Where it stands.
    pub status: DriftStatus,
    /// When it was noticed.
    pub created_at: DateTime<Utc>,
}

/// One change of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// What happened to it.
    pub kind: ChangeKind,
    /// The path of the field, as in a source schema.
    pub path: String,
    /// The field as it was; none where it is new.
    pub before: Option<SourceField>,
    /// The field as it is; none where it is gone.
    pub after: Option<SourceField>,
    /// How much it matters to this tenant.
    pub severity: Severity,
    /// Which readers still fit the data.
    pub compatibility: Compatibility,
    /// What the change was concluded from, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// What happened to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its values have other types.
    Retyped,
    /// It may now be missing or null.
    BecameNullable,
    /// It can no longer be missing or null.
    BecameRequired,
    /// The values it may have are others.
    ValuesChanged,
    /// It entered or left the object's key.
    KeyChanged,
}

/// How severe a change is; a later one is worse.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing that is mapped is touched.
    Low,
    /// Values still fit, but differently.
    Medium,
    /// A mapped value is lost or may no longer fit.
    High,
    /// Records will be quarantined.
    Critical,
}

impl Severity {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// Which readers and which data still fit after a change.
///
/// The words are those of Confluent's schema registry, which takes them from Avro's schema
/// resolution:
/// <https://docs.confluent.io/platform/current/schema-registry/fundamentals/schema-evolution.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compatibility {
    /// Neither.
    None,
    /// A reader with the new schema can read old data.
    Backward,
    /// A reader with the old schema can read new data.
    Forward,
    /// Both.
    Full,
}

impl Compatibility {
    /// The word for the two answers.
    pub const fn new(backward: bool, forward: bool) -> Compatibility {
        match (backward, forward) {
            (false, false) => Compatibility::None,
            (true, false) => Compatibility::Backward,
            (false, true) => Compatibility::Forward,
            (true, true) => Compatibility::Full,
        }
    }

    /// Whether a reader with the new schema can read old data.
    pub const fn is_backward(self) -> bool {
        matches!(self, Compatibility::Backward | Compatibility::Full)
    }

    /// Whether a reader with the old schema can read new data.
    pub const fn is_forward(self) -> bool {
        matches!(self, Compatibility::Forward | Compatibility::Full)
    }

    /// What remains when both changes happen. `Full` changes nothing.
    #[must_use]
    pub const fn and(self, other: Compatibility) -> Compatibility {
        Compatibility::new(
            self.is_backward() && other.is_backward(),
            self.is_forward() && other.is_forward(),
        )
    }
}

/// The status of a drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[serde(rename_all = "snake_case")]
pub enum DriftStatus {
    /// Nobody has decided.
    Open,
    /// A repair is proposed or on trial.
    Repairing,
    /// The mapping follows the new structure.
    Repaired,
    /// The new structure is the baseline, the mapping stays.
    Accepted,
    /// Nothing is to be done about it.
    Ignored,
}

#[cfg(test)]
mod tests {
    use super::Compatibility::*;

    #[test]
    fn together_only_what_both_allow_remains() {
        let table = [
            (Full, Backward, Backward),
            (Backward, Forward, None),
            (Full, Full, Full),
        ];
        for (a, b, both) in table {
            assert_eq!((a.and(b), b.and(a)), (both, both), "{a:?} {b:?}");
        }
    }
}
