//! Steps over JSON text. Each skips the white space before it and answers none where the text is
//! not as expected.

/// A place in a text.
pub(super) struct Scan<'j> {
    json: &'j [u8],
    at: usize,
}

/// How a number is written.
pub(super) enum Number {
    Integer,
    Decimal,
}

impl<'j> Scan<'j> {
    pub(super) fn new(json: &'j [u8]) -> Scan<'j> {
        Scan { json, at: 0 }
    }

    /// The next byte that is not white space. It stays.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.json.get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    #[inline]
    pub(super) fn skip(&mut self, byte: u8) -> Option<()> {
        self.skip_either(byte, byte).map(drop)
    }

    /// Skips one of two bytes and tells which.
    #[inline]
    pub(super) fn skip_either(&mut self, one: u8, other: u8) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        (byte == one || byte == other).then_some(byte)
    }

    pub(super) fn skip_literal(&mut self, word: &[u8]) -> Option<()> {
        self.peek()?;
        let found = self.json[self.at..].starts_with(word);
        self.at += word.len();
        found.then_some(())
    }

    /// Skips a string if its bytes between the quotes are these.
    #[inline]
    pub(super) fn skip_text(&mut self, text: &str) -> bool {
        if self.peek() != Some(b'"') {
            return false;
        }
        let rest = &self.json[self.at + 1..];
        let is_it = rest.get(text.len()) == Some(&b'"') && rest[..text.len()] == *text.as_bytes();
        if is_it {
            self.at += text.len() + 2;
        }
        is_it
    }

    /// Skips a string and returns it with its quotes.
    #[inline]
    pub(super) fn string(&mut self) -> Option<&'j [u8]> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at;
        self.at += 1;
        loop {
            self.at += to_quote_or_backslash(&self.json[self.at..])?;
            if self.json[self.at] == b'"' {
                self.at += 1;
                return Some(&self.json[start..self.at]);
            }
            // The escaped byte itself may be a quote.
            self.at += 2;
            self.json.get(self.at)?;
        }
    }

    pub(super) fn skip_number(&mut self) -> Option<Number> {
        self.peek()?;
        let start = self.at;
        let mut number = Number::Integer;
        loop {
            match self.json.get(self.at) {
                Some(b'0'..=b'9' | b'-') => {}
                Some(b'.' | b'e' | b'E' | b'+') => number = Number::Decimal,
                _ => return (start < self.at).then_some(number),
            }
            self.at += 1;
        }
    }

    /// Skips any value, without recursion.
    pub(super) fn skip_value(&mut self) -> Option<()> {
        let mut open = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    self.at += 1;
                    open += 1;
                }
                b'}' | b']' => {
                    self.at += 1;
                    open = open.checked_sub(1)?;
                }
                b't' => self.skip_literal(b"true")?,
                b'f' => self.skip_literal(b"false")?,
                b'n' => self.skip_literal(b"null")?,
                b',' | b':' if 0 < open => self.at += 1,
                _ => {
                    self.skip_number()?;
                }
            }
            if open == 0 {
                return Some(());
            }
        }
    }
}

/// How many bytes stand before the first quote or backslash; eight are looked at in one step.
#[inline]
fn to_quote_or_backslash(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    // The lowest high bit that is set marks the first zero byte.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (words, _) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found =
            zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let start = words.len() * 8;
    text[start..]
        .iter()
        .position(|it| matches!(it, b'"' | b'\\'))
        .map(|it| start + it)
}
