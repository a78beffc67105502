//! Which delimiter a file has.

use crate::delimited::scan::{Scan, Scanner};

/// In the order in which they win a tie.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The delimiter that a first line like Excel's `sep=;` names, and the length of that line. It may
/// be quoted, and what saves the file again may put delimiters behind it.
pub(super) fn named(text: &[u8]) -> Option<(u8, usize)> {
    let end = text.iter().position(|it| matches!(it, b'\n' | b'\r'));
    let line = &text[..end.unwrap_or(text.len())];
    let quoted = line.strip_prefix(b"\"");
    let (name, rest) = quoted.unwrap_or(line).split_at_checked(4)?;
    let (delimiter, rest) = match rest {
        [b'\\', b't', rest @ ..] => (b'\t', rest),
        [delimiter, rest @ ..] => (*delimiter, rest),
        [] => return None,
    };
    let rest = match quoted {
        Some(_) => rest.strip_prefix(b"\"")?,
        None => rest,
    };
    let can_be = delimiter == b'\t' || delimiter == b' ' || delimiter.is_ascii_punctuation();
    let is_one = name.eq_ignore_ascii_case(b"sep=")
        && can_be
        && delimiter != b'"'
        && rest.iter().all(|it| *it == delimiter || *it == b' ');
    let line_break = match &text[line.len()..] {
        [b'\r', b'\n', ..] => 2,
        rest => rest.len().min(1),
    };
    is_one.then_some((delimiter, line.len() + line_break))
}

/// The delimiter that cuts most rows of `sample` into as many cells as the first, quotes respected.
///
/// Of equals the one with more columns wins; a file in which none occurs has one column.
/// `whole` says that nothing follows, so that the last row counts too.
pub(super) fn detect(sample: &[u8], whole: bool) -> u8 {
    let mut best = (0, 0, b',');
    for delimiter in DELIMITERS {
        let counts = cell_counts(sample, whole, delimiter);
        let Some(&columns) = counts.first().filter(|it| **it > 1) else {
            continue;
        };
        let same = counts.iter().filter(|it| **it == columns).count();
        let share = same * 1000 / counts.len();
        if (share, columns) > (best.0, best.1) {
            best = (share, columns, delimiter);
        }
    }
    best.2
}

fn cell_counts(sample: &[u8], whole: bool, delimiter: u8) -> Vec<usize> {
    let mut scanner = Scanner::new(delimiter, sample.len());
    let mut counts = Vec::new();
    let mut rest = sample;
    while !rest.is_empty() {
        let next = match scanner.scan(rest, whole) {
            Scan::Row { end, next, .. } => {
                if end > 0 {
                    counts.push(scanner.count());
                }
                next
            }
            Scan::Broken { next, .. } => next,
            Scan::More | Scan::TooLong { .. } => break,
        };
        rest = &rest[next..];
    }
    // A single row longer than the sample is all there is to see.
    if counts.is_empty() {
        counts.push(scanner.count());
    }
    counts
}
