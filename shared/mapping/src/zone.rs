//! Time zones: what makes an instant of a time of day.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::digits::number;

/// A zone that values without one are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    Fixed(FixedOffset),
    /// A zone of the IANA database, whose offset changes with the time.
    Named(Tz),
}

impl Default for Zone {
    fn default() -> Zone {
        Zone::Fixed(Utc.fix())
    }
}

impl Zone {
    /// `UTC`, `Z`, `+02:00`, `-0530` (at most 14 hours from UTC), or a name such as
    /// `Europe/Berlin`.
    pub(crate) fn parse(text: &str) -> Option<Zone> {
        if text == "UTC" {
            return Some(Zone::default());
        }
        if let Some(offset) = offset(text.as_bytes()) {
            return Some(Zone::Fixed(offset));
        }
        // Names without a place, such as EST and CET, mean other things elsewhere.
        let has_place = text.contains('/');
        Tz::from_str(text)
            .ok()
            .filter(|_| has_place)
            .map(Zone::Named)
    }

    /// The instant of a time in this zone: of one that is there twice, when clocks go back, the
    /// first; of one that clocks skip, the instant by the offset from before.
    pub(crate) fn instant(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let zone = match self {
            Zone::Fixed(offset) => return Some(local.checked_sub_offset(offset)?.and_utc()),
            Zone::Named(zone) => zone,
        };
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc()),
            LocalResult::None => {
                // No zone has skipped more than a day.
                let before = local.checked_sub_signed(TimeDelta::hours(25))?;
                let before = zone.from_local_datetime(&before).earliest()?;
                Some(local.checked_sub_offset(before.offset().fix())?.and_utc())
            }
        }
    }
}

/// `Z` or an offset such as `+02:00` or `-0530`, at most 14 hours from UTC.
pub(crate) fn offset(text: &[u8]) -> Option<FixedOffset> {
    let (sign, rest) = match text {
        b"Z" | b"z" => return FixedOffset::east_opt(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest {
        [_, _] => (number(rest)?, 0),
        [_, _, b':', _, _] => (number(&rest[..2])?, number(&rest[3..])?),
        [_, _, _, _] => (number(&rest[..2])?, number(&rest[2..])?),
        _ => return None,
    };
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    (minutes < 60 && seconds <= 14 * 3600)
        .then(|| FixedOffset::east_opt(sign * seconds))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone: &str, local: &str, want: &str) {
        let local = NaiveDateTime::from_str(local).unwrap();
        let at = Zone::parse(zone).unwrap().instant(local).unwrap();
        assert_eq!(at.to_rfc3339(), format!("{want}+00:00"), "{zone} {local}");
    }

    #[test]
    fn a_zone_is_utc_an_offset_or_a_place() {
        let noon = "2024-01-31T12:00:00";
        check("UTC", noon, noon);
        check("+05:30", noon, "2024-01-31T06:30:00");
        check("-0800", noon, "2024-01-31T20:00:00");
        check("America/New_York", noon, "2024-01-31T17:00:00");
        check("Asia/Kolkata", noon, "2024-01-31T06:30:00");
        for text in [
            "",
            "utc+2",
            "+2",
            "+14:01",
            "+00:60",
            "CET",
            "EST5EDT",
            "Europe/berlin",
            "Berlin",
        ] {
            assert_eq!(Zone::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_place_changes_its_clocks() {
        let berlin = |local, want| check("Europe/Berlin", local, want);
        berlin("2024-03-31T01:59:59", "2024-03-31T00:59:59");
        berlin("2024-03-31T02:30:00", "2024-03-31T01:30:00");
        berlin("2024-03-31T03:00:00", "2024-03-31T01:00:00");
        berlin("2024-07-01T12:00:00", "2024-07-01T10:00:00");
        berlin("2024-10-27T02:30:00", "2024-10-27T00:30:00");
        berlin("2024-10-27T03:00:00", "2024-10-27T02:00:00");
        // A day that Samoa left out.
        check("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00");
    }
}
