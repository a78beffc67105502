//! Instants as sources write them.

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc,
};
use schema::mapping::TimestampFormat;

use crate::{
    Decimal,
    digits::number,
    quote::quoted,
    zone::{self, Zone},
};

/// How a column's timestamps are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// The zone of values that name none.
    pub(super) zone: Zone,
    pub(super) format: TimestampFormat,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading {
            zone: Zone::default(),
            format: TimestampFormat::Iso,
        }
    }
}

impl Reading {
    /// Reads an instant of the years 1 to 9999. Parts of a microsecond are cut off.
    pub(super) fn read(self, text: &str) -> Result<DateTime<Utc>, String> {
        let at = match self.format {
            TimestampFormat::Iso => iso(text, self.zone),
            TimestampFormat::UnixSeconds => unix(text, 1_000_000),
            TimestampFormat::UnixMillis => unix(text, 1_000),
        };
        let expected = match self.format {
            TimestampFormat::Iso => "an ISO 8601 timestamp of the years 0001 to 9999",
            TimestampFormat::UnixSeconds => "a timestamp in seconds of the years 0001 to 9999",
            TimestampFormat::UnixMillis => "a timestamp in milliseconds of the years 0001 to 9999",
        };
        at.filter(|it| (1..=9999).contains(&it.year()))
            .ok_or_else(|| format!("{} is not {expected}", quoted(text)))
    }
}

/// A date at the start, and what follows it.
pub(super) fn date(text: &[u8]) -> Option<(NaiveDate, &[u8])> {
    let (date, rest) = text.split_at_checked(10)?;
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let year = number(&date[..4])?;
    let day = NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        number(&date[5..7])?,
        number(&date[8..])?,
    )?;
    (year > 0).then_some((day, rest))
}

fn iso(text: &str, zone: Zone) -> Option<DateTime<Utc>> {
    iso_local(text)?.instant(zone)
}

/// A time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) at: NaiveDateTime,
    /// None where the value names no zone.
    pub(super) offset: Option<FixedOffset>,
    pub(super) has_time: bool,
}

impl Local {
    /// When it was, if a time without a zone is in `zone`.
    pub(super) fn instant(&self, zone: Zone) -> Option<DateTime<Utc>> {
        let zone = self.offset.map_or(zone, Zone::Fixed);
        zone.instant(self.at)
    }
}

/// Reads ISO 8601: a date, or a date and a time, with or without a zone.
pub(super) fn iso_local(text: &str) -> Option<Local> {
    let (day, rest) = date(text.as_bytes())?;
    let (at, rest) = match rest {
        [] => {
            return Some(Local {
                at: day.and_time(NaiveTime::MIN),
                offset: None,
                has_time: false,
            });
        }
        [b'T' | b't' | b' ', rest @ ..] => time(day, rest)?,
        _ => return None,
    };
    let offset = match rest {
        [] => None,
        [b' ', rest @ ..] | rest => Some(zone::offset(rest)?),
    };
    Some(Local {
        at,
        offset,
        has_time: true,
    })
}

/// `10:00`, `10:00:00` or `10:00:00.123`, and what follows it.
fn time(day: NaiveDate, text: &[u8]) -> Option<(NaiveDateTime, &[u8])> {
    let (hour, rest) = text.split_at_checked(2)?;
    let (minute, rest) = rest.strip_prefix(b":")?.split_at_checked(2)?;
    let (second, rest) = match rest.strip_prefix(b":") {
        Some(rest) => rest.split_at_checked(2)?,
        None => (&b"00"[..], rest),
    };
    let (micro, rest) = match rest {
        [b'.' | b',', rest @ ..] => fraction(rest)?,
        _ => (0, rest),
    };
    // A leap second is the first one of the next minute, as PostgreSQL reads it.
    let (second, leap) = match number(second)? {
        60 => (59, 1),
        second => (second, 0),
    };
    let time = NaiveTime::from_hms_micro_opt(number(hour)?, number(minute)?, second, micro)?;
    let at = day
        .and_time(time)
        .checked_add_signed(TimeDelta::seconds(leap))?;
    Some((at, rest))
}

/// Microseconds of one or more digits, and what follows them.
pub(super) fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let end = text
        .iter()
        .position(|it| !it.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return None;
    }
    let micro = (0..6).fold(0, |sum, place| {
        let digit = digits.get(place).map_or(0, |it| it - b'0');
        sum * 10 + u32::from(digit)
    });
    Some((micro, rest))
}

pub(super) fn unix(text: &str, micros_per_unit: i64) -> Option<DateTime<Utc>> {
    let units: Decimal = text.parse().ok()?;
    let micros = units.checked_mul(Decimal::from(micros_per_unit))?.floor();
    DateTime::from_timestamp_micros(i64::try_from(micros).ok()?)
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        let at = Reading::default().read(text).unwrap();
        assert_eq!(
            at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            want,
            "{text}"
        );
    }

    #[test]
    fn parts_of_a_microsecond_are_cut_off() {
        check(
            "2024-01-15T10:00:00.123456999Z",
            "2024-01-15T10:00:00.123456Z",
        );
        check("2024-01-15T10:00:00.5Z", "2024-01-15T10:00:00.500Z");
    }

    #[test]
    fn a_leap_second_is_the_next_one() {
        check("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z");
    }

    #[test]
    fn the_first_and_the_last_instant_are_read() {
        check("0001-01-01", "0001-01-01T00:00:00Z");
        check("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z");
    }

    proptest! {
        #[test]
        fn every_instant_is_read_in_every_zone(
            micros in -62_000_000_000_000_000..253_000_000_000_000_000_i64,
            offset in -840..=840,
        ) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let zone = FixedOffset::east_opt(offset * 60).unwrap();
            let text = at.with_timezone(&zone).to_rfc3339();
            prop_assert_eq!(Reading::default().read(&text), Ok(at));
        }
    }
}
