//! How statements name a column: to compare by it, and to show it.
//!
//! A custom field's value is in a JSON object, under the field's id. Dates and instants are kept
//! there as texts of one width, so they are compared as texts, byte by byte, which an index can
//! serve: reading them as what they are depends on settings of the session.

use schema::entity::Kind;

use crate::query::{Column, ColumnKind, Place};

/// What filters, orders and places compare.
pub(super) fn compared(column: &Column) -> String {
    let Place::Custom(id) = &column.place else {
        return name(column);
    };
    let text = format!("(custom ->> '{}')", id.0);
    match column.kind {
        ColumnKind::Field(Kind::Text) => text,
        ColumnKind::Field(Kind::Date | Kind::Timestamp) => format!("({text} collate \"C\")"),
        kind => format!("({text}::{})", kind.sql()),
    }
}

/// The type of [`compared()`].
pub(super) fn compared_type(column: &Column) -> &'static str {
    match (&column.place, column.kind) {
        (Place::Custom(_), ColumnKind::Field(Kind::Date | Kind::Timestamp)) => "text",
        (_, kind) => kind.sql(),
    }
}

/// What is read of it, as [`super::row`] reads it.
pub(super) fn shown(column: &Column) -> String {
    let value = match &column.place {
        Place::Named(_) => name(column),
        Place::Custom(id) if column.kind == ColumnKind::Json => format!("(custom -> '{}')", id.0),
        Place::Custom(id) => format!("(custom ->> '{}')", id.0),
    };
    match (&column.place, column.kind) {
        // As text, for neither has a Rust type here that would keep it to the letter.
        (_, ColumnKind::Json | ColumnKind::Field(Kind::Decimal)) => format!("{value}::text"),
        (Place::Custom(_), kind) => format!("{value}::{}", kind.sql()),
        (Place::Named(_), _) => value,
    }
}

fn name(column: &Column) -> String {
    match &column.place {
        Place::Named(name) => name.to_string(),
        Place::Custom(_) => "custom".to_owned(),
    }
}
