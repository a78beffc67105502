//! The reader: chunks in, rows out.

use crate::delimited::cost_explorer::CostExplorer;
use crate::delimited::encoding::{self, Encoding, Sign};
use crate::delimited::flow::{Detected, Flow, SAMPLE};
use crate::delimited::format;
use crate::delimited::guess::{self, Watch};
use crate::delimited::header::Header;
use crate::delimited::notes::Notes;
use crate::delimited::row::{BadRow, Item, Row};
use crate::delimited::scan::{Flaw, Scan, Span};
use crate::delimited::{Error, MAX_GUESS, MAX_ROW, Options, Result, ShortRows};

/// Reads one file, given in chunks.
///
/// ```
/// use aam::delimited::{Item, Options, Reader};
///
/// let mut reader = Reader::new(Options::default());
/// let mut json = Vec::new();
/// for chunk in ["id,na", "me\n1,Ac", "me\n"] {
///     reader.push(chunk.as_bytes());
///     while let Some(Item::Row(row)) = reader.next()? {
///         row.write_json(&mut json);
///     }
/// }
/// reader.finish();
/// while let Some(Item::Row(row)) = reader.next()? {
///     row.write_json(&mut json);
/// }
/// assert_eq!(json, br#"{"id":"1","name":"Acme"}"#);
/// # Ok::<(), aam::delimited::Error>(())
/// ```
pub struct Reader {
    options: Options,
    /// The raw bytes until `flow` is there; then text that is not answered with yet.
    buffer: Vec<u8>,
    /// Where in the buffer the next row begins.
    at: usize,
    finished: bool,
    sign: Option<Sign>,
    flow: Option<Flow>,
    /// Of a file whose encoding was guessed before all of it was there.
    watch: Option<Watch>,
    header: Option<Header>,
    /// Of a file in which each row stands for several.
    table: Option<CostExplorer>,
    found: Option<Found>,
    failed: Option<Error>,
    notes: Notes,
}

/// A row that was found at `start..end` of the buffer, or rejected already.
enum Found {
    Row { line: u64, start: usize, end: usize },
    Rejected(BadRow),
}

impl Reader {
    pub fn new(options: Options) -> Self {
        let max_row = options.max_row.min(MAX_ROW);
        Self {
            options: Options { max_row, ..options },
            buffer: Vec::new(),
            at: 0,
            finished: false,
            sign: None,
            flow: None,
            watch: None,
            header: None,
            table: None,
            found: None,
            failed: None,
            notes: Notes::default(),
        }
    }

    /// Takes the next bytes of the file. Call [`Reader::next`] until it answers `None` before
    /// pushing more: what is pushed is kept until it is read.
    ///
    /// # Panics
    /// After [`Reader::finish`].
    pub fn push(&mut self, chunk: &[u8]) {
        assert!(
            !self.finished,
            "nothing is pushed after the end of the file"
        );
        self.forget();
        if let Some(watch) = &mut self.watch {
            watch.feed(chunk);
        }
        match &mut self.flow {
            Some(flow) => flow.decoder.decode(chunk, false, &mut self.buffer),
            None => self.buffer.extend_from_slice(chunk),
        }
    }

    /// Says that the file ends here. The last rows come out of [`Reader::next`].
    pub fn finish(&mut self) {
        if self.finished {
            return;
        }
        self.finished = true;
        if let Some(flow) = &mut self.flow {
            flow.decoder.decode(&[], true, &mut self.buffer);
        }
    }

