//! Reading text as a field's type. Strict: a value fits as it is, or the record is rejected.

use std::borrow::Cow;

use chrono::NaiveDate;
use schema::entity::{Field, Kind};

use super::{
    Cell, Decimal,
    record::quoted,
    timestamp::{self, Reading},
};

/// Reads a value that is not empty.
///
/// White space around a number, a boolean, a date or a timestamp does not count, and neither do
/// leading zeros of a number: `" 007"` is 7 in a numeric field and stays as it is in a text field.
pub(super) fn read<'a>(
    field: &Field,
    text: Cow<'a, str>,
    reading: Reading,
) -> Result<Cell<'a>, String> {
    if field.kind == Kind::Text {
        return Ok(Cell::Text(text));
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Cell::Null);
    }
    let cell = match field.kind {
        Kind::Text | Kind::TextList => Cell::TextList(vec![text]),
        Kind::Integer => Cell::Integer(integer(trimmed)?),
        Kind::Decimal => Cell::Decimal(trimmed.parse()?),
        Kind::Boolean => Cell::Boolean(boolean(trimmed)?),
        Kind::Date => Cell::Date(date(trimmed)?),
        Kind::Timestamp => Cell::Timestamp(reading.read(trimmed)?),
    };
    within(field, &cell)?;
    Ok(cell)
}

fn within(field: &Field, cell: &Cell<'_>) -> Result<(), String> {
    let Some((least, most)) = field.range else {
        return Ok(());
    };
    let number = match cell {
        Cell::Integer(number) => Decimal::from(*number),
        Cell::Decimal(number) => *number,
        _ => return Ok(()),
    };
    if number < Decimal::from(least) || Decimal::from(most) < number {
        return Err(format!("{number} is not within {least} to {most}"));
    }
    Ok(())
}

fn integer(text: &str) -> Result<i64, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let number: Decimal = text
        .parse()
        .map_err(|_| format!("{} is not an integer", quoted(text)))?;
    match number.to_integer() {
        Some(number) => {
            i64::try_from(number).map_err(|_| format!("{} does not fit into 64 bits", quoted(text)))
        }
        None => Err(format!("{} is not an integer", quoted(text))),
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    const WORDS: [(&str, bool); 6] = [
        ("true", true),
        ("false", false),
        ("1", true),
        ("0", false),
        ("yes", true),
        ("no", false),
    ];
    WORDS
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text))
        .map(|(_, value)| *value)
        .ok_or_else(|| format!("{} is not a boolean", quoted(text)))
}

fn date(text: &str) -> Result<NaiveDate, String> {
    match timestamp::date(text.as_bytes()) {
        Some((day, b"")) => Ok(day),
        _ => Err(format!(
            "{} is not a date of the years 0001 to 9999, such as 2024-01-31",
            quoted(text)
        )),
    }
}
