//! The type of a column, inferred from all its values as they pass.

use serde::Serialize;

use crate::delimited::{Header, Row};
use mapping::boolean;

/// What all values of a column can be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// No value yet.
    #[default]
    Empty,
    /// `true` or `false`, in any case, or what spreadsheets of other languages write for it.
    Boolean,
    /// A 64-bit integer without leading zeros.
    Integer,
    /// A number with a point or an exponent.
    Decimal,
    /// `YYYY-MM-DD`.
    Date,
    /// RFC 3339, or the same with a space for the `T`, without seconds or without a zone.
    Timestamp,
    Text,
}

impl ColumnType {
    /// The narrowest type that holds the values of both.
    pub fn join(self, other: Self) -> Self {
        use ColumnType::{Date, Decimal, Empty, Integer, Text, Timestamp};
        match (self, other) {
            (same, other) if same == other => same,
            (Empty, one) | (one, Empty) => one,
            (Integer, Decimal) | (Decimal, Integer) => Decimal,
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            _ => Text,
        }
    }

    /// The type of a single value. White space is part of it.
    pub fn of(value: &str) -> Self {
        let bytes = value.as_bytes();
        let Some(first) = bytes.first() else {
            return Self::Empty;
        };
        match first {
            b'0'..=b'9' if bytes.get(4) == Some(&b'-') => date_or_timestamp(bytes),
            b'0'..=b'9' | b'-' | b'.' => number(value),
            _ if boolean::word(value).is_some() => Self::Boolean,
            _ => Self::Text,
        }
    }
}

/// Leading zeros make a text: they are codes, and a number would lose them.
fn number(value: &str) -> ColumnType {
    let (whole, rest) = digits(value.strip_prefix('-').unwrap_or(value).as_bytes());
    if whole.len() > 1 && whole[0] == b'0' {
        return ColumnType::Text;
    }
    if rest.is_empty() {
        // An integer beyond 64 bits is an identifier rather than an amount.
        return match value.parse::<i64>() {
            Ok(_) => ColumnType::Integer,
            Err(_) => ColumnType::Text,
        };
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => digits(rest),
        rest => (whole, rest),
    };
    let exponent_holds = match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] => all_digits(rest),
        _ => false,
    };
    if fraction.is_empty() || !exponent_holds {
        return ColumnType::Text;
    }
    ColumnType::Decimal
}

/// Splits after the digits that `bytes` begins with.
fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let len = bytes
        .iter()
        .position(|it| !it.is_ascii_digit())
        .unwrap_or(bytes.len());
    bytes.split_at(len)
}

fn all_digits(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

fn date_or_timestamp(bytes: &[u8]) -> ColumnType {
    let Some((date, time)) = bytes.split_at_checked(10) else {
        return ColumnType::Text;
    };
    match time {
        _ if !is_date(date) => ColumnType::Text,
        [] => ColumnType::Date,
        [b'T' | b't' | b' ', time @ ..] if is_time(time) => ColumnType::Timestamp,
        _ => ColumnType::Text,
    }
}

fn is_date(date: &[u8]) -> bool {
    let &[a, b, c, d, b'-', m, n, b'-', x, y] = date else {
        return false;
    };
    let (Some(century), Some(year)) = (two_digits(a, b), two_digits(c, d)) else {
        return false;
    };
    let (Some(month), Some(day)) = (two_digits(m, n), two_digits(x, y)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year != 0 || century % 4 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=last).contains(&day)
}

/// `HH:MM[:SS[.fraction]]` and an optional zone.
fn is_time(time: &[u8]) -> bool {
    let [a, b, b':', c, d, rest @ ..] = time else {
        return false;
    };
    if !below(24, *a, *b) || !below(60, *c, *d) {
        return false;
    }
    match rest {
        // 60 is a leap second.
        [b':', a, b, rest @ ..] => below(61, *a, *b) && is_fraction_and_zone(rest),
        rest => is_zone(rest),
    }
}

fn is_fraction_and_zone(rest: &[u8]) -> bool {
    let [b'.', rest @ ..] = rest else {
        return is_zone(rest);
    };
    let (fraction, zone) = digits(rest);
    !fraction.is_empty() && is_zone(zone)
}

fn is_zone(zone: &[u8]) -> bool {
    match zone {
        [] | [b'Z' | b'z'] => true,
        [b'+' | b'-', a, b] => below(24, *a, *b),
        [b'+' | b'-', a, b, b':', c, d] | [b'+' | b'-', a, b, c, d] => {
            below(24, *a, *b) && below(60, *c, *d)
        }
        _ => false,
    }
}

fn below(limit: u8, tens: u8, ones: u8) -> bool {
    two_digits(tens, ones).is_some_and(|it| it < limit)
}

fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| (tens - b'0') * 10 + (ones - b'0'))
}

/// What was seen of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ColumnProfile {
    pub kind: ColumnType,
    /// All cells, empty ones too.
    pub seen: u64,
    /// Null cells and empty strings.
    pub empty: u64,
}

