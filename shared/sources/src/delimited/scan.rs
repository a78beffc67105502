//! Where rows and cells begin and end.
//!
//! **Invariant:** every byte is looked at once, however the file is cut into chunks; and after a
//! broken row once more. That is at most one row limit per row limit: a quoted cell that stays
//! open over a stretch meets only even runs of quotes there, and none of those opens another.

use crate::delimited::MAX_COLUMNS;

/// A cell within its row, without the quotes around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) quoting: Quoting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    Plain,
    Quoted,
    /// Quoted, with doubled quotes inside.
    Doubled,
}

/// What was found at the head of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// Nothing whole yet: scan again with the same start and more text.
    More,
    /// A row in `..end`. The next begins at `next`, `lines` further down.
    Row { end: usize, next: usize, lines: u64 },
    /// No row can be made of `..next`. `lines` is how many line breaks it holds.
    Broken { flaw: Flaw, next: usize, lines: u64 },
    /// A row beyond the limit, `..next` of it; the rest of its line is to be dropped.
    TooLong { next: usize, lines: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A quoted cell that never closes, or not within the limit.
    Unclosed,
    /// Text between a closing quote and the next delimiter.
    Stray,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    /// In spaces at the beginning of a cell, which a quote may follow.
    Blank,
    Plain,
    Quoted,
    /// After a quote in a quoted cell: the end of the cell, or the first of two.
    Quote,
    Closed,
}

pub(super) struct Scanner {
    delimiter: u8,
    max_row: usize,
    state: State,
    /// How far the row was looked at.
    at: usize,
    /// Where the current cell begins, and where it closed if it was quoted.
    cell: (usize, usize),
    quoting: Quoting,
    /// Where the spaces begin that stand before the quote of the current cell.
    blank: Option<usize>,
    /// Whether such spaces were left out of the row.
    has_blanks: bool,
    cells: Vec<Span>,
    count: usize,
    breaks: u64,
    /// After the first line break in the current quoted cell, and the breaks so far.
    first_break: Option<(usize, u64)>,
    flaw: Option<Flaw>,
}

impl Scanner {
    pub(super) fn new(delimiter: u8, max_row: usize) -> Self {
        Self {
            delimiter,
            max_row,
            state: State::CellStart,
            at: 0,
            cell: (0, 0),
            quoting: Quoting::Plain,
            blank: None,
            has_blanks: false,
            cells: Vec::new(),
            count: 0,
            breaks: 0,
            first_break: None,
            flaw: None,
        }
    }

    /// The cells of the row just found; of a row with more than [`MAX_COLUMNS`], not all.
    pub(super) fn cells(&self) -> &[Span] {
        &self.cells
    }

    /// How many cells the row just found has.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether the row just found has spaces before a quote, which were left out.
    pub(super) fn has_blanks(&self) -> bool {
        self.has_blanks
    }

    /// Looks for the end of the row that begins at `text[0]`. `last` says that the file ends here.
    pub(super) fn scan(&mut self, text: &[u8], last: bool) -> Scan {
        if self.at == 0 {
            self.start_row();
        }
        // One byte beyond the limit, for the line break.
        let window = &text[..text.len().min(self.max_row + 1)];
        let found = match self.run(window) {
            Some(found) => found,
            None if window.len() > self.max_row => self.over_limit(),
            None if last => self.end_of_file(),
            None => return Scan::More,
        };
        self.at = 0;
        found
    }

    fn start_row(&mut self) {
        self.state = State::CellStart;
        self.cells.clear();
        self.has_blanks = false;
        self.count = 0;
        self.breaks = 0;
        self.first_break = None;
        self.flaw = None;
    }

