//! The type of a column, inferred from all its values as they pass.

use serde::Serialize;

use crate::delimited::{Header, Row};

/// What all values of a column can be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// No value yet.
    #[default]
    Empty,
    /// `true` or `false`, in any case.
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
            b't' | b'T' if value.eq_ignore_ascii_case("true") => Self::Boolean,
            b'f' | b'F' if value.eq_ignore_ascii_case("false") => Self::Boolean,
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
