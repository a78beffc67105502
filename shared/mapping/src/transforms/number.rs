//! A number with declared separators and signs.

use std::borrow::Cow;

use schema::mapping::{Grouping, Percent, Transform};

use super::{CompiledTransform, Fault};
use crate::{Cell, Decimal, quote::quoted};

/// The longest number in bytes, without what stands between groups.
const MAX_NUMBER: usize = 96;

#[derive(Debug)]
pub(crate) struct Number {
    decimal: char,
    group: Option<Group>,
    grouping: Grouping,
    percent: Percent,
    /// The longest first, so that `US$` is not taken for `$`.
    currency: Vec<String>,
    parentheses: bool,
    trailing_minus: bool,
}

/// What stands between groups of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Char(char),
    Space,
    Apostrophe,
}

impl Group {
    fn is(self, it: char) -> bool {
        match self {
            Group::Char(separator) => it == separator,
            Group::Space => matches!(it, ' ' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}'),
            Group::Apostrophe => matches!(it, '\'' | '’' | '‘' | 'ʼ' | '´'),
        }
    }
}

pub(crate) fn compile(transform: &Transform) -> Result<Number, Fault> {
    let Transform::Number {
        decimal,
        group,
        grouping,
        percent,
        currency,
        parentheses,
        trailing_minus,
    } = transform
    else {
        unreachable!("is called for this transform alone");
    };
    let decimal = match &**decimal {
        "." => '.',
        "," => ',',
        _ => return Err(Fault::of("/decimal", "is neither `.` nor `,`")),
    };
    let group = match group.as_deref() {
        None | Some("") => None,
        Some(",") => Some(Group::Char(',')),
        Some(".") => Some(Group::Char('.')),
        Some("'" | "’") => Some(Group::Apostrophe),
        Some(" " | "\u{a0}" | "\u{202f}") => Some(Group::Space),
        Some(_) => return Err(Fault::of("/group", "is none of `,`, `.`, `'` and a space")),
    };
    if group == Some(Group::Char(decimal)) {
        let detail = "is what stands before the fraction: one of them must be another";
        return Err(Fault::of("/group", detail));
    }
    Ok(Number {
        decimal,
        group,
        grouping: *grouping,
        percent: *percent,
        currency: signs(currency)?,
        parentheses: *parentheses,
        trailing_minus: *trailing_minus,
    })
}

/// The signs and codes of currencies, the longest first.
fn signs(currency: &[String]) -> Result<Vec<String>, Fault> {
    let mut signs: Vec<_> = currency.iter().map(|it| it.trim().to_owned()).collect();
    for (index, sign) in signs.iter().enumerate() {
        let is_sign = (1..=16).contains(&sign.len())
            && !sign.contains(|it: char| it.is_ascii_digit() || "+-−()%'".contains(it))
            && ![".", ","].contains(&&**sign);
        if !is_sign {
            let detail = "is not the sign or the code of a currency, such as `€` or `EUR`";
            return Err(Fault::of(format!("/currency/{index}"), detail));
        }
    }
    signs.sort_by_key(|it| std::cmp::Reverse(it.len()));
    Ok(signs)
}

impl CompiledTransform for Number {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Cell::Null);
        }
        match self.read(trimmed) {
            Some(number) => Ok(Cell::Decimal(number)),
            None => Err(format!(
                "{} is not a number such as {}: correct it at the source, or the format in the \
                 mapping",
                quoted(&text),
                self.example()
            )),
        }
    }
}

/// The signs around the digits.
#[derive(Debug, Default)]
struct Signs {
    minus: bool,
    plus: bool,
    trailing_minus: bool,
    opened: bool,
    closed: bool,
    percent: bool,
    currency: bool,
}

impl Number {
    fn read(&self, text: &str) -> Option<Decimal> {
        let mut signs = Signs::default();
        let mut body = text;
        while let Some(rest) = self.without_sign(body, &mut signs) {
            body = rest.trim();
        }
        let negatives = [signs.minus, signs.trailing_minus, signs.opened];
        let negatives = negatives.into_iter().filter(|it| *it).count();
        let fits = signs.opened == signs.closed
            && negatives + usize::from(signs.plus) <= 1
            && (!signs.opened || self.parentheses)
            && (!signs.trailing_minus || self.trailing_minus)
            && match self.percent {
                Percent::Reject => !signs.percent,
                Percent::Fraction => signs.percent,
                Percent::AsIs => true,
            };
        if !fits {
            return None;
        }
        let number = self.digits(body, negatives == 1)?;
        if self.percent == Percent::Fraction {
            return number.checked_mul(Decimal::new(1, 2)?);
        }
        Some(number)
    }

