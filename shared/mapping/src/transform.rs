//! The transforms of a mapping, ready to run. Each turns text into text.

use std::borrow::Cow;

use schema::mapping::Otherwise;

use crate::{Decimal, currency, record::quoted, words::Words};

#[derive(Debug)]
pub(super) enum Step {
    Trim,
    Upper,
    Lower,
    Default(String),
    Split { separator: String, index: i32 },
    Enum { values: Words, otherwise: Otherwise },
    Unit(Decimal),
    Currency,
}

impl Step {
    /// Text in, text out. Empty text is no value, and only `Default` makes one from none.
    pub(super) fn apply<'a>(
        &'a self,
        value: Option<Cow<'a, str>>,
    ) -> Result<Option<Cow<'a, str>>, String> {
        let value = value.filter(|it| !it.is_empty());
        if let Step::Default(text) = self {
            return Ok(value.or(Some(Cow::Borrowed(text))));
        }
        let Some(text) = value else {
            return Ok(None);
        };
        Ok(Some(match self {
            Step::Trim => trim(text),
            Step::Upper => Cow::Owned(text.to_uppercase()),
            Step::Lower => Cow::Owned(text.to_lowercase()),
            Step::Split { separator, index } => return Ok(part(&text, separator, *index)),
            Step::Enum { values, otherwise } => return word(values, *otherwise, text),
            Step::Unit(factor) => times(&text, *factor)?,
            Step::Currency => currency::code(&text)?,
            Step::Default(_) => text,
        }))
    }
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

fn part<'a>(text: &str, separator: &str, index: i32) -> Option<Cow<'a, str>> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let part = if index < 0 {
        text.rsplit(separator).nth(distance - 1)
    } else {
        text.split(separator).nth(distance)
    };
    part.map(|it| Cow::Owned(it.to_owned()))
}

fn word<'a>(
    values: &'a Words,
    otherwise: Otherwise,
    text: Cow<'a, str>,
) -> Result<Option<Cow<'a, str>>, String> {
    match (values.find(&text), otherwise) {
        (Some(word), _) => Ok(Some(Cow::Borrowed(word))),
        (None, Otherwise::Keep) => Ok(Some(text)),
        (None, Otherwise::Null) => Ok(None),
        (None, Otherwise::Reject) => Err(format!(
            "{} is not one of the values that the mapping lists",
            quoted(&text)
        )),
    }
}

fn times<'a>(text: &str, factor: Decimal) -> Result<Cow<'a, str>, String> {
    let number: Decimal = text.trim().parse()?;
    match number.checked_mul(factor) {
        Some(product) => Ok(Cow::Owned(product.to_string())),
        None => Err(format!(
            "{} times {factor} has more than 38 digits",
            quoted(text)
        )),
    }
}