    /// Runs to the end of the row, or of the text (`None`).
    fn run(&mut self, text: &[u8]) -> Option<Scan> {
        while let Some(&byte) = text.get(self.at) {
            let found = match self.state {
                State::CellStart => self.open(byte),
                State::Blank => self.after_blank(byte),
                State::Plain => self.in_plain(text),
                State::Quoted => self.in_quotes(text),
                State::Quote => self.after_quote(byte),
                State::Closed => self.after_cell(byte, text),
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn open(&mut self, byte: u8) -> Option<Scan> {
        self.cell.0 = self.at;
        self.quoting = Quoting::Plain;
        self.blank = None;
        match byte {
            b'"' => self.open_quote(),
            b' ' if self.delimiter != b' ' => self.state = State::Blank,
            _ => self.state = State::Plain,
        }
        None
    }

    fn open_quote(&mut self) {
        self.at += 1;
        self.cell.0 = self.at;
        self.state = State::Quoted;
        self.quoting = Quoting::Quoted;
        self.first_break = None;
    }

    fn after_blank(&mut self, byte: u8) -> Option<Scan> {
        match byte {
            b' ' => self.at += 1,
            b'"' => {
                self.blank = Some(self.cell.0);
                self.open_quote();
            }
            _ => self.state = State::Plain,
        }
        None
    }

    /// Up to the end of the cell.
    fn in_plain(&mut self, text: &[u8]) -> Option<Scan> {
        let ends = |it: &u8| *it == self.delimiter || *it == b'\n' || *it == b'\r';
        let Some(len) = text[self.at..].iter().position(ends) else {
            self.at = text.len();
            return None;
        };
        self.at += len;
        self.cell.1 = self.at;
        self.close(text[self.at])
    }

    /// Up to the next quote, line breaks counted.
    fn in_quotes(&mut self, text: &[u8]) -> Option<Scan> {
        while self.at < text.len() {
            let byte = text[self.at];
            self.at += 1;
            match byte {
                b'"' => {
                    self.cell.1 = self.at - 1;
                    self.state = State::Quote;
                    break;
                }
                b'\n' if text[self.at - 2] == b'\r' => {}
                b'\n' | b'\r' => {
                    self.breaks += 1;
                    self.first_break.get_or_insert((self.at, self.breaks));
                }
                _ => {}
            }
        }
        None
    }

    /// A second quote stands for one in the text; anything else shows that the first closed.
    fn after_quote(&mut self, byte: u8) -> Option<Scan> {
        if byte == b'"' {
            self.quoting = Quoting::Doubled;
            self.state = State::Quoted;
            self.at += 1;
        } else {
            self.state = State::Closed;
        }
        None
    }

    /// Between the closing quote and the delimiter, where nothing but spaces may be.
    fn after_cell(&mut self, byte: u8, text: &[u8]) -> Option<Scan> {
        if byte == self.delimiter || byte == b'\n' || byte == b'\r' {
            return self.close(byte);
        }
        if byte != b' ' && self.is_plain_after_all(text) {
            return None;
        }
        self.at += 1;
        if byte == b' ' {
            return None;
        }
        self.flaw = Some(Flaw::Stray);
        // If the cell took in whole lines before, then its opening quote is the mistake.
        self.after_first_break(Flaw::Stray)
    }

    /// ` "Bob" Smith` is a name with quotes in it, and no quoted cell after a space.
    fn is_plain_after_all(&mut self, text: &[u8]) -> bool {
        let Some(start) = self.blank else {
            return false;
        };
        let ends = |it: &u8| *it == self.delimiter || *it == b'\n' || *it == b'\r';
        if text[start..self.at].iter().any(ends) {
            return false;
        }
        self.blank = None;
        self.cell.0 = start;
        self.quoting = Quoting::Plain;
        self.state = State::Plain;
        true
    }

    /// Ends the cell at a delimiter, and the row (`Some`) at a line break.
    fn close(&mut self, byte: u8) -> Option<Scan> {
        self.push_cell();
        self.at += 1;
        if byte == self.delimiter {
            self.state = State::CellStart;
            return None;
        }
        Some(self.row(self.at - 1, self.breaks + 1))
    }

    fn push_cell(&mut self) {
        self.count += 1;
        self.has_blanks |= self.blank.is_some();
        if self.cells.len() < MAX_COLUMNS {
            let (start, end) = self.cell;
            self.cells.push(Span {
                start: start as u32,
                end: end as u32,
                quoting: self.quoting,
            });
        }
    }

    fn row(&self, end: usize, lines: u64) -> Scan {
        let next = self.at;
        match self.flaw {
            Some(flaw) => Scan::Broken { flaw, next, lines },
            None => Scan::Row { end, next, lines },
        }
    }

    /// Gives up the lines up to the one on which the current cell opened.
    fn after_first_break(&self, flaw: Flaw) -> Option<Scan> {
        let (next, lines) = self.first_break?;
        Some(Scan::Broken { flaw, next, lines })
    }

    fn over_limit(&self) -> Scan {
        let open = matches!(self.state, State::Quoted | State::Quote);
        let broken = if open {
            self.after_first_break(Flaw::Unclosed)
        } else {
            None
        };
        broken.unwrap_or(Scan::TooLong {
            next: self.at,
            lines: self.breaks,
        })
    }

    fn end_of_file(&mut self) -> Scan {
        match self.state {
            State::Quoted => {
                let whole = Scan::Broken {
                    flaw: Flaw::Unclosed,
                    next: self.at,
                    lines: self.breaks,
                };
                return self.after_first_break(Flaw::Unclosed).unwrap_or(whole);
            }
            State::CellStart => {
                self.cell = (self.at, self.at);
                self.quoting = Quoting::Plain;
            }
            State::Blank | State::Plain => self.cell.1 = self.at,
            State::Quote | State::Closed => {}
        }
        self.push_cell();
        self.row(self.at, self.breaks)
    }
}
