//! The shape of a value: its runs of digits and of letters, and the signs between them.
//!
//! Values of one format have one shape or a few, whatever their digits, so that a column is
//! remembered as its shapes with the least and the greatest number of each run of digits.
//!
//! **Invariant:** one pass over at most [`MAX_SCANNED`] bytes, without the heap.

/// Longer values are texts.
pub(super) const MAX_SCANNED: usize = 96;
/// Shapes with more parts are texts.
pub(super) const MAX_TOKENS: usize = 20;
/// Runs of digits, and runs of letters, of which more is remembered than that they are there.
pub(super) const MAX_RUNS: usize = 8;

/// A part of a shape: a run, or an ASCII sign as itself.
pub(super) type Token = u8;

pub(super) const DIGITS: Token = b'9';
pub(super) const LETTERS: Token = b'a';
pub(super) const SPACE: Token = b' ';
/// A sign of a currency that is no ASCII; which one is remembered like a run of letters.
pub(super) const SIGN: Token = b's';
/// Any other character.
const OTHER: Token = b'?';

/// Signs of currencies beyond `$`.
pub(super) const CURRENCY_SIGNS: &str = "€£¥₹₽₩₺₪₫₴₦฿₱₲₵₡₸₼¢";

/// A run of digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Run {
    /// Saturated at 18 digits.
    pub(super) number: u64,
    pub(super) len: u8,
    pub(super) leading_zero: bool,
}

/// The shape of one value.
#[derive(Debug)]
pub(super) struct Scan {
    tokens: [Token; MAX_TOKENS],
    len: usize,
    runs: [Run; MAX_RUNS],
    run_count: usize,
    words: [(u8, u8); MAX_RUNS],
    word_count: usize,
    /// A number for the tokens, and for which runs have four digits.
    pub(super) key: u64,
    pub(super) has_at: bool,
}

impl Scan {
    pub(super) fn tokens(&self) -> &[Token] {
        &self.tokens[..self.len]
    }

    pub(super) fn runs(&self) -> &[Run] {
        &self.runs[..self.run_count]
    }

    /// The runs of letters, and the signs of currencies.
    pub(super) fn words<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let ranges = self.words[..self.word_count].iter();
        ranges.map(|(from, to)| &text[usize::from(*from)..usize::from(*to)])
    }

    /// The shape of a text; none where it is too long or has too many parts.
    pub(super) fn of(text: &str) -> Option<Scan> {
        if text.len() > MAX_SCANNED {
            return None;
        }
        let mut scan = Scan {
            tokens: [0; MAX_TOKENS],
            len: 0,
            runs: [Run::default(); MAX_RUNS],
            run_count: 0,
            words: [(0, 0); MAX_RUNS],
            word_count: 0,
            key: 0xcbf2_9ce4_8422_2325,
            has_at: false,
        };
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(first) = bytes.get(at) {
            at = match first {
                b'0'..=b'9' => scan.digits(bytes, at)?,
                b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => scan.letters(text, at)?,
                b' ' | b'\t' | b'\n' | b'\r' => {
                    scan.push(SPACE)?;
                    at + 1
                }
                sign => {
                    scan.has_at |= *sign == b'@';
                    scan.push(*sign)?;
                    at + 1
                }
            };
        }
        Some(scan)
    }

    fn push(&mut self, token: Token) -> Option<()> {
        if token == SPACE && self.len > 0 && self.tokens[self.len - 1] == SPACE {
            return Some(());
        }
        *self.tokens.get_mut(self.len)? = token;
        self.len += 1;
        // FNV-1a.
        self.key = (self.key ^ u64::from(token)).wrapping_mul(0x0100_0000_01b3);
        Some(())
    }

    fn digits(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        let mut number = 0_u64;
        while let Some(byte @ b'0'..=b'9') = bytes.get(at) {
            if at - from < 18 {
                number = number * 10 + u64::from(byte - b'0');
            }
            at += 1;
        }
        *self.runs.get_mut(self.run_count)? = Run {
            number,
            len: u8::try_from(at - from).ok()?,
            leading_zero: bytes[from] == b'0' && at - from > 1,
        };
        self.run_count += 1;
        self.push(DIGITS)?;
        if at - from == 4 {
            // Years tell `2024/01/31` from `31/01/2024`, which are the same otherwise.
            self.key = (self.key ^ 4).wrapping_mul(0x0100_0000_01b3);
        }
        Some(at)
    }

    /// Letters of any script, or another character beyond ASCII.
    fn letters(&mut self, text: &str, from: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        let mut at = from;
        while let Some(byte) = bytes.get(at) {
            if byte.is_ascii_alphabetic() {
                at += 1;
                continue;
            }
            match text[at..].chars().next() {
                Some(it) if !it.is_ascii() && it.is_alphabetic() => at += it.len_utf8(),
                _ => break,
            }
        }
        let token = if at > from {
            LETTERS
        } else {
            let it = text[at..].chars().next()?;
            at += it.len_utf8();
            match it {
                '−' => b'-',
                '’' | '‘' | 'ʼ' | '´' => b'\'',
                it if it.is_whitespace() => SPACE,
                it if CURRENCY_SIGNS.contains(it) => SIGN,
                _ => OTHER,
            }
        };
        if token == LETTERS || token == SIGN {
            *self.words.get_mut(self.word_count)? =
                (u8::try_from(from).ok()?, u8::try_from(at).ok()?);
            self.word_count += 1;
        }
        self.push(token)?;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shape_is_runs_and_signs() {
        let shape = |text: &str| {
            let scan = Scan::of(text)?;
            Some(String::from_utf8_lossy(scan.tokens()).into_owned())
        };
        assert_eq!(shape("31/01/2024 10:30 Uhr").unwrap(), "9/9/9 9:9 a");
        assert_eq!(shape("1\u{202f}234,50 €").unwrap(), "9 9,9 s");
        assert_eq!(shape("−5’000").unwrap(), "-9'9");
        assert_eq!(shape("5. März").unwrap(), "9. a");
        assert_eq!(shape("日本 ☃").unwrap(), "a ?");
        assert_eq!(shape(&"a".repeat(97)), None);
        assert_eq!(shape(&"a1".repeat(11)), None);
    }

    #[test]
    fn runs_are_remembered() {
        let text = "007 kg 99999999999999999999 €";
        let scan = Scan::of(text).unwrap();
        let words: Vec<_> = scan.words(text).collect();
        assert_eq!(words, ["kg", "€"]);
        assert_eq!(
            scan.runs()[0],
            Run {
                number: 7,
                len: 3,
                leading_zero: true
            }
        );
        assert_eq!(
            (scan.runs()[1].number, scan.runs()[1].len),
            (999_999_999_999_999_999, 20)
        );
    }

    proptest! {
        #[test]
        fn any_text_has_a_shape_or_none(text in ".{0,120}") {
            if let Some(scan) = Scan::of(&text) {
                prop_assert!(scan.words(&text).all(|it| !it.is_empty()));
            }
        }
    }
}
