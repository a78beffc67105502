//! Shapes as numbers: which separators their values can have.

use schema::mapping::Grouping;

use super::{
    scan::CURRENCY_SIGNS,
    shape::{Runs, Shape},
    words_beside,
};
use crate::currency;

/// A shape as numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct NumberForm {
    /// What stands between the runs of digits of the number itself.
    separators: Vec<char>,
    runs: Vec<RunBounds>,
    pub(super) has_exponent: bool,
    pub(super) is_negative: bool,
    pub(super) has_parentheses: bool,
    pub(super) has_trailing_minus: bool,
    pub(super) has_percent: bool,
    /// Signs and codes of currencies.
    pub(super) currencies: Vec<String>,
    /// Other words after the number.
    pub(super) words: Vec<String>,
    has_plus: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RunBounds {
    shortest: u8,
    longest: u8,
    has_zero: bool,
    leading_zero: bool,
}

/// How numbers may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Separators {
    pub(super) decimal: char,
    pub(super) group: Option<char>,
    pub(super) grouping: Grouping,
}

/// All ways, the simplest first.
pub(super) const WAYS: [Separators; 9] = [
    way('.', None),
    way(',', None),
    way('.', Some(',')),
    way(',', Some('.')),
    way('.', Some(' ')),
    way(',', Some(' ')),
    way('.', Some('\'')),
    way(',', Some('\'')),
    Separators {
        decimal: '.',
        group: Some(','),
        grouping: Grouping::Indian,
    },
];

const fn way(decimal: char, group: Option<char>) -> Separators {
    Separators {
        decimal,
        group,
        grouping: Grouping::Thousands,
    }
}

/// What a way makes of the last separator of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LastSeparator {
    None,
    Fraction,
    Group,
}

impl NumberForm {
    /// Whether the values are whole numbers as they stand.
    pub(super) fn is_plain(&self) -> bool {
        self.separators.is_empty() && !self.has_exponent
    }

    /// Whether they are texts that a number would spoil: leading zeros, or too many digits.
    pub(super) fn is_code(&self) -> bool {
        let Some(first) = self.runs.first() else {
            return true;
        };
        let digits: u32 = self.runs.iter().map(|it| u32::from(it.longest)).sum();
        let is_bare = self.is_plain() && self.currencies.is_empty() && self.words.is_empty();
        first.leading_zero || is_bare && first.longest > 18 || digits > 38
    }

    /// How the values are read in this way; none where they cannot be.
    pub(super) fn read(&self, way: Separators) -> Option<LastSeparator> {
        let Some(last) = self.separators.last() else {
            return Some(LastSeparator::None);
        };
        let has_fraction = *last == way.decimal;
        let groups = match has_fraction {
            true => &self.separators[..self.separators.len() - 1],
            false => &self.separators[..],
        };
        let are_groups = groups.iter().all(|it| Some(*it) == way.group);
        let fits =
            are_groups && (groups.is_empty() || self.are_grouped(groups.len(), way.grouping));
        fits.then_some(match has_fraction {
            true => LastSeparator::Fraction,
            false => LastSeparator::Group,
        })
    }

    fn are_grouped(&self, groups: usize, grouping: Grouping) -> bool {
        let size = match grouping {
            Grouping::Thousands => 3,
            Grouping::Indian => 2,
        };
        let Some((first, others)) = self.runs[..=groups].split_first() else {
            return false;
        };
        let has_len = |it: &RunBounds, len| it.shortest == len && it.longest == len;
        let Some((last, middle)) = others.split_last() else {
            return false;
        };
        first.longest <= size
            && !first.leading_zero
            && !first.has_zero
            && !self.has_exponent
            && middle.iter().all(|it| has_len(it, size))
            && has_len(last, 3)
    }
}

/// A shape as numbers, if it can be.
pub(super) fn form(shape: &Shape) -> Option<NumberForm> {
    let mut reader = Reader {
        shape,
        rest: shape.text(),
        word: 0,
        form: NumberForm::default(),
    };
    while reader.sign_before() {}
    reader.number()?;
    reader.exponent();
    while reader.sign_after() {}
    let form = reader.form;
    (reader.rest.is_empty() && !(form.has_plus && form.is_negative)).then_some(form)
}

struct Reader<'s> {
    shape: &'s Shape,
    rest: &'s str,
    word: usize,
    form: NumberForm,
}

