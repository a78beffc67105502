//! Dates as spreadsheets store them: days since a beginning, with the time as their fraction.
//!
//! In the system of 1900 day 1 is 1 January 1900, and day 60 is 29 February 1900, which never was:
//! the fault is inherited from Lotus 1-2-3 (Microsoft, "Excel incorrectly assumes that the year
//! 1900 is a leap year"). In the system of 1904, of older Macs, day 0 is 1 January 1904.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use crate::Decimal;

/// Where days are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    From1900,
    From1904,
}

const MILLIS_A_DAY: u32 = 86_400_000;

/// The time of a serial number, to the nearest millisecond, which is what a spreadsheet stores.
pub(crate) fn read(text: &str, system: System) -> Option<NaiveDateTime> {
    let serial: Decimal = text.parse().ok()?;
    let (days, millis) = parts(serial)?;
    let at = first_day(days, system)?
        .and_hms_opt(0, 0, 0)?
        .checked_add_signed(TimeDelta::days(days))?
        .checked_add_signed(TimeDelta::milliseconds(millis))?;
    Some(at)
}

/// Whole days, and milliseconds, rounded half up.
fn parts(serial: Decimal) -> Option<(i64, i64)> {
    let days = i64::try_from(serial.floor()).ok()?;
    if !(0..=2_958_465).contains(&days) {
        return None;
    }
    let units = serial.fraction_of(MILLIS_A_DAY)?;
    let millis = i64::try_from(units).ok()?;
    Some((days, millis))
}

/// What the days are added to; none for a day that never was.
fn first_day(days: i64, system: System) -> Option<NaiveDate> {
    match system {
        System::From1904 => NaiveDate::from_ymd_opt(1904, 1, 1),
        System::From1900 if days > 60 => NaiveDate::from_ymd_opt(1899, 12, 30),
        System::From1900 if (1..60).contains(&days) => NaiveDate::from_ymd_opt(1899, 12, 31),
        System::From1900 => None,
    }
}

/// The serial number of a time, as text with enough digits for its milliseconds.
pub(crate) fn written(at: NaiveDateTime, system: System) -> Option<String> {
    let day = |days| first_day(days, system)?.and_hms_opt(0, 0, 0);
    let mut since = at.signed_duration_since(day(61)?);
    if system == System::From1900 && since.num_days() <= 60 {
        since = at.signed_duration_since(day(1)?);
    }
    let millis = since.num_milliseconds();
    let days = millis.div_euclid(MILLIS_A_DAY.into());
    // Ten digits are a hundredth of a millisecond.
    let part = i128::from(millis.rem_euclid(MILLIS_A_DAY.into())) * 10_000_000_000;
    let part = part / i128::from(MILLIS_A_DAY);
    if days < 0 || read(&days.to_string(), system).is_none() {
        return None;
    }
    if part == 0 {
        return Some(days.to_string());
    }
    Some(format!("{days}.{part:010}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, system: System, want: &str) {
        let got = read(text, system).map(|it| it.to_string());
        assert_eq!(got.as_deref().unwrap_or("none"), want, "{text}");
    }

    #[test]
    fn days_are_those_that_a_spreadsheet_shows() {
        let check_1900 = |text, want| check(text, System::From1900, want);
        check_1900("1", "1900-01-01 00:00:00");
        check_1900("59", "1900-02-28 00:00:00");
        check_1900("60", "none");
        check_1900("60.5", "none");
        check_1900("61", "1900-03-01 00:00:00");
        check_1900("45292", "2024-01-01 00:00:00");
        check_1900("45292.5", "2024-01-01 12:00:00");
        check_1900("45292.395833333336", "2024-01-01 09:30:00");
        check_1900("45292.999999999999", "2024-01-02 00:00:00");
        check_1900("2958465", "9999-12-31 00:00:00");
        for text in ["0", "0.5", "-1", "2958466", "x", "1e30", "1e-30"] {
            check_1900(text, "none");
        }
        check("0", System::From1904, "1904-01-01 00:00:00");
        check("43830", System::From1904, "2024-01-01 00:00:00");
    }

    proptest! {
        #[test]
        fn a_time_that_is_written_as_a_serial_number_reads_as_itself(
            seconds in 0..(8000_i64 * 365 * 86_400),
            is_1904 in any::<bool>(),
        ) {
            let system = if is_1904 { System::From1904 } else { System::From1900 };
            let first = NaiveDate::from_ymd_opt(1904, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
            let at = first + TimeDelta::seconds(seconds);
            let text = written(at, system).unwrap();
            prop_assert_eq!(read(&text, system), Some(at), "{}", text);
        }
    }
}
