//! The transforms of a mapping. How each is checked and run is in `mapping::transforms`, in the
//! file of its name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One declared step from a source value to a canonical one.
///
/// The last step, reading the text as the target's type, is implied by the target and is strict:
/// a value that does not fit quarantines the record. No transform but `default`, `boolean`,
/// `case` and `content_hash` makes a value from none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transform {
    /// Removes white space at both ends.
    Trim {},
    /// Unicode upper case.
    Upper {},
    /// Unicode lower case.
    Lower {},
    /// Always this text.
    Constant {
        /// The text.
        value: String,
    },
    /// This text where there is no value.
    Default {
        /// The text.
        value: String,
    },
    /// `sha256:` and the hash of the whole record where no source has a value: an id for records that
    /// have none. Records with one content are one record. Must be the first transform; it needs no
    /// sources.
    ContentHash {},
    /// The part between separators.
    Split {
        /// What stands between the parts.
        separator: String,
        /// Which part, from 0; negative counts from the end.
        index: i32,
    },
    /// All sources that have a value, with the separator between them. Must be the first transform.
    Join {
        /// What to put between them.
        separator: String,
    },
    /// Replaces a value of the source by a canonical one.
    Enum {
        /// 1 to 10,000 pairs of (source word, canonical word). A word counts in any case, unless another of
        /// the list differs by case alone; `true` and `false` also as 1, 0, WAHR, FAUX and the
        /// like.
        values: BTreeMap<String, String>,
        /// What to do with a word that is not listed.
        otherwise: Otherwise,
    },
    /// Multiplies a number by an exact decimal: cents to euros is `0.01`. For numeric fields.
    Unit {
        /// The factor, as decimal text.
        factor: String,
    },
    /// Checks for an ISO 4217 code, after upper-casing it.
    Currency {},
    /// How a timestamp without a zone is read.
    Timestamp {
        /// The zone of values that name none: `UTC`, an offset such as `+02:00`, or a name of the
        /// IANA database such as `Europe/Berlin`, as a date's.
        zone: String,
        /// The form of the value.
        format: TimestampFormat,
    },
    /// Reads a date or a time in declared formats.
    ///
    /// A format is one of the words `ISO`, `UNIX_SECONDS`, `UNIX_MILLIS`, `EXCEL_1900` and
    /// `EXCEL_1904`, or a pattern of the words
    /// `YYYY` `YY` (year), `MM` `M` (month in digits), `MMM` (its name or abbreviation in English,
    /// German, French, Spanish, Italian, Dutch or Portuguese), `DD` `D` (day), `Do` (day, as an
    /// ordinal or not: `1st`, `1er`, `2`), `ddd` (day of the week, any word), `HH` `H` (hour of 24),
    /// `hh` `h` with `A` (hour of 12 with AM or PM), `mm` (minute), `ss` (second), `f` (fraction of
    /// a second) and `Z` (offset, `Z`, `UTC` or `GMT`).
    /// A doubled digit word is two digits, a single one is one or two. `[…]` is text as it stands,
    /// a space is any white space, and other characters than letters stand for themselves.
    Date {
        /// The formats, in order: the first that fits counts. No two may read one value differently.
        formats: Vec<String>,
        /// The zone of values that name none: `UTC`, an offset such as `+02:00`, or a name of the
        /// IANA database such as `Europe/Berlin`; absent: `UTC`. Of a time that is there twice,
        /// when clocks go back, the first counts; one that clocks skip is read with the offset
        /// from before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
        /// For years of two digits: those below it are of this century (`70`: 69 is 2069 and 70 is
        /// 1970). Needed where a format has `YY`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pivot: Option<u8>,
    },
    /// Reads a number with declared separators and signs. What is not declared does not fit.
    Number {
        /// What stands before the fraction: `.` or `,`.
        decimal: String,
        /// What stands between groups of digits: `,`, `.`, `'` (also `’`) or a space (also a narrow or
        /// a fixed one); absent: nothing. A number without groups fits too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        /// How digits are grouped.
        #[serde(default, skip_serializing_if = "Grouping::is_thousands")]
        grouping: Grouping,
        /// What a percent sign does.
        #[serde(default, skip_serializing_if = "Percent::is_reject")]
        percent: Percent,
        /// Signs and codes of currencies that may stand before or after it: `["€", "EUR"]`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        currency: Vec<String>,
        /// Whether `(12)` is -12.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        parentheses: bool,
        /// Whether `12-` is -12.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        trailing_minus: bool,
    },
    /// Reads a boolean from declared words.
    Boolean {
        /// The words for true, in any case: `["ja", "x"]`.
        #[serde(rename = "true")]
        yes: Vec<String>,
        /// The words for false, in any case: `["nein"]`.
        #[serde(rename = "false")]
        no: Vec<String>,
        /// What an empty value means; absent: it is no value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blank: Option<bool>,
    },
    /// Words that stand for no value, in this spelling: `["N/A", "-"]`.
    Nulls {
        /// 1 to 1,000 words; white space around a value does not count.
        #[schema(min_items = 1, max_items = 1000)]
        words: Vec<String>,
    },
    /// Takes a part out of a text, or replaces what matches, with a regular expression that runs
    /// in linear time (the syntax of Rust's `regex`: no look-around, no back-references).
    Regex {
        /// The expression, at most 1,000 characters.
        #[schema(max_length = 1000)]
        pattern: String,
        /// Which group of the first match becomes the value, by number or name; `0` is the whole
        /// match. Not together with `replace`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        /// What to put in the place of every match; `$1` and `${name}` are groups, `$$` is `$`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replace: Option<String>,
        /// What to do with a text that does not match.
        #[serde(default)]
        otherwise: Otherwise,
    },
    /// Replaces every occurrence of one text by another.
    Replace {
        /// The text to look for, in this spelling.
        from: String,
        /// What to put in its place; may be empty.
        to: String,
    },
    /// Replaces a value by what a table has for it, in this spelling: ids by names. White space
    /// around it does not count.
    Lookup {
        /// 1 to 10,000 pairs of (value, replacement).
        table: BTreeMap<String, String>,
        /// What to do with a value that is not in the table.
        #[serde(default)]
        otherwise: Otherwise,
    },
    /// Puts the sources into a text. Must be the first transform.
    Template {
        /// The text, with each source in braces: `{First Name} {Last Name}`; `{{` is a brace.
        template: String,
        /// What to do where a source that it names has no value.
        #[serde(default)]
        missing: Missing,
    },
    /// The first source that has a value and none of these words. Must be the first transform.
    Coalesce {
        /// Up to 1,000 words that count as no value, in this spelling.
        #[serde(default)]
        #[schema(max_items = 1000)]
        nulls: Vec<String>,
    },
    /// All sources one after another. Must be the first transform.
    Concat {
        /// What to put between them.
        #[serde(default)]
        separator: String,
        /// What to do where one of them has no value.
        #[serde(default)]
        missing: Missing,
        /// Puts a backslash before each separator and backslash within a value: different values
        /// never make the same text.
        #[serde(default, skip_serializing_if = "is_false")]
        escape: bool,
    },
    /// Takes one item, or all, of a list. Must be the first transform.
    Array {
        /// Which.
        take: TakeItem,
        /// What stands between the items where the list is a text; absent: only JSON lists count
        /// as lists, and a text is a list of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        separator: Option<String>,
        /// Where the items are objects: the member that is the item, such as `value`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<String>,
        /// Where the items are objects: the member that is `true` for the items that come first,
        /// such as `primary`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefer: Option<String>,
    },
    /// Reads an e-mail address, also from `mailto:` and `Name <address>`; the domain becomes
    /// lower case.
    Email {
        /// What to do with a text that is none.
        #[serde(default)]
        otherwise: Otherwise,
    },
    /// Reads a telephone number as E.164: `+493012345`.
    Phone {
        /// Where numbers without a country code are, as ISO 3166-1 alpha-2; absent: they do not
        /// fit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<String>,
        /// What to do with a text that is none.
        #[serde(default)]
        otherwise: Otherwise,
    },
    /// Reads a country as its ISO 3166-1 alpha-2 code, from that code, the alpha-3 code or a name
    /// in English, German, French, Spanish, Italian, Dutch or Portuguese.
    Country {
        /// What to do with a text that is none.
        #[serde(default)]
        otherwise: Otherwise,
    },
    /// The host of a web address, in lower case and without `www.`: `example.com`.
    UrlHost {
        /// What to do with a text that has none.
        #[serde(default)]
        otherwise: Otherwise,
    },
    /// Multiplies a number by an exact decimal, whatever the type of the target.
    Scale {
        /// The factor, as decimal text, not zero: `100` makes per cent of a fraction.
        factor: String,
    },
    /// One text where the value equals another, and else a third. White space around the value does
    /// not count.
    Case {
        /// The value to look for, in this spelling; empty stands for no value.
        equals: String,
        /// What it becomes; empty stands for no value.
        then: String,
        /// What every other value becomes; absent: it stays as it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
    },
}