impl Reader<'_> {
    fn take(&mut self, tokens: &str) -> bool {
        match self.rest.strip_prefix(tokens) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The words at the next place.
    fn words(&self) -> Option<&[String]> {
        self.shape.words.get(self.word)?.as_deref()
    }

    fn sign_before(&mut self) -> bool {
        if self.take(" ") {
            return true;
        }
        if self.rest.starts_with('-') && !self.form.is_negative {
            self.form.is_negative = true;
            return self.take("-");
        }
        if self.rest.starts_with('+') && !self.form.has_plus {
            self.form.has_plus = true;
            return self.take("+");
        }
        if self.rest.starts_with('(') && !self.form.has_parentheses {
            self.form.has_parentheses = self.rest.contains(')');
            return self.form.has_parentheses && self.take("(");
        }
        if self.rest.starts_with('%') && !self.form.has_percent {
            self.form.has_percent = true;
            return self.take("%");
        }
        self.currency()
    }

    fn currency(&mut self) -> bool {
        if !self.form.currencies.is_empty() {
            return false;
        }
        if self.take("$") {
            self.form.currencies.push("$".to_owned());
            return true;
        }
        let is_prefixed = self.rest.starts_with("a$");
        let Some(words) = self.words() else {
            return false;
        };
        let signs: Vec<String> = words
            .iter()
            .map(|it| {
                if is_prefixed {
                    format!("{it}$")
                } else {
                    it.clone()
                }
            })
            .collect();
        let are_signs = !signs.is_empty() && signs.iter().all(|it| is_currency(it));
        if !are_signs || !["a$", "a", "s"].iter().any(|it| self.take(it)) {
            return false;
        }
        self.word += 1;
        self.form.currencies = signs;
        true
    }

    /// The digits with what stands between them.
    fn number(&mut self) -> Option<()> {
        let mut run = 0;
        let bounds = |it: &Runs| RunBounds {
            shortest: it.shortest,
            longest: it.longest,
            has_zero: it.least == 0,
            leading_zero: it.leading_zero,
        };
        if !self.take("9") {
            return None;
        }
        self.form.runs.push(bounds(self.shape.runs.first()?));
        while let [separator @ (b'.' | b',' | b'\'' | b' '), b'9', ..] = self.rest.as_bytes() {
            run += 1;
            self.form.separators.push(char::from(*separator));
            self.form.runs.push(bounds(self.shape.runs.get(run)?));
            self.rest = &self.rest[2..];
        }
        Some(())
    }

    fn exponent(&mut self) {
        let is_e = self
            .words()
            .is_some_and(|it| !it.is_empty() && it.iter().all(|it| it.eq_ignore_ascii_case("e")));
        if is_e && ["a+9", "a-9", "a9"].contains(&self.rest) {
            self.form.has_exponent = true;
            self.rest = "";
            self.word += 1;
        }
    }

    fn sign_after(&mut self) -> bool {
        let has_space = self.take(" ");
        if self.rest.starts_with('-') && !self.form.has_trailing_minus && !self.form.is_negative {
            self.form.has_trailing_minus = true;
            return self.take("-");
        }
        if self.form.has_parentheses && self.take(")") {
            return true;
        }
        if !self.form.has_percent && self.take("%") {
            self.form.has_percent = true;
            return true;
        }
        self.currency() || self.word_after() || has_space
    }

    /// A unit, a power of ten or the like, which may be shortened: `5 Mio. €`.
    fn word_after(&mut self) -> bool {
        let few = 1..=words_beside::MAX_WORDS;
        let words = self.words().filter(|it| few.contains(&it.len()));
        let Some(words) = words.filter(|_| self.form.words.is_empty()) else {
            return false;
        };
        let words = words.to_vec();
        if !self.take("a") {
            return false;
        }
        self.word += 1;
        self.take(".");
        let codes = words.iter().filter_map(|it| words_beside::with_code(it));
        let codes: Vec<_> = codes.map(|it| it.1.to_owned()).collect();
        if self.form.currencies.is_empty() {
            self.form.currencies = codes;
        }
        self.form.words = words;
        true
    }
}

/// Signs of currencies that are letters.
const LETTER_SIGNS: [&str; 12] = [
    "kr", "zł", "Kč", "Ft", "lei", "лв", "US$", "R$", "C$", "A$", "NZ$", "HK$",
];

fn is_currency(word: &str) -> bool {
    let is_sign = |it: &str| it.chars().count() == 1 && CURRENCY_SIGNS.contains(it);
    is_sign(word) || LETTER_SIGNS.contains(&word) || currency::is_code(word)
}
