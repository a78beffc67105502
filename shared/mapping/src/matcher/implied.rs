//! What kind of values a name implies.

use schema::source::SourceType;

use super::dictionary::dictionary;
use super::format::Format;

/// A kind of value that a name implies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Implied {
    Id,
    Date,
    Number,
    Boolean,
    Email,
    Phone,
    Url,
    Currency,
    Country,
    Text,
}

impl Implied {
    /// By the concepts of the last segment and the declared type.
    pub(super) fn by(concepts: &[&str], kind: Option<SourceType>) -> Option<Implied> {
        let (first, last) = (concepts.first()?, concepts.last()?);
        match kind {
            Some(SourceType::Boolean) => return Some(Implied::Boolean),
            Some(SourceType::Timestamp | SourceType::Date) => return Some(Implied::Date),
            _ => {}
        }
        if is_date(last, concepts.len(), kind) {
            return Some(Implied::Date);
        }
        Some(match *last {
            "email" => Implied::Email,
            "phone" | "mobile" | "fax" => Implied::Phone,
            "url" | "website" | "link" | "avatar" => Implied::Url,
            "id" | "key" | "identifier" | "uuid" => Implied::Id,
            "currency" => Implied::Currency,
            "country" => Implied::Country,
            _ => return of_other(first, last, kind),
        })
    }

    /// The formats that such values have.
    pub(super) fn formats(self) -> &'static [Format] {
        use Format::*;
        match self {
            Implied::Id => &[
                SmallInteger,
                Integer,
                BigInteger,
                Uuid,
                IdPattern,
                Slug,
                Code,
                Word,
                Epoch,
                Phone,
            ],
            Implied::Date => &[Timestamp, Date, Epoch],
            Implied::Number => &[SmallInteger, Integer, BigInteger, Decimal, Percent],
            Implied::Boolean => &[Boolean],
            Implied::Email => &[Email],
            Implied::Phone => &[Phone, BigInteger, Text],
            Implied::Url => &[Url, Domain],
            Implied::Currency => &[Currency, Code, Word],
            Implied::Country => &[CountryCode, Word, Name],
            Implied::Text => &[
                Word,
                Name,
                Text,
                Slug,
                Code,
                Html,
                Domain,
                IdPattern,
                CountryCode,
            ],
        }
    }

    /// In words, after "values of".
    pub(super) fn words(self) -> &'static str {
        match self {
            Implied::Id => "an id",
            Implied::Date => "a date",
            Implied::Number => "a number",
            Implied::Boolean => "a yes or no",
            Implied::Email => "an e-mail address",
            Implied::Phone => "a phone number",
            Implied::Url => "a web address",
            Implied::Currency => "a currency",
            Implied::Country => "a country",
            Implied::Text => "a text",
        }
    }
}

fn is_date(last: &str, count: usize, kind: Option<SourceType>) -> bool {
    const FLAGS: [&str; 8] = [
        "complete_",
        "archive",
        "delete",
        "approve",
        "visit",
        "activity",
        "join",
        "login",
    ];
    let dated = matches!(kind, Some(SourceType::Text) | None);
    last == "date"
        || dictionary().date_words.contains(last) && count <= 2 && dated && !FLAGS.contains(&last)
}

fn of_other(first: &str, last: &str, kind: Option<SourceType>) -> Option<Implied> {
    let dictionary = dictionary();
    let is_number = matches!(kind, Some(SourceType::Integer | SourceType::Decimal));
    if matches!(first, "is" | "has" | "can" | "allow" | "should") {
        Some(Implied::Boolean)
    } else if dictionary.numeric_words.contains(last)
        || is_number && !matches!(last, "number" | "code")
    {
        Some(Implied::Number)
    } else if dictionary.text_words.contains(last) {
        Some(Implied::Text)
    } else if dictionary.boolean_words.contains(last) && kind != Some(SourceType::Text) {
        Some(Implied::Boolean)
    } else {
        None
    }
}