    /// The next row; `None` if it is not there yet, or after [`Reader::finish`] not at all.
    #[allow(clippy::should_implement_trait)] // An iterator cannot lend its items.
    pub fn next(&mut self) -> Result<Option<Item<'_>>> {
        Ok(if self.advance()? { self.item() } else { None })
    }

    /// The columns, as soon as they are known. An empty file has none.
    pub fn header(&self) -> Option<&Header> {
        let table = self.table.as_ref().map(CostExplorer::header);
        table.or(self.header.as_ref())
    }

    /// Encoding and delimiter, as soon as they are known.
    pub fn detected(&self) -> Option<Detected> {
        self.flow.as_ref().map(|it| it.detected)
    }

    /// What was read otherwise than it stands in the file, up to now, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.sentences();
        if let Some(detected) = self.detected().filter(|it| it.is_named) {
            let delimiter = char::from(detected.delimiter);
            notes.insert(
                0,
                format!("the first line names the delimiter {delimiter:?}"),
            );
        }
        if self.table.is_some() {
            let note = "a table of Cost Explorer is read as a row per period and column, without its totals";
            notes.push(note.to_owned());
        }
        notes
    }

    /// How many bytes are held in memory. Once rows are read to the end: at most a row and a chunk,
    /// or the file while its encoding is to be guessed.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Looks for the next row, which [`Reader::item`] then hands out.
    pub(super) fn advance(&mut self) -> Result<bool> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        while !self.has_more_of_a_row() {
            let found = self.find();
            if let Err(error) = &found {
                self.failed = Some(error.clone());
            }
            self.found = found?;
            if self.found.is_none() || self.table.is_none() {
                return Ok(self.found.is_some());
            }
            self.take_apart();
            if self.found.is_some() {
                break;
            }
        }
        Ok(true)
    }

    fn has_more_of_a_row(&self) -> bool {
        self.table.as_ref().is_some_and(CostExplorer::is_pending)
    }

    /// Gives a row to the table that takes it apart, unless it is none.
    fn take_apart(&mut self) {
        let Some(mut table) = self.table.take() else {
            return;
        };
        match self.judged() {
            Some(Item::Row(row)) => table.take(row),
            Some(Item::Rejected(row)) => self.found = Some(Found::Rejected(row)),
            None => {}
        }
        self.table = Some(table);
    }

    /// The row that [`Reader::advance`] has found.
    pub(super) fn item(&mut self) -> Option<Item<'_>> {
        if self.has_more_of_a_row() {
            return self.table.as_mut()?.item().map(Item::Row);
        }
        self.judged()
    }

    /// The row that was found, with the reason if it is none.
    fn judged(&mut self) -> Option<Item<'_>> {
        let (line, start, end) = match self.found.take()? {
            Found::Rejected(rejected) => return Some(Item::Rejected(rejected)),
            Found::Row { line, start, end } => (line, start, end),
        };
        let (flow, header) = (self.flow.as_ref()?, self.header.as_ref()?);
        let raw = &self.buffer[start..end];
        let (count, columns) = (flow.scanner.count(), header.names().len());
        let text = match std::str::from_utf8(raw) {
            Ok(text) => text,
            Err(error) => {
                let reason = flow.undecodable(start + error.valid_up_to());
                return Some(Item::Rejected(BadRow::new(line, reason, raw)));
            }
        };
        let extra = flow.scanner.cells().get(columns..).unwrap_or_default();
        let is_trailing = |it: &Span| text[it.start as usize..it.end as usize].trim().is_empty();
        let fits = match self.options.short_rows {
            _ if columns < count => columns + extra.len() == count && extra.iter().all(is_trailing),
            ShortRows::Reject => columns <= count + header.nameless(),
            ShortRows::Pad => true,
        };
        if !fits {
            let cells = if count == 1 { "cell" } else { "cells" };
            let reason = format!("row has {count} {cells} where the header has {columns}");
            return Some(Item::Rejected(BadRow::new(line, reason, raw)));
        }
        self.notes.trailing += u64::from(!extra.is_empty());
        self.notes.blanks += u64::from(flow.scanner.has_blanks());
        let cells = &flow.scanner.cells()[..count.min(columns)];
        Some(Item::Row(Row {
            line,
            text,
            cells,
            header,
        }))
    }

    /// Drops what was answered with.
    fn forget(&mut self) {
        self.buffer.drain(..self.at);
        if let Some(flow) = &mut self.flow {
            flow.offset += self.at as u64;
        }
        self.at = 0;
    }

    fn find(&mut self) -> Result<Option<Found>> {
        if self.flow.is_none() {
            self.begin()?;
        }
        let Some(flow) = &mut self.flow else {
            return Ok(None);
        };
        loop {
            self.at += flow.skip(&self.buffer[self.at..]);
            let (start, line, text) = (self.at, flow.line, &self.buffer[self.at..]);
            if text.is_empty() {
                if let Some(watch) = self.watch.as_ref().filter(|_| self.finished) {
                    watch.confirm()?;
                }
                return Ok(None);
            }
            let scan = flow.scanner.scan(text, self.finished);
            let Some(next) = flow.take(&scan, text) else {
                return Ok(None);
            };
            self.at += next;
            let reason = match scan {
                Scan::Row { end: 0, .. } => continue,
                Scan::Row { end, .. } if self.header.is_none() => {
                    let header = flow.header(start, &text[..end], line)?;
                    self.table = CostExplorer::of(&header)?;
                    self.header = Some(header);
                    continue;
                }
                Scan::Row { end, .. } => {
                    let end = start + end;
                    return Ok(Some(Found::Row { line, start, end }));
                }
                scan => reason(&scan, self.options.max_row),
            };
            if self.header.is_none() {
                return Err(Error::Header { line, reason });
            }
            return Ok(Some(Found::Rejected(BadRow::new(
                line,
                reason,
                &text[..next],
            ))));
        }
    }

    /// Decides on encoding and delimiter, as soon as enough of the file is there.
    fn begin(&mut self) -> Result<()> {
        if self.sign.is_none() {
            if self.buffer.len() < SAMPLE && !self.finished {
                return Ok(());
            }
            let sample = &self.buffer[..self.buffer.len().min(SAMPLE)];
            if let Some(what) = format::foreign(sample) {
                return Err(Error::Format(what));
            }
            let whole = self.finished && sample.len() == self.buffer.len();
            self.sign = Some(encoding::detect(sample, whole, self.options.encoding));
        }
        let encoding = match self.sign {
            Some(Sign::Known(encoding, mark)) => (encoding, mark),
            _ if self.buffer.len() > MAX_GUESS => (self.guess_and_watch()?, 0),
            _ if self.finished => (guess::guess(&self.buffer, true)?, 0),
            _ => return Ok(()),
        };
        let raw = std::mem::take(&mut self.buffer);
        self.flow = Some(Flow::begin(
            &self.options,
            encoding,
            &raw,
            self.finished,
            &mut self.buffer,
        ));
        Ok(())
    }

    /// Guesses before the end of the file, which may prove it wrong.
    fn guess_and_watch(&mut self) -> Result<Encoding> {
        let guessed = guess::guess(&self.buffer[..MAX_GUESS], false)?;
        let mut watch = Watch::new(guessed);
        watch.feed(&self.buffer);
        self.watch = Some(watch);
        Ok(guessed)
    }
}

fn reason(scan: &Scan, max_row: usize) -> String {
    match scan {
        Scan::Broken {
            flaw: Flaw::Unclosed,
            ..
        } => "a quoted cell never closes; write a quote inside it twice".to_owned(),
        Scan::Broken {
            flaw: Flaw::Stray, ..
        } => "text follows a closing quote; write a quote inside a cell twice".to_owned(),
        _ => format!("row is longer than {max_row} bytes"),
    }
}
