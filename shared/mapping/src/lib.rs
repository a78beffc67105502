//! The mapping language: how a source's records become canonical ones.
//!
//! A [`Plan`] is a mapping (`schema::mapping`) that was compiled; [`shipped`] has the mappings that
//! come with the platform.
//!
//! **Invariant:** pure: no I/O, no clock, no database.

pub mod boolean;
mod canonicalise;
mod coerce;
mod compile;
mod currency;
mod decimal;
mod extended_json;
mod field_use;
mod json;
mod json_limits;
pub mod matcher;
mod path;
mod plan;
mod record;
pub mod shipped;
#[cfg(test)]
mod tests;
mod timestamp;
mod transform;
mod words;

pub use decimal::Decimal;
pub use field_use::{Demand, FieldUse};
pub use plan::Plan;
pub use record::{Cell, Record, Reject};
