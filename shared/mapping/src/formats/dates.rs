//! Shapes as dates: which patterns their values can have.
//!
//! A pattern fits a shape if every run of digits stays within the bounds of its part, so that one
//! 31 in the place of the month decides for all values of the column.

use super::shape::{Runs, Shape};
use crate::{date_pattern::ORDINALS, months};

/// Which part comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum First {
    Year,
    Day,
    Month,
}

/// A shape as dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DateForm {
    /// Dates that are written in the same way but for their time: separator and place of the year.
    pub(super) family: String,
    /// The orders that fit; none where some values have the day first and others the month.
    pub(super) orders: Vec<First>,
    pub(super) has_time: bool,
    pub(super) has_zone: bool,
    /// The widths of the three numbers, in the order in which they stand.
    widths: [&'static str; 3],
    separator: Option<char>,
    /// The pattern of the day, where there is only one.
    day: Option<String>,
    /// The pattern of what stands before and after the day.
    before: String,
    time: String,
}

impl DateForm {
    /// The format, as a `date` transform declares it.
    pub(super) fn format(&self, order: First) -> String {
        let format = format!("{}{}{}", self.before, self.day(order), self.time);
        let iso = [
            "",
            " HH:mm",
            " HH:mm:ss",
            "[T]HH:mm",
            "[T]HH:mm:ss",
            "[T]HH:mm:ss.f",
            " HH:mm:ss.f",
        ];
        let time = self.time.strip_suffix('Z').unwrap_or(&self.time);
        let is_iso = self.before.is_empty()
            && self.day(order) == "YYYY-MM-DD"
            && iso.contains(&time.trim_end());
        if is_iso { "ISO".to_owned() } else { format }
    }

    fn day(&self, order: First) -> String {
        if let Some(day) = &self.day {
            return day.clone();
        }
        let separator = self.separator.unwrap_or('-');
        let names = match order {
            First::Year => ["Y", "M", "D"],
            First::Day => ["D", "M", "Y"],
            First::Month => ["M", "D", "Y"],
        };
        let words = names
            .iter()
            .zip(self.widths)
            .map(|(name, width)| name.repeat(width.len()));
        words.collect::<Vec<_>>().join(&separator.to_string())
    }

    pub(super) fn has_short_year(&self) -> bool {
        match &self.day {
            Some(day) => day.contains("YY") && !day.contains("YYYY"),
            None => !self.widths.contains(&"9999"),
        }
    }
}

/// A shape as dates, if it can be.
pub(super) fn form(shape: &Shape) -> Option<DateForm> {
    let mut reader = Reader {
        shape,
        rest: shape.text(),
        run: 0,
        word: 0,
    };
    let before = reader.weekday();
    let mut form = reader.named_day().or_else(|| reader.numbers())?;
    form.before = before;
    form.has_time = reader.time(&mut form);
    if form.has_time {
        form.has_zone = reader.zone(&mut form);
    }
    reader.rest.is_empty().then_some(form)
}

/// What of a shape is not read yet.
#[derive(Clone, Copy)]
struct Reader<'s> {
    shape: &'s Shape,
    rest: &'s str,
    run: usize,
    word: usize,
}

impl<'s> Reader<'s> {
    /// Goes past tokens, if they come next.
    fn take(&mut self, tokens: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(tokens) else {
            return false;
        };
        self.rest = rest;
        self.run += tokens.matches('9').count();
        self.word += tokens.matches('a').count();
        true
    }

    fn run(&self, index: usize) -> Option<Runs> {
        self.shape.runs.get(index).copied()
    }

    /// The words at a place, in small letters; none where they are too many.
    fn words(&self, index: usize) -> Option<Vec<String>> {
        let words = self.shape.words.get(index)?.as_ref()?;
        Some(words.iter().map(|it| it.to_lowercase()).collect())
    }

