//! Files that are no text at all, or text of another kind, whatever their names say.

/// What a file that begins with `sample` is, and how to make a delimited file of it.
pub(super) fn foreign(sample: &[u8]) -> Option<&'static str> {
    binary(sample).or_else(|| markup(sample))
}

fn binary(sample: &[u8]) -> Option<&'static str> {
    const HEADS: [(&[u8], &str); 11] = [
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
            "an Excel workbook (.xls) or another Office document: open it and save the sheet as CSV UTF-8",
        ),
        (
            b"\x1F\x8B",
            "gzip: unpack it and send the CSV (UTF-8) in it",
        ),
        (
            b"\xFD7zXZ\0",
            "xz: unpack it and send the CSV (UTF-8) in it",
        ),
        (
            b"\x28\xB5\x2F\xFD",
            "zstd: unpack it and send the CSV (UTF-8) in it",
        ),
        (
            b"7z\xBC\xAF\x27\x1C",
            "a 7-Zip archive: unpack it and send the CSV (UTF-8) in it",
        ),
        (
            b"Rar!\x1A\x07",
            "a RAR archive: unpack it and send the CSV (UTF-8) in it",
        ),
        (
            b"%PDF-",
            "a PDF: export the table from where it was made as CSV UTF-8",
        ),
        (b"PAR1", "a Parquet file: export it as CSV UTF-8"),
        (
            b"SQLite format 3\0",
            "an SQLite database: export its table as CSV UTF-8",
        ),
        (b"\x89PNG", "an image: export the table as CSV UTF-8"),
        (b"\xFF\xD8\xFF", "an image: export the table as CSV UTF-8"),
    ];
    if let Some((_, what)) = HEADS.iter().find(|it| sample.starts_with(it.0)) {
        return Some(what);
    }
    // A column may be called BZh.
    if sample.starts_with(b"BZh") && sample.get(4..10) == Some(b"1AY&SY") {
        return Some("bzip2: unpack it and send the CSV (UTF-8) in it");
    }
    let zip = [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08"];
    zip.iter()
        .any(|it| sample.starts_with(it))
        .then(|| zipped(sample))
}

/// The names of what is in it, or of the first of that, stand in a ZIP as they are.
fn zipped(sample: &[u8]) -> &'static str {
    let has = |name: &[u8]| sample.windows(name.len()).any(|it| it == name);
    if has(b"xl/") {
        "an Excel workbook (.xlsx): open it and save the sheet as CSV UTF-8"
    } else if has(b"opendocument.spreadsheet") {
        "an OpenDocument spreadsheet (.ods): open it and save the sheet as CSV UTF-8"
    } else if has(b"[Content_Types].xml") {
        "an Office document, perhaps an Excel workbook: open it and save the sheet as CSV UTF-8"
    } else {
        "a ZIP archive: unpack it and send the CSV (UTF-8) in it"
    }
}

fn markup(sample: &[u8]) -> Option<&'static str> {
    let text = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    let text = text.trim_ascii_start();
    let begins = |with: &str| {
        let head = text.get(..with.len());
        head.is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()))
    };
    if ["<!doctype html", "<html", "<table", "<head", "<meta"]
        .into_iter()
        .any(begins)
    {
        return Some("an HTML page: open it and save the table as CSV UTF-8");
    }
    if begins("<?xml") {
        return Some("XML, perhaps an Excel sheet: open it and save the sheet as CSV UTF-8");
    }
    if begins("{\\rtf") {
        return Some("a document (RTF): export the table as CSV UTF-8");
    }
    let json = matches!(text, [b'{' | b'[', rest @ ..]
        if matches!(rest.trim_ascii_start().first(), Some(b'"' | b'{' | b'[' | b'}' | b']')));
    json.then_some("JSON: export the records as CSV UTF-8, or send them as events")
}
