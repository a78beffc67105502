//! A file whose encoding and delimiter are known: where its lines are, and what its errors mean.

use crate::delimited::encoding::{Decoder, Encoding};
use crate::delimited::header::Header;
use crate::delimited::row::Cell;
use crate::delimited::scan::{Scan, Scanner};
use crate::delimited::{Error, MAX_COLUMNS, Options, Result, dialect};

/// How much of a file decides on its encoding and delimiter.
pub(super) const SAMPLE: usize = 64 << 10;

/// What was found out about a file from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detected {
    pub encoding: Encoding,
    pub delimiter: u8,
    /// Whether a first line such as `sep=;` named the delimiter.
    pub is_named: bool,
}

/// The state from when encoding and delimiter are known.
pub(super) struct Flow {
    pub(super) detected: Detected,
    pub(super) decoder: Decoder,
    pub(super) scanner: Scanner,
    /// The line of the next row, from 1.
    pub(super) line: u64,
    /// How many bytes of the file came before the buffer. Meaningful for UTF-8 only.
    pub(super) offset: u64,
    /// The last line ended with CR: a LF that follows belongs to it.
    after_cr: bool,
    /// In a row that is too long: everything up to the next line break is dropped.
    dropping: bool,
}

impl Flow {
    /// Decodes the first bytes of a file, behind the `mark` of its encoding, into `text`, and
    /// decides by them. `whole` says that these are all.
    pub(super) fn begin(
        options: &Options,
        (encoding, mark): (Encoding, usize),
        raw: &[u8],
        whole: bool,
        text: &mut Vec<u8>,
    ) -> Self {
        let mut decoder = Decoder::new(encoding);
        decoder.decode(&raw[mark..], whole, text);
        let named = dialect::named(text);
        // The file knows best.
        let given = named.map(|it| it.0).or(options.delimiter);
        let named = named.map_or(0, |it| it.1);
        text.drain(..named);
        let sample = &text[..text.len().min(SAMPLE)];
        let delimiter =
            given.unwrap_or_else(|| dialect::detect(sample, whole && sample.len() == text.len()));
        Self {
            detected: Detected {
                encoding,
                delimiter,
                is_named: 0 < named,
            },
            decoder,
            scanner: Scanner::new(delimiter, options.max_row),
            line: 1 + u64::from(0 < named),
            offset: (mark + named) as u64,
            after_cr: false,
            dropping: false,
        }
    }

    /// How much of `text` belongs to the line before.
    pub(super) fn skip(&mut self, text: &[u8]) -> usize {
        let mut skipped = 0;
        if self.dropping {
            match text.iter().position(|it| matches!(it, b'\n' | b'\r')) {
                None => return text.len(),
                Some(len) => skipped = len + 1,
            }
            self.dropping = false;
            self.line += 1;
            self.after_cr = text[skipped - 1] == b'\r';
        }
        if self.after_cr && skipped < text.len() {
            self.after_cr = false;
            skipped += usize::from(text[skipped] == b'\n');
        }
        skipped
    }

    /// Goes on to behind what was found, if anything was; says how far that is.
    pub(super) fn take(&mut self, scan: &Scan, text: &[u8]) -> Option<usize> {
        let (next, lines) = match *scan {
            Scan::More => return None,
            Scan::Row { next, lines, .. } | Scan::Broken { next, lines, .. } => (next, lines),
            Scan::TooLong { next, lines } => {
                self.dropping = true;
                (next, lines)
            }
        };
        self.line += lines;
        self.after_cr = !self.dropping && text[next - 1] == b'\r';
        Some(next)
    }

    pub(super) fn header(&self, start: usize, raw: &[u8], line: u64) -> Result<Header> {
        if self.scanner.count() > MAX_COLUMNS {
            return Err(Error::TooManyColumns(self.scanner.count()));
        }
        let text = std::str::from_utf8(raw).map_err(|error| Error::Header {
            line,
            reason: self.undecodable(start + error.valid_up_to()),
        })?;
        Header::new(
            self.scanner
                .cells()
                .iter()
                .map(|it| Cell::new(text, *it).text()),
        )
    }

    /// Why the byte at `at` of the buffer is no text.
    pub(super) fn undecodable(&self, at: usize) -> String {
        let encoding = self.detected.encoding;
        if encoding == Encoding::UTF_8 {
            return format!(
                "invalid UTF-8 at byte {} of the file",
                self.offset + at as u64
            );
        }
        format!("invalid {}", encoding.name())
    }
}
