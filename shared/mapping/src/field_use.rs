//! What hangs on a source field: how much a record needs it, and whether its type matters.

/// What hangs on a source field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldUse {
    /// How much a record needs it.
    pub demand: Demand,
    /// Whether it is read as a number, a date or a word of a list. As a text, any value fits.
    pub is_typed: bool,
}

/// How much a record needs a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// No mapping reads it.
    Unused,
    /// A mapping reads it for an optional canonical field.
    Mapped,
    /// A mapping reads it for a canonical field without which the record is quarantined.
    Required,
}

impl FieldUse {
    /// No mapping reads it; one that will may care for its type.
    pub const UNUSED: FieldUse = FieldUse {
        demand: Demand::Unused,
        is_typed: true,
    };

    /// A mapping reads it somehow for an optional canonical field.
    pub const MAPPED: FieldUse = FieldUse {
        demand: Demand::Mapped,
        is_typed: true,
    };

    /// The same for a required one.
    pub const REQUIRED: FieldUse = FieldUse {
        demand: Demand::Required,
        is_typed: true,
    };

    /// What hangs on a field that is used in both ways.
    pub fn and(self, other: FieldUse) -> FieldUse {
        FieldUse {
            demand: self.demand.max(other.demand),
            is_typed: self.is_typed || other.is_typed,
        }
    }
}