/// What a transform does with a value that it does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// It stays as it is.
    Keep,
    /// The field is empty.
    Null,
    /// The record is quarantined.
    #[default]
    Reject,
}

/// What a transform of several sources does where one has no value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The others are used.
    #[default]
    Skip,
    /// It is an empty text, unless all are missing.
    Empty,
    /// The field is empty.
    Null,
    /// The record is quarantined.
    Reject,
}

/// Which items of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TakeItem {
    /// The first.
    First,
    /// The last.
    Last,
    /// The one at this place, from 0; negative counts from the end.
    Index(i32),
    /// All, with this text between them.
    Join(String),
    /// All, as a list; for a field that is a list.
    All,
}

/// How the source writes an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimestampFormat {
    /// ISO 8601: a date, or a date and a time, with or without a zone.
    Iso,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMillis,
}

/// How the digits before the fraction are grouped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// By three: `1,234,567`.
    #[default]
    Thousands,
    /// The last three, and the others by two: `12,34,567`.
    Indian,
}

impl Grouping {
    fn is_thousands(&self) -> bool {
        *self == Grouping::Thousands
    }
}

/// What a percent sign does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Percent {
    /// It does not fit.
    #[default]
    Reject,
    /// `12.5 %` is 0.125. A number without the sign does not fit.
    Fraction,
    /// `12.5 %` is 12.5, and so is 12.5.
    AsIs,
}

impl Percent {
    fn is_reject(&self) -> bool {
        *self == Percent::Reject
    }
}

fn is_false(it: &bool) -> bool {
    !it
}