    fn are(&self, index: usize, is: impl Fn(&str) -> bool) -> bool {
        self.words(index)
            .is_some_and(|it| !it.is_empty() && it.iter().all(|it| is(it)))
    }

    fn weekday(&mut self) -> String {
        let is_month = self.are(self.word, |it| months::find(it).is_some());
        if !self.are(self.word, is_weekday) || is_month && !self.rest[1..].contains('a') {
            return String::new();
        }
        for (tokens, pattern) in [("a, ", "ddd, "), ("a. ", "ddd "), ("a ", "ddd ")] {
            let mut ahead = *self;
            if ahead.take(tokens) && ahead.rest.starts_with(['9', 'a']) {
                *self = ahead;
                return pattern.to_owned();
            }
        }
        String::new()
    }

    /// A day with the name of its month.
    fn named_day(&mut self) -> Option<DateForm> {
        NAMED.iter().find_map(|it| self.named_day_as(it))
    }

    fn named_day_as(&mut self, named: &Named) -> Option<DateForm> {
        let mut ahead = *self;
        if !ahead.take(named.tokens) {
            return None;
        }
        let mut pattern = named.pattern.to_owned();
        let mut is_ordinal = false;
        for (index, word) in named.words.chars().enumerate() {
            let index = self.word + index;
            match word {
                'm' if self.are(index, |it| months::find(it).is_some()) => {}
                'o' if self.are(index, |it| ORDINALS.contains(&it)) => is_ordinal = true,
                'd' => {
                    let of = ["de", "del"]
                        .into_iter()
                        .find(|of| self.are(index, |it| it == *of))?;
                    pattern = pattern.replacen("[]", &format!("[{of}]"), 1);
                }
                _ => return None,
            }
        }
        let (first, second) = (self.run(self.run)?, self.run(self.run + 1)?);
        let is_year_first = first.has_len(4);
        let (day, year) = if is_year_first {
            (second, first)
        } else {
            (first, second)
        };
        if day.longest > 2 || !day.is_within(1, 31) || !is_year(year) {
            return None;
        }
        let day_word = match (is_ordinal, day.shortest) {
            (true, _) => "Do",
            (false, 2) => "DD",
            (false, _) => "D",
        };
        let mut words = [day_word, if year.has_len(4) { "YYYY" } else { "YY" }];
        if is_year_first {
            words.reverse();
        }
        for word in words {
            pattern = pattern.replacen('#', word, 1);
        }
        // `1er février` stands beside `2 févr.`.
        let family = named.tokens.replace('.', "").replacen("9a ", "9 ", 1);
        *self = ahead;
        Some(DateForm {
            family: format!("named {family}"),
            orders: vec![First::Day],
            day: Some(pattern),
            ..DateForm::of(["9", "9", "9"], None)
        })
    }

    /// A day of three numbers, or of eight digits.
    fn numbers(&mut self) -> Option<DateForm> {
        let runs = [
            self.run(self.run),
            self.run(self.run + 1),
            self.run(self.run + 2),
        ];
        for separator in ['-', '/', '.'] {
            if self.take(&format!("9{separator}9{separator}9")) {
                let [Some(first), Some(second), Some(third)] = runs else {
                    return None;
                };
                return day_of([first, second, third], separator);
            }
        }
        let is_compact = self.shape.compact_days == self.shape.count && self.take("9");
        is_compact.then(|| DateForm {
            family: "compact".to_owned(),
            orders: vec![First::Year],
            day: Some("YYYYMMDD".to_owned()),
            ..DateForm::of(["9", "9", "9"], None)
        })
    }

