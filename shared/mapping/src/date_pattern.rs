//! Patterns of dates: `DD/MM/YYYY`, `MMM D, YYYY hh:mm A`.
//!
//! `schema::mapping::Transform::Date` says what the words mean. Reading is linear in the text.

mod parts;

use chrono::{Datelike, Timelike};

use crate::timestamp::Local;
pub(crate) use parts::ORDINALS;
use parts::Parts;

/// A pattern that was checked: it has a year, a month and a day, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Word(Word),
    /// One or more characters of white space.
    Space,
    /// Text as it stands, in any case.
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Year,
    ShortYear,
    Month {
        two: bool,
    },
    MonthName,
    Day {
        two: bool,
    },
    /// One or two digits, with what makes an ordinal of them or without.
    OrdinalDay,
    Weekday,
    Hour {
        two: bool,
    },
    HalfDayHour {
        two: bool,
    },
    HalfDay,
    Minute,
    Second,
    Fraction,
    Zone,
}

/// The longest first where one begins another.
const WORDS: [(&str, Word); 18] = [
    ("YYYY", Word::Year),
    ("YY", Word::ShortYear),
    ("MMMM", Word::MonthName),
    ("MMM", Word::MonthName),
    ("MM", Word::Month { two: true }),
    ("M", Word::Month { two: false }),
    ("DD", Word::Day { two: true }),
    ("D", Word::Day { two: false }),
    ("dddd", Word::Weekday),
    ("ddd", Word::Weekday),
    ("HH", Word::Hour { two: true }),
    ("H", Word::Hour { two: false }),
    ("hh", Word::HalfDayHour { two: true }),
    ("h", Word::HalfDayHour { two: false }),
    ("mm", Word::Minute),
    ("ss", Word::Second),
    ("f", Word::Fraction),
    ("Z", Word::Zone),
];

impl Pattern {
    /// Checks a pattern; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Pattern, String> {
        if text.len() > 100 {
            return Err("is longer than 100 bytes".to_owned());
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (piece, taken) = piece(rest, first)?;
            match (pieces.last_mut(), piece) {
                (Some(Piece::Text(before)), Piece::Text(more)) => before.push_str(&more),
                (Some(Piece::Space), Piece::Space) => {}
                (_, piece) => pieces.push(piece),
            }
            rest = &rest[taken..];
        }
        let pattern = Pattern { pieces };
        pattern.check()?;
        Ok(pattern)
    }

    /// Whether it has a year of two digits.
    pub(crate) fn has_short_year(&self) -> bool {
        self.has(|it| it == Word::ShortYear)
    }

    fn has(&self, is: impl Fn(Word) -> bool) -> bool {
        self.count(is) > 0
    }

    fn count(&self, is: impl Fn(Word) -> bool) -> usize {
        let words = self.pieces.iter().filter_map(|it| match it {
            Piece::Word(word) => Some(*word),
            _ => None,
        });
        words.filter(|it| is(*it)).count()
    }

    fn check(&self) -> Result<(), String> {
        type Is = fn(Word) -> bool;
        let once: [(&str, Is); 3] = [
            ("a year", |it| matches!(it, Word::Year | Word::ShortYear)),
            ("a month", |it| {
                matches!(it, Word::Month { .. } | Word::MonthName)
            }),
            ("a day", |it| {
                matches!(it, Word::Day { .. } | Word::OrdinalDay)
            }),
        ];
        for (name, is) in once {
            if self.count(is) != 1 {
                return Err(format!("needs {name}, once"));
            }
        }
        let hours = |it| matches!(it, Word::Hour { .. } | Word::HalfDayHour { .. });
        let others: [Is; 6] = [
            hours,
            |it| it == Word::HalfDay,
            |it| it == Word::Minute,
            |it| it == Word::Second,
            |it| it == Word::Fraction,
            |it| it == Word::Zone,
        ];
        if others.iter().any(|it| self.count(it) > 1) {
            return Err("has a part twice".to_owned());
        }
        let half = self.has(|it| matches!(it, Word::HalfDayHour { .. }));
        if half != self.has(|it| it == Word::HalfDay) {
            return Err(
                "needs `h` or `hh` together with `A`, or `H` or `HH` without it".to_owned(),
            );
        }
        let needs = [
            (
                Word::Fraction,
                self.has(|it| it == Word::Second),
                "`f` without `ss`",
            ),
            (
                Word::Second,
                self.has(|it| it == Word::Minute),
                "`ss` without `mm`",
            ),
            (
                Word::Minute,
                self.has(hours),
                "`mm` without an hour; `MM` is the month",
            ),
            (Word::Zone, self.has(hours), "`Z` without an hour"),
        ];
        for (word, is_there, what) in needs {
            if self.has(|it| it == word) && !is_there {
                return Err(format!("has {what}"));
            }
        }
        Ok(())
    }

    /// Reads a text that has this form; years of two digits below `pivot` are of this century.
    pub(crate) fn read(&self, text: &str, pivot: u8) -> Option<Local> {
        let mut parts = Parts::default();
        let mut rest = text;
        for piece in &self.pieces {
            rest = match piece {
                Piece::Word(word) => parts.take(*word, rest)?,
                Piece::Space => {
                    let trimmed = rest.trim_start();
                    (trimmed.len() < rest.len()).then_some(trimmed)?
                }
                Piece::Text(text) => without(rest, text)?,
            };
        }
        rest.is_empty().then(|| parts.local(pivot))?
    }

    /// A time in this form; month names are English.
    pub(crate) fn written(&self, at: &Local) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Word(word) => text.push_str(&written(*word, at)),
                Piece::Space => text.push(' '),
                Piece::Text(literal) => text.push_str(literal),
            }
        }
        text
    }
}

