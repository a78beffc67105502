//! The tables of mappings and what they lead to, one module each. SQL is here and nowhere else.

pub mod mappings;

pub use sqlx::{PgConnection as Connection, Result};
