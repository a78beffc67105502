//! Statements over mappings and the canonical tables. The only place in this crate that knows
//! SQL.

mod expression;
pub mod provenance;
mod row;
mod select;
pub mod views;

pub use sqlx::{PgConnection as Connection, Result};