/// The piece that a pattern begins with, and its length.
fn piece(rest: &str, first: char) -> Result<(Piece, usize), String> {
    if let Some(after) = rest.strip_prefix('[') {
        let Some((text, _)) = after.split_once(']') else {
            return Err("has a `[` without a `]`".to_owned());
        };
        return Ok((Piece::Text(text.to_owned()), text.len() + 2));
    }
    if first.is_whitespace() {
        return Ok((Piece::Space, first.len_utf8()));
    }
    if !first.is_alphabetic() {
        return Ok((Piece::Text(first.to_string()), first.len_utf8()));
    }
    if rest.starts_with("Do") {
        return Ok((Piece::Word(Word::OrdinalDay), 2));
    }
    let run = rest.len() - rest.trim_start_matches(first).len();
    let half_day = [("A", Word::HalfDay)];
    let mut words = WORDS.iter().chain(&half_day);
    match words.find(|(name, _)| *name == &rest[..run]) {
        Some((_, word)) => Ok((Piece::Word(*word), run)),
        None => Err(format!(
            "has `{}`, which is no word of dates: text stands in brackets, such as `[T]`",
            &rest[..run]
        )),
    }
}

/// What follows a text, in any case.
fn without<'t>(rest: &'t str, text: &str) -> Option<&'t str> {
    if let Some(after) = rest.strip_prefix(text) {
        return Some(after);
    }
    let mut after = rest.chars();
    for letter in text.chars() {
        let other = after.next()?;
        if !letter.to_lowercase().eq(other.to_lowercase()) {
            return None;
        }
    }
    Some(after.as_str())
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

fn written(word: Word, local: &Local) -> String {
    let at = local.at;
    let digits = |number: u32, two: bool| {
        if two {
            format!("{number:02}")
        } else {
            number.to_string()
        }
    };
    match word {
        Word::Year => format!("{:04}", at.year()),
        Word::ShortYear => format!("{:02}", at.year().rem_euclid(100)),
        Word::Month { two } => digits(at.month(), two),
        Word::MonthName => MONTHS[at.month0() as usize].to_owned(),
        Word::Day { two } => digits(at.day(), two),
        Word::OrdinalDay => format!("{}{}", at.day(), ordinal(at.day())),
        Word::Weekday => at.weekday().to_string(),
        Word::Hour { two } => digits(at.hour(), two),
        Word::HalfDayHour { two } => digits(at.hour12().1, two),
        Word::HalfDay => if at.hour12().0 { "PM" } else { "AM" }.to_owned(),
        Word::Minute => digits(at.minute(), true),
        Word::Second => digits(at.second(), true),
        Word::Fraction => format!("{:06}", at.nanosecond() / 1_000),
        Word::Zone => match local.offset {
            Some(offset) => offset.to_string(),
            None => "Z".to_owned(),
        },
    }
}

