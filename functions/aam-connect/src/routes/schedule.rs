//! How often a connection's source is asked by itself.

use std::ops::RangeInclusive;

use schema::{Error, Result};
use serde::{Deserialize, Deserializer};
use sources::Connector;

use crate::pull::source::can_sync;

const MINUTES: RangeInclusive<i32> = 5..=7 * 24 * 60;
const HOURS: RangeInclusive<i32> = 1..=30 * 24;
/// How often a structure is looked at where nobody says.
const USUAL_HOURS: i32 = 24;

/// What a request says of a pace: nothing, null for never, or so often.
pub(super) type Interval = Option<Option<i32>>;

/// Reads what is there, null too.
pub(super) fn double_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Interval, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// After how many minutes a sync is due; `before` where nothing is said.
pub(super) fn sync(
    connector: &dyn Connector,
    double_option: Interval,
    before: Option<i32>,
) -> Result<Option<i32>> {
    let wanted = double_option.unwrap_or(before);
    check("/sync_every_minutes", connector, wanted, &MINUTES)
}

/// After how many hours a look at the structure is due.
pub(super) fn schema_check(
    connector: &dyn Connector,
    double_option: Interval,
    before: Option<i32>,
) -> Result<Option<i32>> {
    let wanted = double_option.unwrap_or(before);
    check("/schema_check_every_hours", connector, wanted, &HOURS)
}

/// The pace of looks at the structure of a connection that is new.
pub(super) fn usual(connector: &dyn Connector) -> Option<i32> {
    can_sync(connector).then_some(USUAL_HOURS)
}

fn check(
    pointer: &str,
    connector: &dyn Connector,
    wanted: Option<i32>,
    range: &RangeInclusive<i32>,
) -> Result<Option<i32>> {
    let detail = match wanted {
        Some(_) if !can_sync(connector) => "this connector has nothing to ask".to_owned(),
        Some(wanted) if !range.contains(&wanted) => {
            format!("{} to {}, or null for never", range.start(), range.end())
        }
        _ => return Ok(wanted),
    };
    Err(Error::invalid(pointer, detail))
}
