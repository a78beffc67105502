//! Values in a URL, checked before PostgreSQL sees them, so that it has nothing to refuse.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SecondsFormat, Utc};
use schema::entity::Kind;
use uuid::Uuid;

use super::view::ColumnKind;

/// Text that PostgreSQL reads as a value of its column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(String);

const DECIMAL_DIGITS: usize = 38;

impl Value {
    /// Reads a value of a column; the error says what would be right.
    pub fn parse(kind: ColumnKind, text: &str) -> Result<Value, &'static str> {
        match kind {
            ColumnKind::Uuid => text
                .parse()
                .map(|it: Uuid| Value(it.to_string()))
                .map_err(|_| "not a UUID"),
            ColumnKind::Field(kind) => field(kind, text).map(Value),
            ColumnKind::Json => Err("this field cannot be compared"),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn field(kind: Kind, text: &str) -> Result<String, &'static str> {
    match kind {
        Kind::Text if text.contains('\0') => Err("must not contain a NUL character"),
        Kind::Text => Ok(text.to_owned()),
        Kind::TextList => Err("this field cannot be compared"),
        Kind::Integer => text
            .parse()
            .map(|it: i64| it.to_string())
            .map_err(|_| "not a whole number of 64 bits"),
        Kind::Decimal => decimal(text).ok_or("not a decimal number of at most 38 digits"),
        Kind::Boolean => text
            .parse()
            .map(|it: bool| it.to_string())
            .map_err(|_| "neither `true` nor `false`"),
        Kind::Date => date(text)
            .map(|it| it.to_string())
            .ok_or("not a date such as 2026-01-31"),
        Kind::Timestamp => timestamp(text)
            .map(|it| it.to_rfc3339_opts(SecondsFormat::Micros, true))
            .ok_or("not an RFC 3339 timestamp such as 2026-01-31T12:00:00Z (write `+` as %2B)"),
    }
}

fn decimal(text: &str) -> Option<String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    // As stored: a zero before the point is no digit of the number.
    let fits = whole.trim_start_matches('0').len() + fraction.len() <= DECIMAL_DIGITS;
    let has_point = digits.contains('.');
    (numeric(whole) && (!has_point || numeric(fraction)) && fits).then(|| text.to_owned())
}

/// Years that are written with four digits, which both sides read alike.
fn date(text: &str) -> Option<NaiveDate> {
    text.parse()
        .ok()
        .filter(|it: &NaiveDate| (1..=9999).contains(&it.year()))
}

fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    let instant = match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => instant.to_utc(),
        Err(_) => date(text)?.and_time(NaiveTime::MIN).and_utc(),
    };
    (1..=9999).contains(&instant.year()).then_some(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_at_most_38_digits_wherever_its_point_is() {
        let check = |text: &str, fits: bool| {
            let parsed = Value::parse(ColumnKind::Field(Kind::Decimal), text);
            assert_eq!(parsed.is_ok(), fits, "{text}");
        };
        let (zeros, nines) = ("0".repeat(37), "9".repeat(38));
        for text in [
            format!("0.{zeros}1"),
            format!("-0.{zeros}1"),
            nines.clone(),
            format!("-{nines}"),
            format!("{}.9", &nines[1..]),
            format!("0.{nines}"),
            "+1".to_owned(),
            "007".to_owned(),
        ] {
            check(&text, true);
        }
        for text in [
            format!("{nines}9"),
            format!("1.{nines}"),
            format!("0.{nines}9"),
            String::new(),
            ".5".to_owned(),
            "5.".to_owned(),
            "1e3".to_owned(),
            "--1".to_owned(),
        ] {
            check(&text, false);
        }
    }
}
