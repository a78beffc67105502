//! Orders: `sort=-updated_at,name`. Every order is total, because it ends with the key.

use schema::{Error, Result};

use super::value::Value;
use super::view::{Column, View};

/// One column of an order. Records without a value come last in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// By what.
    pub column: Column,
    /// Which way.
    pub direction: Direction,
}

/// Which way an order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From small to great.
    Ascending,
    /// From great to small.
    Descending,
}

/// Where a record stands in an order: its values of the order's columns.
pub type Keyset = Vec<Option<Value>>;

impl SortKey {
    /// Reads the value of `sort`; without one, the order is that of the key.
    pub fn parse(view: &View, text: Option<&str>) -> Result<Vec<SortKey>, String> {
        let mut keys: Vec<SortKey> = vec![];
        for part in text.iter().flat_map(|it| it.split(',')) {
            let (name, direction) = match part.strip_prefix('-') {
                Some(name) => (name, Direction::Descending),
                None => (part, Direction::Ascending),
            };
            let column = view
                .column(name)
                .filter(Column::is_scalar)
                .ok_or_else(|| format!("`{name}` is not a field to sort by"))?;
            if keys.iter().any(|it| it.column == column) {
                return Err(format!("`{name}` is named twice"));
            }
            keys.push(SortKey { column, direction });
        }
        // The way of the column before, so that one index serves the whole order.
        let direction = keys.last().map_or(Direction::Ascending, |it| it.direction);
        for column in View::KEY {
            if !keys.iter().any(|it| it.column == column) {
                keys.push(SortKey { column, direction });
            }
        }
        Ok(keys)
    }
}

/// Reads a place, as a cursor holds it.
///
/// # Errors
/// [`Error::Invalid`] where it is of another order.
pub fn keyset(order: &[SortKey], texts: &[Option<String>]) -> Result<Keyset> {
    let wrong = || {
        Error::invalid(
            "?cursor",
            "not a cursor of this list: start again without it",
        )
    };
    if texts.len() != order.len() {
        return Err(wrong());
    }
    let values = order.iter().zip(texts).map(|(key, text)| {
        let text = text.as_deref();
        text.map(|it| Value::parse(key.column.kind, it))
            .transpose()
            .map_err(|_| wrong())
    });
    values.collect()
}
