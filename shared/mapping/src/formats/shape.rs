//! The shapes of a column, with what their values have in common.

use super::scan::{MAX_RUNS, Run, Scan, Token};

/// Words of one place that are told apart; months are the most that matter.
const MAX_WORDS: usize = 24;
const MAX_EXAMPLES: usize = 3;
const MAX_MONTH: u64 = 12;

/// All values of one shape.
#[derive(Debug)]
pub(super) struct Shape {
    key: u64,
    pub(super) tokens: Box<[Token]>,
    pub(super) count: u64,
    pub(super) runs: Vec<Runs>,
    /// For each run of letters, the words that were there; none where they are too many.
    pub(super) words: Vec<Option<Vec<String>>>,
    /// Values that are days as `YYYYMMDD`.
    pub(super) compact_days: u64,
    pub(super) examples: Vec<String>,
}

/// What the runs of digits at one place of a shape have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Runs {
    pub(super) least: u64,
    pub(super) most: u64,
    pub(super) shortest: u8,
    pub(super) longest: u8,
    pub(super) leading_zero: bool,
}

impl Runs {
    fn of(run: Run) -> Runs {
        Runs {
            least: run.number,
            most: run.number,
            shortest: run.len,
            longest: run.len,
            leading_zero: run.leading_zero,
        }
    }

    fn add(&mut self, run: Run) {
        self.least = self.least.min(run.number);
        self.most = self.most.max(run.number);
        self.shortest = self.shortest.min(run.len);
        self.longest = self.longest.max(run.len);
        self.leading_zero |= run.leading_zero;
    }

    pub(super) fn is_within(&self, least: u64, most: u64) -> bool {
        least <= self.least && self.most <= most
    }

    pub(super) fn has_len(&self, len: u8) -> bool {
        self.shortest == len && self.longest == len
    }
}

/// The shapes of a column.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    pub(super) shapes: Vec<Shape>,
    last: usize,
}

impl Shapes {
    /// Counts a value; says whether there was room for its shape.
    pub(super) fn add(&mut self, text: &str, scan: &Scan, most: usize) -> bool {
        let is_same = |it: &Shape| it.key == scan.key;
        let index = match self.shapes.get(self.last) {
            Some(shape) if is_same(shape) => Some(self.last),
            _ => self.shapes.iter().position(is_same),
        };
        let index = match index {
            Some(index) => index,
            None if self.shapes.len() >= most => return false,
            None => {
                self.shapes.push(Shape::of(text, scan));
                self.shapes.len() - 1
            }
        };
        self.last = index;
        self.shapes[index].add(text, scan);
        true
    }
}

impl Shape {
    fn of(text: &str, scan: &Scan) -> Shape {
        Shape {
            key: scan.key,
            tokens: scan.tokens().into(),
            count: 0,
            runs: scan.runs().iter().map(|it| Runs::of(*it)).collect(),
            words: scan.words(text).map(|_| Some(Vec::new())).collect(),
            compact_days: 0,
            examples: Vec::new(),
        }
    }

    fn add(&mut self, text: &str, scan: &Scan) {
        self.count += 1;
        let mut tells = false;
        for (runs, run) in self.runs.iter_mut().zip(scan.runs()) {
            tells |= runs.most <= MAX_MONTH && MAX_MONTH < run.number;
            runs.add(*run);
        }
        // Words without digits are counted as a whole elsewhere.
        if !self.runs.is_empty() {
            for (words, word) in self.words.iter_mut().zip(scan.words(text)) {
                remember(words, word);
            }
        }
        if let [run] = scan.runs()
            && run.len == 8
            && is_day(run.number)
        {
            self.compact_days += 1;
        }
        // The first values, and the first that says that a number is no month.
        let is_kept = tells || self.examples.len() < MAX_EXAMPLES;
        if is_kept && !self.examples.iter().any(|it| it == text) {
            self.examples.push(text.to_owned());
        }
    }

    /// The shape as a text, such as `9/9/9`.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.tokens).unwrap_or_default()
    }
}

fn remember(words: &mut Option<Vec<String>>, word: &str) {
    let Some(known) = words else { return };
    if known.iter().any(|it| it == word) {
        return;
    }
    if known.len() >= MAX_WORDS * 2 {
        *words = None;
        return;
    }
    known.push(word.to_owned());
}

/// Whether eight digits are a day of the years 1900 to 2099.
fn is_day(number: u64) -> bool {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    (1900..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

const _: () = assert!(MAX_RUNS >= 7, "a time with a zone has seven numbers");
