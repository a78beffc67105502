//! A day, as exceptions name it.

use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

/// A calendar day; the order is the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Date {
    year: i64,
    month: u8,
    day: u8,
}

impl Date {
    /// The day of a moment, in UTC.
    pub fn of(moment: SystemTime) -> Date {
        let seconds = moment
            .duration_since(UNIX_EPOCH)
            .map_or(0, |it| it.as_secs());
        // Days since 0000-03-01, so that the leap day is the last of its year (Howard Hinnant).
        let days = (seconds / 86_400) as i64 + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        Date {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as u8,
            day: (of_year - (153 * shifted + 2) / 5 + 1) as u8,
        }
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Date, String> {
        let parts: Vec<&str> = text.split('-').collect();
        let date = match parts.as_slice() {
            [year, month, day] if year.len() == 4 => (year.parse(), month.parse(), day.parse()),
            _ => return Err(format!("`{text}` is no day: write year-month-day")),
        };
        match date {
            (Ok(year), Ok(month @ 1..=12), Ok(day @ 1..=31)) => Ok(Date { year, month, day }),
            _ => Err(format!("`{text}` is no day: write year-month-day")),
        }
    }
}

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(text: String) -> Result<Date, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_moment_has_its_day() {
        let check = |days: u64, expected: &str| {
            let date = Date::of(UNIX_EPOCH + Duration::from_secs(days * 86_400 + 5));
            assert_eq!(date, expected.parse().unwrap());
        };
        check(0, "1970-01-01");
        check(11_016, "2000-02-29");
        check(20_513, "2026-03-01");
        assert!("2027-3-40".parse::<Date>().is_err());
    }
}