    fn time(&mut self, form: &mut DateForm) -> bool {
        let mut ahead = *self;
        let is_t = ahead.are(ahead.word, |it| it == "t");
        let between = if is_t && ahead.take("a") {
            "[T]"
        } else if ahead.take(", ") {
            ", "
        } else if ahead.take(" ") {
            " "
        } else {
            return false;
        };
        let first = ahead.run;
        const CLOCKS: [(&str, &str); 4] = [
            ("9:9:9.9", ":mm:ss.f"),
            ("9:9:9,9", ":mm:ss,f"),
            ("9:9:9", ":mm:ss"),
            ("9:9", ":mm"),
        ];
        let Some((_, clock)) = CLOCKS.iter().find(|(tokens, _)| ahead.take(tokens)) else {
            return false;
        };
        let (Some(hour), Some(minute)) = (ahead.run(first), ahead.run(first + 1)) else {
            return false;
        };
        let second = ahead.run(first + 2).filter(|_| clock.contains("ss"));
        let is_clock = hour.longest <= 2
            && minute.has_len(2)
            && minute.is_within(0, 59)
            && second.is_none_or(|it| it.has_len(2) && it.is_within(0, 60));
        if !is_clock {
            return false;
        }
        let two = hour.shortest == 2;
        let (hours, half, most) = match ahead.half_day() {
            Some(half) => (if two { "hh" } else { "h" }, half, 12),
            None => (if two { "HH" } else { "H" }, "", 23),
        };
        if hour.most > most || most == 12 && hour.least == 0 {
            return false;
        }
        form.time = format!("{between}{hours}{clock}{half}");
        *self = ahead;
        true
    }

    /// AM and PM, as a pattern has it.
    fn half_day(&mut self) -> Option<&'static str> {
        const HALVES: [(&str, &str); 6] = [
            (" a. a.", " A"),
            ("a. a.", "A"),
            (" a.a.", " A"),
            ("a.a.", "A"),
            (" a", " A"),
            ("a", "A"),
        ];
        HALVES.iter().find_map(|(tokens, pattern)| {
            let mut ahead = *self;
            let is_dotted = tokens.contains('.');
            let is_half = if is_dotted {
                self.are(self.word, |it| it == "a" || it == "p")
                    && self.are(self.word + 1, |it| it == "m")
            } else {
                self.are(self.word, |it| it == "am" || it == "pm")
            };
            (is_half && ahead.take(tokens)).then(|| {
                *self = ahead;
                *pattern
            })
        })
    }

    fn zone(&mut self, form: &mut DateForm) -> bool {
        if self.rest == " a" && self.are(self.word, |it| it == "uhr" || it == "h") {
            let word = self
                .shape
                .words
                .get(self.word)
                .cloned()
                .flatten()
                .unwrap_or_default();
            if let [word] = &word[..] {
                form.time.push_str(&format!(" [{word}]"));
                self.take(" a");
            }
            return false;
        }
        for tokens in [
            " +9:9", "+9:9", " +9", "+9", " -9:9", "-9:9", " -9", "-9", " a", "a",
        ] {
            let mut ahead = *self;
            let is_named = !tokens.contains('a')
                || self.are(self.word, |it| ["z", "utc", "gmt"].contains(&it));
            if is_named && ahead.take(tokens) && ahead.rest.is_empty() {
                *self = ahead;
                form.time
                    .push_str(if tokens.starts_with(' ') { " Z" } else { "Z" });
                return true;
            }
        }
        false
    }
}

/// A way to write a day with the name of its month.
struct Named {
    tokens: &'static str,
    /// The pattern, with `#` for the two numbers and `[]` for "de".
    pattern: &'static str,
    /// What its words are: `m` a month, `o` the ending of an ordinal, `d` "de" or "del".
    words: &'static str,
}

const fn named(tokens: &'static str, pattern: &'static str, words: &'static str) -> Named {
    Named {
        tokens,
        pattern,
        words,
    }
}

