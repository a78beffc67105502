//! Reading text as a field's type. Strict: a value fits as it is, or the record is rejected.

use std::borrow::Cow;

use chrono::NaiveDate;
use schema::entity::{Field, Kind};

use crate::boolean;
use crate::{
    Cell, Decimal,
    quote::quoted,
    timestamp::{self, Reading},
};

/// Reads a text that is not empty.
///
/// White space around a number, a boolean, a date or a timestamp does not count, and neither do
/// leading zeros of a number: `" 007"` is 7 in a numeric field and stays as it is in a text field.
pub(super) fn read<'a>(
    field: &Field,
    text: Cow<'a, str>,
    reading: Reading,
) -> Result<Cell<'a>, String> {
    if field.kind == Kind::Text {
        listed(field, &text)?;
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

/// Reads what a transform made: as it is where it has the field's type, else by its text.
pub(super) fn fit<'a>(
    field: &Field,
    value: Cell<'a>,
    reading: Reading,
) -> Result<Cell<'a>, String> {
    let cell = match (field.kind, value) {
        (_, Cell::Null) => return Ok(Cell::Null),
        (Kind::TextList, value @ Cell::TextList(_))
        | (Kind::Boolean, value @ Cell::Boolean(_))
        | (Kind::Date, value @ Cell::Date(_))
        | (Kind::Decimal, value @ Cell::Decimal(_))
        | (Kind::Timestamp, value @ Cell::Timestamp(_)) => value,
        (_, value) => {
            let text = into_text(value);
            return match text.is_empty() {
                true => Ok(Cell::Null),
                false => read(field, text, reading),
            };
        }
    };
    within(field, &cell)?;
    Ok(cell)
}

fn into_text(value: Cell<'_>) -> Cow<'_, str> {
    match value {
        Cell::Text(text) => text,
        other => Cow::Owned(other.text().into_owned()),
    }
}

/// Whether a value is within the field's limits, and of its words.
pub(super) fn within(field: &Field, cell: &Cell<'_>) -> Result<(), String> {
    if let Cell::TextList(texts) = cell {
        texts.iter().try_for_each(|it| listed(field, it))?;
    }
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

/// What is said of a text that is not among those that a field takes.
pub(crate) const NO_WORD: &str = "is none of the words of";

/// Whether a text is among those that the field takes.
fn listed(field: &Field, text: &str) -> Result<(), String> {
    if field.words.is_empty() || field.words.iter().any(|it| it == text) {
        return Ok(());
    }
    Err(format!(
        "{} {NO_WORD} `{}`: map it to one of them, or add it to the field's enum",
        quoted(text),
        field.name
    ))
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
    boolean::read(text).ok_or_else(|| format!("{} is not a boolean", quoted(text)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, text: &'static str, want: &str) {
        let field = Field::optional("x", kind, "");
        let got = match read(&field, text.into(), Reading::default()) {
            Ok(Cell::Null) => "null".to_owned(),
            Ok(cell) => cell.text().into_owned(),
            Err(reason) => reason,
        };
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn an_enum_takes_its_words_alone() {
        let mut field = Field::optional("tier", Kind::Text, "");
        field.words = vec!["gold".to_owned(), "silver".to_owned()];
        let read_as = |field: &Field, text: &'static str| {
            let cell = read(field, text.into(), Reading::default());
            cell.map(|it| it.text().into_owned())
        };
        assert_eq!(read_as(&field, "gold").unwrap(), "gold");
        let reason = r#""Gold" is none of the words of `tier`: map it to one of them, or add it to the field's enum"#;
        assert_eq!(read_as(&field, "Gold").unwrap_err(), reason);
        field.kind = Kind::TextList;
        assert_eq!(read_as(&field, "silver").unwrap(), "silver");
        assert_eq!(read_as(&field, "Gold").unwrap_err(), reason);
    }

    #[test]
    fn a_boolean_is_a_word_that_spreadsheets_write() {
        for word in [
            "true",
            "TRUE",
            "1",
            "Yes",
            " yes ",
            "WAHR",
            "Vrai",
            "VERO",
            "ИСТИНА",
            "Doğru",
        ] {
            check(Kind::Boolean, word, "true");
        }
        for word in [
            "false", "False", "0", "NO", "FALSCH", "faux", "FAŁSZ", "Epätosi", "YANLIŞ",
        ] {
            check(Kind::Boolean, word, "false");
        }
        for word in [
            "active", "y", "t", "on", "2", "1.0", "ok", "trueish", "Wahrheit",
        ] {
            check(Kind::Boolean, word, &format!("{word:?} is not a boolean"));
        }
    }

    #[test]
    fn a_date_is_a_day_and_nothing_else() {
        check(Kind::Date, "2024-02-29", "2024-02-29");
        check(Kind::Date, "0001-01-01", "0001-01-01");
        for text in [
            "2023-02-29",
            "0000-12-31",
            "10000-01-01",
            "2024-1-1",
            "2024-01-01T00:00:00Z",
        ] {
            let want =
                format!("{text:?} is not a date of the years 0001 to 9999, such as 2024-01-31");
            check(Kind::Date, text, &want);
        }
    }

    #[test]
    fn white_space_alone_is_text_and_no_other_value() {
        check(Kind::Text, "  ", "  ");
        for kind in [
            Kind::Integer,
            Kind::Decimal,
            Kind::Boolean,
            Kind::Date,
            Kind::Timestamp,
        ] {
            check(kind, "  ", "null");
        }
    }

    #[test]
    fn an_integer_has_64_bits() {
        check(
            Kind::Integer,
            "-9223372036854775808",
            "-9223372036854775808",
        );
        check(
            Kind::Integer,
            "9223372036854775807.00",
            "9223372036854775807",
        );
        check(Kind::Integer, "1e19", r#""1e19" does not fit into 64 bits"#);
        check(Kind::Integer, "1e40", r#""1e40" is not an integer"#);
        check(Kind::Integer, "1_000", r#""1_000" is not an integer"#);
    }
}