impl ColumnProfile {
    pub fn observe(&mut self, value: &str) {
        self.seen += 1;
        if value.is_empty() {
            self.empty += 1;
        } else if self.kind != ColumnType::Text {
            self.kind = self.kind.join(ColumnType::of(value));
        }
    }
}

/// What was seen of all columns of a file, in the order of the header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    pub columns: Vec<ColumnProfile>,
}

impl Profile {
    pub fn new(header: &Header) -> Self {
        Self {
            columns: vec![ColumnProfile::default(); header.names().len()],
        }
    }

    pub fn observe(&mut self, row: &Row<'_>) {
        for (column, cell) in self.columns.iter_mut().zip(row.cells()) {
            column.observe(&cell.text());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnType::{Boolean, Date, Decimal, Empty, Integer, Text, Timestamp};
    use super::*;

    #[test]
    fn a_value_has_the_narrowest_type() {
        let cases: [(ColumnType, &[&str]); 7] = [
            (Empty, &[""]),
            (Boolean, &["true", "FALSE", "True", "WAHR", "faux"]),
            (
                Integer,
                &[
                    "0",
                    "7",
                    "-7",
                    "-0",
                    "9223372036854775807",
                    "-9223372036854775808",
                ],
            ),
            (
                Decimal,
                &[
                    "1.5", "-0.25", ".5", "-.5", "1e5", "3.00E+07", "1E-3", "0.10",
                ],
            ),
            (Date, &["2024-02-29", "2000-02-29", "2024-12-31"]),
            (
                Timestamp,
                &[
                    "2024-10-01T09:00:00Z",
                    "2024-10-01t09:00:00.123456z",
                    "2024-10-01 09:00:00+02:00",
                    "2024-10-01T09:00",
                    "2024-10-01 23:59:60",
                    "2024-10-01 09:00:00.5-0730",
                    "2024-10-01 09:00:00+00",
                ],
            ),
            (
                Text,
                &[
                    "007",
                    "00",
                    "-01",
                    "00.5",
                    "9223372036854775808",
                    "+1",
                    "+15551234567",
                    "1_0",
                    "nan",
                    "NaN",
                    "inf",
                    "-inf",
                    "Infinity",
                    "-",
                    ".",
                    "1.",
                    "1.e5",
                    "1e",
                    "1e+",
                    "1,234.50",
                    "1.2.3",
                    "1.5.",
                    "0x1F",
                    " 1",
                    "1 ",
                    "yes",
                    "t",
                    "truee",
                    "x",
                    "2023-02-29",
                    "1900-02-29",
                    "2024-13-01",
                    "2024-00-01",
                    "2024-01-00",
                    "2024-04-31",
                    "2024-1-1",
                    "01/02/2024",
                    "20241001T09",
                    "2024-10-01T",
                    "2024-10-01T24:00",
                    "2024-10-01T09:60",
                    "2024-10-01T09:00:61",
                    "2024-10-01T09:00:00.",
                    "2024-10-01T09:00:00 UTC",
                    "2024-10-01T9:00",
                    "2024-10-01T09:00:00+2",
                    "2024-10-0é",
                    "2024-10-01T09:00:00Zx",
                    "é",
                ],
            ),
        ];
        for (expected, values) in cases {
            for value in values {
                assert_eq!(ColumnType::of(value), expected, "{value:?}");
            }
        }
    }

    #[test]
    fn a_column_has_the_type_that_holds_all_its_values() {
        for (values, expected) in [
            (vec![], Empty),
            (vec!["", ""], Empty),
            (vec!["", "1", ""], Integer),
            (vec!["1", "1.5", "2"], Decimal),
            (vec!["1.5", "2"], Decimal),
            (vec!["2024-10-01", "2024-10-01T09:00"], Timestamp),
            (vec!["2024-10-01T09:00", "2024-10-01"], Timestamp),
            (vec!["true", "1"], Text),
            (vec!["2024-10-01", "1"], Text),
            (vec!["1", "n/a", "1"], Text),
        ] {
            let mut column = ColumnProfile::default();
            values.iter().for_each(|it| column.observe(it));
            let empty = values.iter().filter(|it| it.is_empty()).count() as u64;
            let seen = values.len() as u64;
            assert_eq!(
                column,
                ColumnProfile {
                    kind: expected,
                    seen,
                    empty
                },
                "{values:?}"
            );
        }
    }

    #[test]
    fn the_order_of_values_does_not_matter() {
        let all = [Empty, Boolean, Integer, Decimal, Date, Timestamp, Text];
        for a in all {
            for b in all {
                assert_eq!(a.join(b), b.join(a), "{a:?} {b:?}");
                for c in all {
                    assert_eq!(a.join(b).join(c), a.join(b.join(c)), "{a:?} {b:?} {c:?}");
                }
            }
        }
    }
}
