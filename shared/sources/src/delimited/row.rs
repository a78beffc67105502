//! What a reader answers with.

use std::borrow::Cow;

use crate::delimited::header::Header;
use crate::delimited::json;
use crate::delimited::scan::{Quoting, Span};

/// The raw text of a rejected row is cut after this many bytes.
const MAX_RAW: usize = 64 << 10;

/// A row, or the reason why there is none.
#[derive(Debug)]
pub enum Item<'a> {
    Row(Row<'a>),
    Rejected(BadRow),
}

/// A row that cannot be read. Its neighbours can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The line on which the row begins, from 1.
    pub line: u64,
    pub reason: String,
    /// The text of the row, undecodable bytes replaced, cut at 64 KiB.
    pub raw: String,
}

impl BadRow {
    pub(super) fn new(line: u64, reason: String, raw: &[u8]) -> Self {
        let mut raw = String::from_utf8_lossy(&raw[..raw.len().min(MAX_RAW)]).into_owned();
        raw.truncate(raw.trim_end_matches(['\r', '\n']).len());
        // Replacement characters are longer than the bytes that they replace.
        raw.truncate(raw.floor_char_boundary(MAX_RAW));
        Self { line, reason, raw }
    }
}

/// A row with as many cells as the header has columns, borrowed from the reader.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub(super) line: u64,
    pub(super) text: &'a str,
    pub(super) cells: &'a [Span],
    pub(super) header: &'a Header,
}

impl<'a> Row<'a> {
    /// The line on which the row begins, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The row as it stands in the file.
    pub fn raw(&self) -> &'a str {
        self.text
    }

    /// The row as one that cannot be read after all.
    pub fn rejected(&self, reason: String) -> BadRow {
        BadRow::new(self.line, reason, self.text.as_bytes())
    }

    pub fn header(&self) -> &'a Header {
        self.header
    }

    /// One cell for each column of the header.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'a>> + use<'a> {
        let text = self.text;
        let missing = self.header.names().len() - self.cells.len();
        self.cells
            .iter()
            .map(move |it| Cell::new(text, *it))
            .chain(std::iter::repeat_n(Cell::NULL, missing))
    }

    /// Appends the row as a JSON object of strings and nulls, in the order of the columns. What
    /// has neither name nor value behind a trailing delimiter is left out.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let named = self.header.names().len() - self.header.nameless();
        for (index, (key, cell)) in self.header.keys().iter().zip(self.cells()).enumerate() {
            if named <= index && cell.is_null() {
                continue;
            }
            out.extend_from_slice(key);
            cell.write_json(out);
        }
        out.push(b'}');
    }
}

/// One cell. Empty without quotes it is null, empty in quotes it is an empty string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    raw: &'a str,
    quoting: Quoting,
}

impl<'a> Cell<'a> {
    const NULL: Self = Self {
        raw: "",
        quoting: Quoting::Plain,
    };

    pub(super) fn new(text: &'a str, span: Span) -> Self {
        Self {
            raw: &text[span.start as usize..span.end as usize],
            quoting: span.quoting,
        }
    }

    pub fn is_null(&self) -> bool {
        self.raw.is_empty() && self.quoting == Quoting::Plain
    }

    /// The text of the cell; of null, the empty string.
    pub fn text(&self) -> Cow<'a, str> {
        match self.quoting {
            Quoting::Plain | Quoting::Quoted => Cow::Borrowed(self.raw),
            Quoting::Doubled => Cow::Owned(self.raw.replace("\"\"", "\"")),
        }
    }

    /// Appends the cell as a JSON string or null.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self.quoting {
            Quoting::Plain if self.raw.is_empty() => out.extend_from_slice(b"null"),
            Quoting::Plain | Quoting::Quoted => json::write_string(self.raw, out),
            Quoting::Doubled => json::write_doubled(self.raw, out),
        }
    }
}
