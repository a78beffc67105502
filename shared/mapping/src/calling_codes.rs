//! Country calling codes: how a region dials itself and others.
//!
//! `data/calling_codes.tsv` has a region a line: ISO 3166-1 alpha-2 (`001` for codes of no region),
//! calling code, national prefix, international prefix, the least and the most digits of a
//! national number. The facts are those of the ITU's national numbering plans.

use std::sync::LazyLock;

const TABLE: &str = include_str!("../data/calling_codes.tsv");
/// Characters of the longest text that is looked at.
const MAX_TEXT: usize = 60;
/// Digits of the longest number in E.164, without `+`.
const MAX_DIGITS: usize = 15;

/// How one region dials.
#[derive(Debug)]
pub(crate) struct Region {
    /// ISO 3166-1 alpha-2.
    pub(crate) code: &'static str,
    calling: &'static str,
    national_prefix: &'static str,
    international_prefix: &'static str,
    least: usize,
    most: usize,
}

static REGIONS: LazyLock<Vec<Region>> = LazyLock::new(|| TABLE.lines().filter_map(parse).collect());

fn parse(line: &'static str) -> Option<Region> {
    let [
        code,
        calling,
        national_prefix,
        international_prefix,
        least,
        most,
    ] = line.split('\t').collect::<Vec<_>>()[..]
    else {
        return None;
    };
    Some(Region {
        code,
        calling,
        national_prefix,
        international_prefix,
        least: least.parse().ok()?,
        most: most.parse().ok()?,
    })
}

/// The region of that alpha-2 code, in any case.
pub(crate) fn region(code: &str) -> Option<&'static Region> {
    let is_code = |it: &&Region| it.code.eq_ignore_ascii_case(code);
    REGIONS.iter().filter(|it| it.code.len() == 2).find(is_code)
}

/// The number in a text as E.164; national ones are those of `region`.
pub(crate) fn e164(text: &str, region: Option<&Region>) -> Option<String> {
    let (digits, has_plus) = digits(text)?;
    if has_plus {
        return international(&digits);
    }
    let region = region?;
    let prefix = region.international_prefix;
    if let Some(rest) = digits.strip_prefix(prefix).filter(|_| !prefix.is_empty())
        && let Some(number) = international(rest)
    {
        return Some(number);
    }
    let fits = |it: &&str| (region.least..=region.most).contains(&it.len());
    let prefix = region.national_prefix;
    let without = digits
        .strip_prefix(prefix)
        .filter(|_| !prefix.is_empty())
        .filter(fits);
    let national = without.or_else(|| Some(&*digits).filter(fits))?;
    number(region.calling, national)
}

/// The region of a number with its country code; of several with one code, the largest.
pub(crate) fn region_of(number: &str) -> Option<&'static str> {
    const LARGEST: [&str; 9] = ["US", "GB", "IT", "NO", "RU", "AU", "MA", "RE", "FI"];
    let number = e164(number, None)?;
    let digits = number.trim_start_matches('+');
    let of_code = |it: &&Region| digits.starts_with(it.calling) && it.code.len() == 2;
    let regions: Vec<_> = REGIONS.iter().filter(of_code).collect();
    let largest = regions.iter().find(|it| LARGEST.contains(&it.code));
    largest.or(regions.first()).map(|it| it.code)
}

/// The digits, and whether a `+` stands before them.
fn digits(text: &str) -> Option<(String, bool)> {
    let text = text.trim();
    if text.chars().nth(MAX_TEXT).is_some() {
        return None;
    }
    let text = text.strip_prefix("tel:").unwrap_or(text).trim_start();
    let (text, has_plus) = match text.strip_prefix(['+', '＋']) {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    // The national prefix, which those who dial the country code leave out.
    let text = if has_plus {
        text.replacen("(0)", "", 1)
    } else {
        text.to_owned()
    };
    let is_filler = |it: char| it.is_whitespace() || "-‐‑–./()".contains(it);
    let mut digits = String::with_capacity(MAX_DIGITS);
    for it in text.chars().filter(|it| !is_filler(*it)) {
        if !it.is_ascii_digit() {
            return None;
        }
        digits.push(it);
    }
    Some((digits, has_plus))
}

/// The number of digits that begin with a calling code.
fn international(digits: &str) -> Option<String> {
    let calling = (1..=3).find_map(|len| {
        let code = digits.get(..len)?;
        REGIONS.iter().any(|it| it.calling == code).then_some(code)
    })?;
    let national = &digits[calling.len()..];
    let of_code = || REGIONS.iter().filter(|it| it.calling == calling);
    let fits = |it: &str| of_code().any(|region| (region.least..=region.most).contains(&it.len()));
    let drops_zero = of_code().all(|it| it.national_prefix == "0");
    let national = match national.strip_prefix('0') {
        Some(rest) if drops_zero && fits(rest) => rest,
        _ => national,
    };
    fits(national).then(|| number(calling, national))?
}

fn number(calling: &str, national: &str) -> Option<String> {
    (calling.len() + national.len() <= MAX_DIGITS).then(|| format!("+{calling}{national}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        assert_eq!(REGIONS.len(), TABLE.lines().count());
        for region in REGIONS.iter() {
            assert!(region.least <= region.most, "{region:?}");
            let all = [
                region.calling,
                region.national_prefix,
                region.international_prefix,
            ];
            let is_digits = |it: &&str| it.bytes().all(|it| it.is_ascii_digit());
            assert!(all.iter().all(is_digits), "{region:?}");
        }
    }

    #[test]
    fn no_calling_code_begins_another() {
        for region in REGIONS.iter() {
            let begins = |it: &&Region| {
                it.calling != region.calling && it.calling.starts_with(region.calling)
            };
            assert!(!REGIONS.iter().any(|it| begins(&it)), "{region:?}");
        }
    }

    #[test]
    fn a_number_reads_as_itself() {
        for text in [
            "+4930901820",
            "+14155552671",
            "+390669821234",
            "+80012345678",
        ] {
            assert_eq!(e164(text, None).as_deref(), Some(text));
            assert_eq!(e164(text, region("FR")).as_deref(), Some(text));
        }
    }
}
