//! The mapping language: how a source's records become canonical ones.
//!
//! A [`Plan`] is a mapping (`schema::mapping`) that was compiled; [`shipped`] has the mappings that
//! come with the platform.
//!
//! **Invariant:** pure: no I/O, no clock, no database.

pub mod boolean;
mod calling_codes;
mod canonicalise;
mod coerce;
mod compile;
mod countries;
pub mod currency;
mod date_pattern;
mod decimal;
mod digits;
mod excel;
mod extended_json;
mod field_use;
pub mod fix;
pub mod formats;
mod json;
mod json_limits;
mod json_text;
pub mod limits;
pub mod matcher;
mod months;
mod nearest;
mod path;
mod plan;
mod quote;
pub mod reason;
mod record;
#[cfg(test)]
mod round_trips;
pub mod shipped;
#[cfg(test)]
mod tests;
mod timestamp;
mod transforms;
mod words;
mod zone;

pub use decimal::Decimal;
pub use field_use::{Demand, FieldUse};
pub use nearest::nearest;
pub use plan::Plan;
pub use record::{Cell, Record, RecordError};