/// No form begins with another one that stands after it.
const NAMED: [Named; 22] = [
    named("a. 9, 9", "MMM #, #", "m"),
    named("a 9, 9", "MMM #, #", "m"),
    named("a 9a, 9", "MMM #, #", "mo"),
    named("a 9a 9", "MMM # #", "mo"),
    named("a 9 9", "MMM # #", "m"),
    named("a-9-9", "MMM-#-#", "m"),
    named("9 a a a 9", "# [] MMM [] #", "dmd"),
    named("9 a a. a 9", "# [] MMM [] #", "dmd"),
    named("9a a a a 9", "# [] MMM [] #", "odmd"),
    named("9 a a 9", "# [] MMM #", "dm"),
    named("9. a. 9", "#. MMM #", "m"),
    named("9. a 9", "#. MMM #", "m"),
    named("9a a. 9", "# MMM #", "om"),
    named("9a a, 9", "# MMM, #", "om"),
    named("9a a 9", "# MMM #", "om"),
    named("9 a. 9", "# MMM #", "m"),
    named("9 a, 9", "# MMM, #", "m"),
    named("9 a 9", "# MMM #", "m"),
    named("9-a.-9", "#-MMM-#", "m"),
    named("9-a-9", "#-MMM-#", "m"),
    named("9/a/9", "#/MMM/#", "m"),
    named("9a9", "#MMM#", "m"),
];

impl DateForm {
    fn of(widths: [&'static str; 3], separator: Option<char>) -> DateForm {
        DateForm {
            family: String::new(),
            orders: Vec::new(),
            has_time: false,
            has_zone: false,
            widths,
            separator,
            day: None,
            before: String::new(),
            time: String::new(),
        }
    }
}

/// A day of three numbers with a separator between them.
fn day_of(runs: [Runs; 3], separator: char) -> Option<DateForm> {
    let [first, second, third] = runs;
    let is_short = |it: Runs| it.longest <= 2;
    let month_and_day = |month: Runs, day: Runs| {
        is_short(month) && is_short(day) && month.is_within(1, 12) && day.is_within(1, 31)
    };
    let widths = runs.map(|it| match (it.longest, it.shortest) {
        (4, _) => "9999",
        (_, 2) => "99",
        _ => "9",
    });
    let mut orders = Vec::new();
    let year_first =
        first.has_len(4) || is_short_year(first) && third.has_len(2) && separator != '.';
    if year_first && month_and_day(second, third) {
        orders.push(First::Year);
    }
    let year_last = is_year(third) && is_short(first) && is_short(second);
    if year_last && month_and_day(second, first) {
        orders.push(First::Day);
    }
    // No language writes the month first with points between the numbers (CLDR).
    let may_lead = separator != '.' || first.is_within(1, 12) && second.most > 12;
    if year_last && may_lead && month_and_day(first, second) {
        orders.push(First::Month);
    }
    let is_mixed = year_last && first.is_within(1, 31) && second.is_within(1, 31);
    let place = if first.has_len(4) {
        "year first"
    } else {
        "year last"
    };
    (!orders.is_empty() || is_mixed).then(|| DateForm {
        family: format!("{place} {separator}"),
        orders,
        ..DateForm::of(widths, Some(separator))
    })
}

fn is_year(runs: Runs) -> bool {
    runs.has_len(4) && runs.least > 0 || is_short_year(runs)
}

fn is_short_year(runs: Runs) -> bool {
    runs.has_len(2)
}

/// Whether a word begins like a day of the week in one of the seven languages.
fn is_weekday(word: &str) -> bool {
    const BEGINNINGS: [&str; 33] = [
        "mon", "tue", "wed", "thu", "fri", "sat", "sun", "die", "mit", "don", "fre", "sam", "lun",
        "mar", "mer", "jeu", "ven", "dim", "mié", "jue", "vie", "sáb", "dom", "gio", "sab", "maa",
        "din", "woe", "vri", "zat", "zon", "seg", "ter",
    ];
    const SHORT: [&str; 15] = [
        "mo", "di", "mi", "do", "fr", "sa", "so", "ma", "wo", "vr", "za", "zo", "qua", "qui", "sex",
    ];
    SHORT.contains(&word) || BEGINNINGS.iter().any(|it| word.starts_with(it))
}
