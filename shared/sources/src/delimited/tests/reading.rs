use bytes::Bytes;
use futures_util::stream;

use super::{check, check_error, check_with};
use crate::delimited::{Item, MAX_COLUMNS, Options, Reader, ShortRows, StreamError, StreamReader};

#[test]
fn rows_become_json_objects() {
    check("a,b\n1,2\n", &[r#"{"a":"1","b":"2"}"#]);
    check("a,b\n1,2", &[r#"{"a":"1","b":"2"}"#]);
    check("a,b\n1,", &[r#"{"a":"1","b":null}"#]);
    check("a,b\n,\n", &[r#"{"a":null,"b":null}"#]);
    check("a,b\n\"\", \n", &[r#"{"a":"","b":" "}"#]);
    check("a\n\"\"", &[r#"{"a":""}"#]);
    check("a\n\"\"\"\"", &[r#"{"a":"\""}"#]);
    check(
        "a,b\n\"x\"\"y\"\"\",\"1,2\"\n",
        &[r#"{"a":"x\"y\"","b":"1,2"}"#],
    );
    check("a,b\nx\"y,\"z\"  \n", &[r#"{"a":"x\"y","b":"z"}"#]);
    check(
        "a,b\n\t\\\u{1},é\u{2028}😀\n",
        &["{\"a\":\"\\t\\\\\\u0001\",\"b\":\"é\u{2028}😀\"}"],
    );
    check("a,b\n\0,2\n", &[r#"{"a":"\u0000","b":"2"}"#]);
}

#[test]
fn any_line_break_ends_a_row() {
    let both = &[r#"{"a":"1","b":"2"}"#, r#"{"a":"3","b":"4"}"#];
    for line_break in ["\n", "\r\n", "\r"] {
        check(&"a,b\n1,2\n3,4\n".replace('\n', line_break), both);
        check(&"\n\na,b\n\n1,2\n3,4\n\n\n".replace('\n', line_break), both);
    }
    check(
        "a,b\n1,\"x\r\ny\rz\n\"\r\n",
        &[r#"{"a":"1","b":"x\r\ny\rz\n"}"#],
    );
}

#[test]
fn the_delimiter_is_found() {
    let row = &[r#"{"a":"1","b":"2"}"#];
    check("a;b\n1;2\n", row);
    check("a\tb\n1\t2\n", row);
    check("a|b\n1|2\n", row);
    check(
        "a;b\n1,5;2\n1,6;3\n",
        &[r#"{"a":"1,5","b":"2"}"#, r#"{"a":"1,6","b":"3"}"#],
    );
    check("\"a;x;y\",b\n1,2\n", &[r#"{"a;x;y":"1","b":"2"}"#]);
    check("a|b,c\n1,2\n", &[r#"{"a|b":"1","c":"2"}"#]);
    check("a b\n1;2\n", &[r#"{"a b":"1;2"}"#]);
    let tab = Options {
        delimiter: Some(b'\t'),
        ..Options::default()
    };
    check_with(tab, b"a,b,c\td\n1\t2\n", &[r#"{"a,b,c":"1","d":"2"}"#]);
}

#[test]
fn a_file_without_rows_is_valid() {
    for empty in ["", "\n\r\n\n", "\u{FEFF}"] {
        check(empty, &[]);
        let mut reader = Reader::new(Options::default());
        reader.push(empty.as_bytes());
        reader.finish();
        assert!(reader.next().unwrap().is_none());
        assert!(reader.header().is_none());
    }
    let mut reader = Reader::new(Options::default());
    reader.push(b"a;b");
    assert!(reader.next().unwrap().is_none());
    assert!(reader.detected().is_none());
    reader.finish();
    assert!(reader.next().unwrap().is_none());
    assert_eq!(reader.header().unwrap().names(), ["a", "b"]);
    assert_eq!(reader.detected().unwrap().delimiter, b';');
}

#[test]
fn column_names_are_trimmed_and_made_up() {
    check(
        " a , ,\"b \"\"q\"\"\"\n1,2,3",
        &[r#"{"a":"1","column_2":"2","b \"q\"":"3"}"#],
    );
}

#[test]
fn a_bad_header_is_an_error() {
    check_error(
        "x,y,a,b,c,d, x\n",
        r#"column "x" appears twice (columns 1 and 7); rename one"#,
    );
    check_error(
        "a,,column_2",
        r#"column "column_2" appears twice (columns 2 and 3); rename one"#,
    );
    check_error(
        "\n\na,\"b\n1,2\n",
        "the header on line 3 cannot be read: \
         a quoted cell never closes; write a quote inside it twice",
    );
    let wide = |columns: usize| (0..columns).map(|it| format!("c{it},")).collect::<String>();
    check_error(
        &wide(MAX_COLUMNS),
        "the header has 10001 columns; at most 10000 can be read",
    );
    check(wide(MAX_COLUMNS).trim_end_matches(','), &[]);
}

#[test]
fn an_error_stays() {
    let mut reader = Reader::new(Options::default());
    reader.push(b"a,a\n1,2\n3,4\n");
    reader.finish();
    let first = reader.next().unwrap_err();
    assert_eq!(reader.next().unwrap_err(), first);
}

#[test]
fn short_rows_are_padded_if_asked() {
    let pad = Options {
        short_rows: ShortRows::Pad,
        ..Options::default()
    };
    check_with(
        pad,
        b"a,b,c\n1\n1,2,3,4\n",
        &[
            r#"{"a":"1","b":null,"c":null}"#,
            "3: row has 4 cells where the header has 3 | 1,2,3,4",
        ],
    );
}

#[test]
fn a_row_knows_its_line() {
    let mut reader = Reader::new(Options::default());
    reader.push(b"\xEF\xBB\xBFa,b\r\n\r\n1,\"x\r\n\r\ny\"\r\n2,z\r3,z\n\n4,z");
    reader.finish();
    let mut lines = Vec::new();
    while let Some(Item::Row(row)) = reader.next().unwrap() {
        lines.push(row.line());
    }
    assert_eq!(lines, [3, 6, 7, 9]);
}

#[tokio::test]
async fn a_stream_is_read_to_its_end() {
    let chunks = ["a,b\n1", ",2\n3,4"].map(|it| Ok::<_, std::io::Error>(Bytes::from(it)));
    let mut rows = StreamReader::new(Options::default(), stream::iter(chunks));
    let mut seen = Vec::new();
    while let Some(Item::Row(row)) = rows.next().await.unwrap() {
        seen.push(row.raw().to_owned());
    }
    assert_eq!(seen, ["1,2", "3,4"]);
    assert_eq!(rows.reader().header().unwrap().names(), ["a", "b"]);
    assert!(rows.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_broken_stream_is_an_error() {
    let chunks = [Ok(Bytes::from("a,b\n1,2\n")), Err("cut off")];
    let mut rows = StreamReader::new(Options::default(), stream::iter(chunks));
    assert!(matches!(
        rows.next().await,
        Err(StreamError::Chunk("cut off"))
    ));
}