/// What follows the number of a day in English.
fn ordinal(day: u32) -> &'static str {
    match (day, day % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, cases: &[(&str, &str)]) {
        let pattern = Pattern::parse(pattern).unwrap();
        for (text, want) in cases {
            let got = pattern.read(text, 70).map(|it| match it.offset {
                Some(offset) => format!("{} {offset}", it.at),
                None if it.has_time => it.at.to_string(),
                None => it.at.date().to_string(),
            });
            assert_eq!(got.as_deref().unwrap_or("none"), *want, "{text}");
        }
    }

    #[test]
    fn digits_are_as_many_as_the_pattern_says() {
        check(
            "DD/MM/YYYY",
            &[
                ("31/01/2024", "2024-01-31"),
                ("01/31/2024", "none"),
                ("1/1/2024", "none"),
                ("31/01/24", "none"),
                ("31/01/20245", "none"),
                ("29/02/2023", "none"),
                ("31/01/0000", "none"),
                ("31-01-2024", "none"),
                ("٣١/01/2024", "none"),
            ],
        );
        check(
            "D.M.YY",
            &[("1.2.69", "2069-02-01"), ("01.12.70", "1970-12-01")],
        );
        check(
            "YYYYMMDD",
            &[("20240131", "2024-01-31"), ("2024013", "none")],
        );
    }

    #[test]
    fn month_names_are_of_seven_languages_and_abbreviated_as_they_like() {
        check(
            "MMM D, YYYY",
            &[
                ("Jan 5, 2024", "2024-01-05"),
                ("Sept. 5,\u{a0}2024", "2024-09-05"),
            ],
        );
        check(
            "D MMM YYYY",
            &[
                ("5 février 2024", "2024-02-05"),
                ("5 mrt. 2024", "2024-03-05"),
            ],
        );
        check(
            "D. MMM YYYY",
            &[("5. März 2024", "2024-03-05"), ("5 März 2024", "none")],
        );
        check(
            "D [de] MMM [de] YYYY",
            &[("5 DE enero de 2024", "2024-01-05")],
        );
        check(
            "Do MMM YYYY",
            &[
                ("1st March 2024", "2024-03-01"),
                ("22ND Mar 2024", "2024-03-22"),
                ("1er février 2024", "2024-02-01"),
                ("2 février 2024", "2024-02-02"),
                ("1º enero 2024", "2024-01-01"),
                ("1° gennaio 2024", "2024-01-01"),
                ("3x March 2024", "none"),
                ("31th February 2024", "none"),
            ],
        );
        check(
            "ddd, DD MMM YYYY HH:mm:ss Z",
            &[(
                "Mon, 05 Feb 2024 10:00:00 GMT",
                "2024-02-05 10:00:00 +00:00",
            )],
        );
    }

    #[test]
    fn a_clock_has_12_or_24_hours() {
        check(
            "M/D/YYYY h:mm A",
            &[
                ("1/31/2024 12:05 AM", "2024-01-31 00:05:00"),
                ("1/31/2024 12:05\u{202f}pm", "2024-01-31 12:05:00"),
                ("1/31/2024 1:05 p. m.", "2024-01-31 13:05:00"),
                ("1/31/2024 13:05 PM", "none"),
                ("1/31/2024 0:05 AM", "none"),
                ("1/31/2024 1:05", "none"),
            ],
        );
        check(
            "YYYY/MM/DD[T]HH:mm:ss.f Z",
            &[
                (
                    "2024/01/31t23:59:60.5 +0530",
                    "2024-02-01 00:00:00.500 +05:30",
                ),
                ("2024/01/31T24:00:00.5 Z", "none"),
                ("2024/01/31T10:00:00. Z", "none"),
            ],
        );
    }

    #[test]
    fn a_pattern_that_says_too_little_or_nonsense_is_refused() {
        let reason = |text: &str| Pattern::parse(text).unwrap_err();
        assert_eq!(reason("DD/MM"), "needs a year, once");
        assert_eq!(reason("YYYY"), "needs a month, once");
        assert_eq!(reason("DD/MM/YYYY D"), "needs a day, once");
        assert_eq!(reason("DD/mm/YYYY"), "needs a month, once");
        assert_eq!(
            reason("DD/MM/YYYY mm"),
            "has `mm` without an hour; `MM` is the month"
        );
        assert_eq!(
            reason("DD/MM/YYYY hh:mm"),
            "needs `h` or `hh` together with `A`, or `H` or `HH` without it"
        );
        assert_eq!(
            reason("YYYY-MM-DDTHH:mm"),
            "has `T`, which is no word of dates: text stands in brackets, such as `[T]`"
        );
        assert_eq!(reason("YYYY-MM-DD [x"), "has a `[` without a `]`");
        assert_eq!(reason("YYYY-MM-DD HH HH"), "has a part twice");
        assert_eq!(reason(&"Y".repeat(101)), "is longer than 100 bytes");
    }
}
