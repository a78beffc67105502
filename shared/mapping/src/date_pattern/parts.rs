//! The parts of a time, read off the beginning of a text one by one.

use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeDelta};

use super::{Word, without};
use crate::{
    months,
    timestamp::{self, Local},
    zone,
};

#[derive(Debug, Default)]
pub(super) struct Parts {
    year: i32,
    has_short_year: bool,
    month: u32,
    day: u32,
    hour: u32,
    has_time: bool,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    micro: u32,
    offset: Option<FixedOffset>,
}

impl Parts {
    /// Takes a part off the beginning of a text.
    pub(super) fn take<'t>(&mut self, word: Word, text: &'t str) -> Option<&'t str> {
        let (value, rest) = match word {
            Word::Year => number(text, 4, 4)?,
            Word::ShortYear | Word::Minute | Word::Second => number(text, 2, 2)?,
            Word::Month { two }
            | Word::Day { two }
            | Word::Hour { two }
            | Word::HalfDayHour { two } => number(text, if two { 2 } else { 1 }, 2)?,
            Word::OrdinalDay => {
                let (day, rest) = number(text, 1, 2)?;
                (day, without_ordinal(rest))
            }
            Word::MonthName => {
                let (name, rest) = name(text);
                (months::find(name)?, rest.strip_prefix('.').unwrap_or(rest))
            }
            Word::Weekday => {
                let (name, rest) = name(text);
                (!name.is_empty() && name.len() <= 32).then_some(())?;
                return Some(rest.strip_prefix('.').unwrap_or(rest));
            }
            Word::HalfDay => {
                let (afternoon, rest) = half_day(text)?;
                self.afternoon = Some(afternoon);
                return Some(rest);
            }
            Word::Fraction => {
                let (micro, rest) = timestamp::fraction(text.as_bytes())?;
                self.micro = micro;
                return text.get(text.len() - rest.len()..);
            }
            Word::Zone => {
                let (offset, rest) = zone(text)?;
                self.offset = Some(offset);
                return Some(rest);
            }
        };
        self.set(word, value);
        Some(rest)
    }

    fn set(&mut self, word: Word, value: u32) {
        match word {
            Word::Year | Word::ShortYear => {
                self.year = i32::try_from(value).unwrap_or_default();
                self.has_short_year = word == Word::ShortYear;
            }
            Word::Month { .. } | Word::MonthName => self.month = value,
            Word::Day { .. } | Word::OrdinalDay => self.day = value,
            Word::Hour { .. } | Word::HalfDayHour { .. } => {
                self.hour = value;
                self.has_time = true;
            }
            Word::Minute => self.minute = value,
            Word::Second => self.second = value,
            Word::Weekday | Word::HalfDay | Word::Fraction | Word::Zone => {}
        }
    }

    pub(super) fn local(self, pivot: u8) -> Option<Local> {
        let century = match self.has_short_year {
            false => 0,
            true if self.year < i32::from(pivot) => 2000,
            true => 1900,
        };
        let year = century + self.year;
        let day = NaiveDate::from_ymd_opt(year, self.month, self.day)?;
        let hour = match self.afternoon {
            None => self.hour,
            Some(_) if !(1..=12).contains(&self.hour) => return None,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
        };
        // A leap second is the first one of the next minute, as PostgreSQL reads it.
        let (second, leap) = match self.second {
            60 => (59, 1),
            second => (second, 0),
        };
        let time = NaiveTime::from_hms_micro_opt(hour, self.minute, second, self.micro)?;
        let at = day
            .and_time(time)
            .checked_add_signed(TimeDelta::seconds(leap))?;
        (year > 0).then_some(Local {
            at,
            offset: self.offset,
            has_time: self.has_time,
        })
    }
}

/// A number of `least` to `most` digits, as many as there are.
fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let digits = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if digits < least {
        return None;
    }
    let (digits, rest) = text.split_at(digits);
    Some((digits.parse().ok()?, rest))
}

/// What makes an ordinal of a day, in the languages of the months' names.
pub(crate) const ORDINALS: [&str; 9] = ["st", "nd", "rd", "th", "er", "re", "º", "ª", "°"];

/// What follows an ordinal's ending, or the text itself where there is none.
fn without_ordinal(text: &str) -> &str {
    let mut rests = ORDINALS.iter().filter_map(|it| without(text, it));
    rests.next().unwrap_or(text)
}

/// The letters that a text begins with.
fn name(text: &str) -> (&str, &str) {
    let end = text
        .find(|it: char| !it.is_alphabetic())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// `AM`, `p.m.`, `a. m.`, in any case.
fn half_day(text: &str) -> Option<(bool, &str)> {
    let afternoon = match text.bytes().next()? {
        b'a' | b'A' => false,
        b'p' | b'P' => true,
        _ => return None,
    };
    let rest = &text[1..];
    let dotted = rest.strip_prefix('.');
    let rest = dotted
        .map_or(rest, str::trim_start)
        .strip_prefix(['m', 'M'])?;
    let rest = match dotted {
        Some(_) => rest.strip_prefix('.').unwrap_or(rest),
        None => rest,
    };
    Some((afternoon, rest))
}

/// An offset, `Z`, `UTC` or `GMT`, and what follows it.
fn zone(text: &str) -> Option<(FixedOffset, &str)> {
    for name in ["UTC", "GMT", "Z"] {
        if let Some(rest) = without(text, name) {
            return Some((FixedOffset::east_opt(0)?, rest));
        }
    }
    let end = text
        .find(|it: char| !it.is_ascii_digit() && !"+-:".contains(it))
        .unwrap_or(text.len());
    Some((zone::offset(&text.as_bytes()[..end])?, &text[end..]))
}
