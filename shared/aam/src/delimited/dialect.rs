//! Which delimiter a file has.

use crate::delimited::scan::{Scan, Scanner};

/// In the order in which they win a tie.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

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