    /// Takes one sign off either end; each is taken once.
    fn without_sign<'t>(&self, text: &'t str, signs: &mut Signs) -> Option<&'t str> {
        let first = text.chars().next()?;
        if first.is_ascii_digit() && text.ends_with(|it: char| it.is_ascii_digit()) {
            return None;
        }
        let took = |sign: &mut bool| !std::mem::replace(sign, true);
        let rest = match first {
            '-' | '−' => took(&mut signs.minus),
            '+' => took(&mut signs.plus),
            '(' => took(&mut signs.opened),
            '%' => took(&mut signs.percent),
            _ => false,
        };
        if rest {
            return Some(&text[first.len_utf8()..]);
        }
        let last = text.chars().next_back()?;
        let rest = match last {
            '-' | '−' => took(&mut signs.trailing_minus),
            ')' => took(&mut signs.closed),
            '%' => took(&mut signs.percent),
            _ => false,
        };
        if rest {
            return Some(&text[..text.len() - last.len_utf8()]);
        }
        let rest = self.without_currency(text)?;
        took(&mut signs.currency).then_some(rest)
    }

    fn without_currency<'t>(&self, text: &'t str) -> Option<&'t str> {
        let same =
            |part: Option<&str>, sign: &str| part.is_some_and(|it| it.eq_ignore_ascii_case(sign));
        self.currency.iter().find_map(|sign| {
            if same(text.get(..sign.len()), sign) {
                return text.get(sign.len()..);
            }
            let at = text.len().checked_sub(sign.len())?;
            same(text.get(at..), sign).then(|| &text[..at])
        })
    }

    /// Reads digits with groups, fraction and exponent.
    fn digits(&self, text: &str, negative: bool) -> Option<Decimal> {
        let mut plain = Plain::default();
        if negative {
            plain.push(b'-')?;
        }
        let (whole, fraction) = match text.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let (whole, exponent) = match fraction {
            None => split_exponent(whole),
            Some(_) => (whole, None),
        };
        if whole.is_empty() {
            fraction?;
            plain.push(b'0')?;
        }
        self.push_whole(whole, &mut plain)?;
        let (fraction, exponent) = match fraction {
            Some(fraction) => {
                let (digits, exponent) = split_exponent(fraction);
                (Some(digits), exponent)
            }
            None => (None, exponent),
        };
        if let Some(digits) = fraction {
            plain.push(b'.')?;
            plain.push_all(digits)?;
        }
        if let Some(exponent) = exponent {
            plain.push(b'e')?;
            plain.push_all(exponent)?;
        }
        plain.text()?.parse().ok()
    }

    fn push_whole(&self, text: &str, plain: &mut Plain) -> Option<()> {
        let Some(group) = self.group else {
            return plain.push_digits(text);
        };
        let mut lengths = [0_usize; MAX_NUMBER];
        let mut groups = 0;
        for it in text.chars() {
            if it.is_ascii_digit() {
                plain.push(u8::try_from(it).ok()?)?;
                lengths[groups] += 1;
            } else if group.is(it) && lengths[groups] > 0 && groups + 1 < MAX_NUMBER {
                groups += 1;
            } else {
                return None;
            }
        }
        are_groups(&lengths[..=groups], self.grouping).then_some(())
    }

    /// A number as it is declared, for whoever wrote another one.
    fn example(&self) -> String {
        let whole = match (self.group, self.grouping) {
            (None, _) => "1234567".to_owned(),
            (Some(group), Grouping::Thousands) => format!("1{0}234{0}567", group.sign()),
            (Some(group), Grouping::Indian) => format!("12{0}34{0}567", group.sign()),
        };
        let percent = match self.percent {
            Percent::Fraction => "%",
            _ => "",
        };
        format!("{whole}{}89{percent}", self.decimal)
    }
}

impl Group {
    fn sign(self) -> char {
        match self {
            Group::Char(it) => it,
            Group::Space => ' ',
            Group::Apostrophe => '\'',
        }
    }
}

/// Whether digits in groups of these lengths are grouped in that way, or not at all.
fn are_groups(lengths: &[usize], grouping: Grouping) -> bool {
    let [first, middle @ .., last] = lengths else {
        return true;
    };
    let size = match grouping {
        Grouping::Thousands => 3,
        Grouping::Indian => 2,
    };
    (1..=size).contains(first) && middle.iter().all(|it| *it == size) && *last == 3
}

fn split_exponent(text: &str) -> (&str, Option<&str>) {
    match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (text, None),
    }
}

/// A number as `Decimal` reads it, made without the heap.
struct Plain {
    bytes: [u8; MAX_NUMBER],
    len: usize,
}

impl Default for Plain {
    fn default() -> Plain {
        Plain {
            bytes: [0; MAX_NUMBER],
            len: 0,
        }
    }
}

impl Plain {
    fn push(&mut self, byte: u8) -> Option<()> {
        *self.bytes.get_mut(self.len)? = byte;
        self.len += 1;
        Some(())
    }

    fn push_all(&mut self, text: &str) -> Option<()> {
        let end = self.len.checked_add(text.len())?;
        self.bytes
            .get_mut(self.len..end)?
            .copy_from_slice(text.as_bytes());
        self.len = end;
        Some(())
    }

    fn push_digits(&mut self, text: &str) -> Option<()> {
        let all_digits = text.bytes().all(|it| it.is_ascii_digit());
        all_digits.then(|| self.push_all(text))?
    }

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes[..self.len]).ok()
    }
}

#[cfg(test)]
mod tests;
