use super::{check_with, read};
use crate::delimited::{Encoding, Options, Reader};

const ROW: &str = r#"{"naïve":"Zoë","b":"日本"}"#;

fn utf16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

fn check_detected(bytes: &[u8], expected: Encoding) {
    let mut reader = Reader::new(Options::default());
    reader.push(bytes);
    reader.finish();
    reader.next().unwrap();
    assert_eq!(reader.detected().unwrap().encoding, expected);
}

#[test]
fn unicode_is_read_with_and_without_a_mark() {
    let text = "naïve,b\r\nZoë,日本\r\n";
    let marked = format!("\u{FEFF}{text}");
    for (bytes, encoding) in [
        (text.as_bytes().to_vec(), Encoding::UTF_8),
        (marked.as_bytes().to_vec(), Encoding::UTF_8),
        (utf16(text, u16::to_le_bytes), Encoding::UTF_16LE),
        (utf16(&marked, u16::to_le_bytes), Encoding::UTF_16LE),
        (utf16(text, u16::to_be_bytes), Encoding::UTF_16BE),
        (utf16(&marked, u16::to_be_bytes), Encoding::UTF_16BE),
    ] {
        check_detected(&bytes, encoding);
        check_with(Options::default(), &bytes, &[ROW]);
    }
}

#[test]
fn other_bytes_are_windows_1252() {
    let bytes = b"a,b\nZo\xEB,\x80 5 \x96 \xE9";
    check_detected(bytes, Encoding::WINDOWS_1252);
    check_with(Options::default(), bytes, &[r#"{"a":"Zoë","b":"€ 5 – é"}"#]);
}

#[test]
fn a_character_cut_by_the_end_of_the_sample_is_utf8() {
    for shift in 0..3 {
        let name = "x".repeat(shift);
        let bytes = format!("a,b\n{name},{}\n", "日".repeat(30_000));
        check_detected(bytes.as_bytes(), Encoding::UTF_8);
        assert_eq!(
            read(Options::default(), bytes.as_bytes(), 1000)
                .unwrap()
                .len(),
            1
        );
    }
}

#[test]
fn invalid_utf8_costs_one_row() {
    let reason = "3: invalid UTF-8 at byte 16 of the file | caf\u{FFFD},2";
    check_with(
        Options::default(),
        b"a,b\n\xC3\xA9t\xC3\xA9,1\ncaf\xE9,2\nx,3\n",
        &[
            r#"{"a":"été","b":"1"}"#,
            reason.replace("16", "15").as_str(),
            r#"{"a":"x","b":"3"}"#,
        ],
    );
}

#[test]
fn invalid_utf8_behind_the_sample_costs_one_row() {
    let mut bytes = b"\xEF\xBB\xBFa,b\n".to_vec();
    while bytes.len() < 200_000 {
        bytes.extend_from_slice(b"x,1\n");
    }
    let at = bytes.len();
    bytes.extend_from_slice(b"\xFF,2\nx,3\n");
    for size in [bytes.len(), 777] {
        let seen = read(Options::default(), &bytes, size).unwrap();
        let (last, rejected) = (&seen[seen.len() - 1], &seen[seen.len() - 2]);
        assert_eq!(last, r#"{"a":"x","b":"3"}"#);
        assert!(
            rejected.contains(&format!("invalid UTF-8 at byte {at} of the file")),
            "{rejected}"
        );
    }
}

#[test]
fn invalid_utf16_costs_one_row() {
    let mut bytes = utf16("\u{FEFF}a,b\n1,2\n", u16::to_le_bytes);
    bytes.extend_from_slice(&0xD800u16.to_le_bytes());
    bytes.extend(utf16(",3\n4,5\n6,7", u16::to_le_bytes));
    bytes.push(b'x');
    check_with(
        Options::default(),
        &bytes,
        &[
            r#"{"a":"1","b":"2"}"#,
            "3: invalid UTF-16LE | \u{FFFD},3",
            r#"{"a":"4","b":"5"}"#,
            "5: invalid UTF-16LE | 6,7\u{FFFD}",
        ],
    );
}

#[test]
fn the_encoding_can_be_given() {
    let given = |encoding| Options {
        encoding: Some(encoding),
        ..Options::default()
    };
    let text = "a,b\n1,é\n".as_bytes();
    check_with(
        given(Encoding::WINDOWS_1252),
        text,
        &[r#"{"a":"1","b":"Ã©"}"#],
    );
    let marked = [b"\xEF\xBB\xBF", text].concat();
    check_with(given(Encoding::UTF_8), &marked, &[r#"{"a":"1","b":"é"}"#]);
}
