//! Delimited files (CSV, TSV): bytes in as they arrive, records out, at constant memory.
//!
//! A [`Reader`] is given chunks of any size and answers with rows. The first 64 KiB decide on
//! encoding and delimiter; from then on everything flows. Only where the encoding must be guessed
//! is more of the file held, up to [`MAX_GUESS`], before there is a row; what follows is
//! watched, and the file ends in an error where it refutes the guess.
//!
//! **Invariant:** pure, no I/O. What comes out does not depend on how the bytes were cut, and a
//! bad row is rejected alone, with its reason and its text: its neighbours live.

mod cost_explorer;
mod dialect;
mod encoding;
pub mod file_name;
mod flow;
mod format;
mod guess;
mod header;
mod json;
mod notes;
mod reader;
mod row;
mod scan;
mod separators;
mod stream;
#[cfg(test)]
mod tests;
mod types;
mod western;

pub use encoding::Encoding;
pub use flow::Detected;
pub use header::Header;
pub use reader::Reader;
pub use row::{BadRow, Cell, Item, Row};
pub use separators::{Doubt, Separators};
pub use stream::{StreamError, StreamReader};
pub use types::{ColumnProfile, ColumnType, Profile};

/// A header with more columns than this is refused.
pub const MAX_COLUMNS: usize = 10_000;

/// The longest row that [`Options::max_row`] can allow, in bytes of UTF-8.
pub const MAX_ROW: usize = 16 << 20;

/// How much of a file is held to guess its encoding, in bytes.
pub const MAX_GUESS: usize = 2 << 20;

/// How a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// `None` to detect it.
    pub encoding: Option<Encoding>,
    /// An ASCII byte; `None` to detect one of `,` `;` tab `|`.
    pub delimiter: Option<u8>,
    pub short_rows: ShortRows,
    /// The longest row in bytes of UTF-8, up to [`MAX_ROW`]. It bounds the memory of the reader.
    pub max_row: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            encoding: None,
            delimiter: None,
            short_rows: ShortRows::Reject,
            max_row: 1 << 20,
        }
    }
}

/// What becomes of a row with fewer cells than the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShortRows {
    /// The missing cells are null.
    Pad,
    Reject,
}

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("column \"{name}\" appears twice (columns {first} and {second}); rename one")]
    DuplicateColumn {
        name: String,
        /// 1-based.
        first: usize,
        second: usize,
    },
    #[error("the file is not delimited text, but {0}")]
    Format(&'static str),
    #[error("the header has {0} columns; at most {MAX_COLUMNS} can be read")]
    TooManyColumns(usize),
    #[error(
        "the file is not UTF-8, and {0}: which encoding is it? Set \"encoding\" in the \
         connector_config of its connection, such as \"windows-1252\", \"shift_jis\" or \
         \"gb18030\", or save the file as UTF-8"
    )]
    Encoding(String),
    #[error("the header on line {line} cannot be read: {reason}")]
    Header { line: u64, reason: String },
}

/// The result of reading a delimited file.
pub type Result<T, E = Error> = std::result::Result<T, E>;
