//! How often a connection's source is asked by itself.

use std::ops::RangeInclusive;

use schema::{Error, Result};
use serde::{Deserialize, Deserializer};
use sources::Connector;

use crate::connection::source::can_sync;

const MINUTES: RangeInclusive<i32> = 5..=7 * 24 * 60;
const HOURS: RangeInclusive<i32> = 1..=30 * 24;
/// How often a structure is looked at where nobody says.
const USUAL_HOURS: i32 = 24;

/// What a request says of a pace: nothing, null for never, or so often.
pub(super) type Interval = Option<Option<i32>>;

/// Reads what is there, null too.
pub(super) fn double_option<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
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
        Some(_) if !can_sync(connector) => {
            "this connector reads nothing on a schedule: leave it out".to_owned()
        }
        Some(wanted) if !range.contains(&wanted) => {
            format!("{} to {}, or null for never", range.start(), range.end())
        }
        _ => return Ok(wanted),
    };
    Err(Error::invalid(pointer, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of the interval of a connection to that connector.
    fn check_sync(connector: &str, said: &str, before: Option<i32>, expected: &str) {
        let connector = sources::find(connector).unwrap();
        check(said, expected, |it| sync(connector, it, before));
    }

    fn check_schema(connector: &str, said: &str, expected: &str) {
        let connector = sources::find(connector).unwrap();
        let new = usual(connector);
        check(said, expected, |it| schema_check(connector, it, new));
    }

    fn check(said: &str, expected: &str, of: impl Fn(Interval) -> Result<Option<i32>>) {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default, deserialize_with = "double_option")]
            every: Interval,
        }
        let body: Body = serde_json::from_str(said).unwrap();
        let found = match of(body.every) {
            Ok(None) => "never".to_owned(),
            Ok(Some(every)) => every.to_string(),
            Err(Error::Invalid(errors)) => format!("{}: {}", errors[0].pointer, errors[0].detail),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, expected, "{said}");
    }

    #[test]
    fn an_interval_that_is_not_named_stays_and_null_ends_it() {
        check_sync("postgres", "{}", None, "never");
        check_sync("postgres", "{}", Some(30), "30");
        check_sync("postgres", r#"{"every": null}"#, Some(30), "never");
        check_sync("postgres", r#"{"every": 60}"#, Some(30), "60");
        check_schema("postgres", "{}", "24");
        check_schema("postgres", r#"{"every": null}"#, "never");
    }

    #[test]
    fn an_interval_has_bounds() {
        let refused = "/sync_every_minutes: 5 to 10080, or null for never";
        check_sync("postgres", r#"{"every": 4}"#, None, refused);
        check_sync("postgres", r#"{"every": 5}"#, None, "5");
        check_sync("postgres", r#"{"every": 10080}"#, None, "10080");
        check_sync("postgres", r#"{"every": 10081}"#, None, refused);
        let refused = "/schema_check_every_hours: 1 to 720, or null for never";
        check_schema("postgres", r#"{"every": 0}"#, refused);
        check_schema("postgres", r#"{"every": 720}"#, "720");
        check_schema("postgres", r#"{"every": 721}"#, refused);
    }

    #[test]
    fn a_connector_without_a_source_to_ask_has_no_interval() {
        let refused = "this connector reads nothing on a schedule: leave it out";
        check_sync("filesource", "{}", None, "never");
        check_sync("filesource", r#"{"every": null}"#, None, "never");
        let sync = format!("/sync_every_minutes: {refused}");
        check_sync("filesource", r#"{"every": 60}"#, None, &sync);
        check_schema("filesource", "{}", "never");
        let schema = format!("/schema_check_every_hours: {refused}");
        check_schema("filesource", r#"{"every": 24}"#, &schema);
    }
}
