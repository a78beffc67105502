//! What the tests of the reader share, and the tests of more than one module.

mod broken;
mod encodings;
mod guesses;
mod reading;
mod round_trip;
mod spreadsheets;

use crate::delimited::{Error, Item, Options, Reader};

/// Reads `bytes` in chunks of `size` into lines: JSON of a row, `line: reason` of a rejection.
fn read(options: Options, bytes: &[u8], size: usize) -> Result<Vec<String>, Error> {
    let mut reader = Reader::new(options);
    let mut seen = Vec::new();
    for chunk in bytes.chunks(size) {
        reader.push(chunk);
        drain(&mut reader, &mut seen)?;
    }
    reader.finish();
    drain(&mut reader, &mut seen)?;
    Ok(seen)
}

fn drain(reader: &mut Reader, seen: &mut Vec<String>) -> Result<(), Error> {
    while let Some(item) = reader.next()? {
        seen.push(match item {
            Item::Row(row) => {
                let mut json = Vec::new();
                row.write_json(&mut json);
                String::from_utf8(json).unwrap()
            }
            Item::Rejected(it) => format!("{}: {} | {}", it.line, it.reason, it.raw),
        });
    }
    Ok(())
}

/// Reads `bytes` whole and byte by byte: the cuts must not matter.
fn check_with(options: Options, bytes: &[u8], expected: &[&str]) {
    let text = String::from_utf8_lossy(bytes);
    for size in [bytes.len().max(1), 1, 3] {
        assert_eq!(
            read(options, bytes, size).unwrap(),
            expected,
            "{text:?} in {size}s"
        );
    }
}

fn check(text: &str, expected: &[&str]) {
    check_with(Options::default(), text.as_bytes(), expected);
}

fn check_error(text: &str, expected: &str) {
    let error = read(Options::default(), text.as_bytes(), text.len()).unwrap_err();
    assert_eq!(error.to_string(), expected, "{text:?}");
}
