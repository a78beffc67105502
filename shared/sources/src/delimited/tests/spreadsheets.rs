use super::{check, check_error, check_with, read};
use crate::delimited::{Encoding, Item, Options, Reader};

const ROW: &str = r#"{"id":"1","name":"Acme, Inc"}"#;

/// The sentences about a file that is read whole.
fn notes(text: &str) -> Vec<String> {
    let mut reader = Reader::new(Options::default());
    reader.push(text.as_bytes());
    reader.finish();
    while reader.next().unwrap().is_some() {}
    reader.notes()
}

#[test]
fn a_first_line_that_names_the_delimiter_is_obeyed() {
    for text in [
        "sep=;\nid;name\n1;Acme, Inc\n",
        "sep=;\r\nid;name\r\n1;Acme, Inc\r\n",
        "sep=;\rid;name\r1;Acme, Inc\r",
        "\u{FEFF}sep=;\nid;name\n1;Acme, Inc\n",
        "SEP=;\nid;name\n1;Acme, Inc\n",
        "\"sep=;\"\nid;name\n1;Acme, Inc\n",
        "\u{FEFF}\"sep=;\"\r\n\"id\";\"name\"\r\n1;\"Acme, Inc\"\r\n",
        "sep=;;\nid;name\n1;Acme, Inc\n",
        "sep=\t\nid\tname\n1\tAcme, Inc\n",
        "sep=\\t\nid\tname\n1\tAcme, Inc\n",
        "sep=|\nid|name\n1|Acme, Inc\n",
        "sep=^\nid^name\n1^Acme, Inc\n",
        "sep=,\nid,name\n1,\"Acme, Inc\"\n",
    ] {
        check(text, &[ROW]);
    }
    let utf16 = "\u{FEFF}sep=;\r\nid;name\r\n1;Acme, Inc\r\n".encode_utf16();
    let utf16: Vec<u8> = utf16.flat_map(u16::to_le_bytes).collect();
    check_with(Options::default(), &utf16, &[ROW]);
    let given = Options {
        delimiter: Some(b','),
        encoding: Some(Encoding::UTF_8),
        ..Options::default()
    };
    check_with(given, b"sep=;\nid;name\n1;Acme, Inc\n", &[ROW]);
    assert_eq!(
        notes("sep=;\nid;name\n"),
        ["the first line names the delimiter ';'"]
    );
}

#[test]
fn a_first_line_that_names_the_delimiter_is_counted() {
    check(
        "sep=;\nid;name\n1\n",
        &["3: row has 1 cell where the header has 2 | 1"],
    );
    let bytes = [b"sep=;\nid;\xC3\xA9\n\xE9;1\n", "é;1\n".as_bytes()].concat();
    let seen = read(Options::default(), &bytes, 7).unwrap();
    assert!(
        seen[0].starts_with("3: invalid UTF-8 at byte 12 "),
        "{seen:?}"
    );
}

#[test]
fn a_column_may_be_called_like_it() {
    check("sep=x,b\n1,2\n", &[r#"{"sep=x":"1","b":"2"}"#]);
    check("sep=,b\n1,2\n", &[r#"{"sep=":"1","b":"2"}"#]);
    check("sep,b\n1,2\n", &[r#"{"sep":"1","b":"2"}"#]);
}

#[test]
fn a_file_of_another_kind_says_what_it_is() {
    let cases: [(&[u8], &str); 12] = [
        (
            b"PK\x03\x04\x14\0[Content_Types].xml..xl/workbook.xml",
            "Excel workbook (.xlsx)",
        ),
        (
            b"PK\x03\x04\x14\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            ".ods",
        ),
        (b"PK\x03\x04\x14\0accounts.csv", "ZIP archive: unpack it"),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0",
            "Excel workbook (.xls)",
        ),
        (b"\x1F\x8B\x08\0\0\0\0\0", "gzip: unpack it"),
        (b"BZh91AY&SY\x01", "bzip2: unpack it"),
        (b"%PDF-1.7\n%\xE2\xE3", "a PDF: export the table"),
        (b"\xEF\xBB\xBF <!DOCTYPE html><table>", "an HTML page"),
        (
            b"<?xml version=\"1.0\"?><Workbook>",
            "XML, perhaps an Excel sheet",
        ),
        (b"{\\rtf1", "RTF"),
        (b"[\n {\"id\": 1}]", "JSON"),
        (b"PAR1\x15\0", "Parquet"),
    ];
    let named = Options {
        encoding: Encoding::named("latin1"),
        delimiter: Some(b';'),
        ..Options::default()
    };
    for (bytes, expected) in cases {
        for options in [Options::default(), named] {
            let error = read(options, bytes, 3).unwrap_err().to_string();
            assert!(
                error.starts_with("the file is not delimited text, but "),
                "{error}"
            );
            assert!(error.contains(expected), "{error}");
            assert!(error.contains("CSV"), "{error}");
        }
    }
    check(
        "PK,%PDF-,BZh\n1,2,3\n",
        &[r#"{"PK":"1","%PDF-":"2","BZh":"3"}"#],
    );
    check_error(
        "%PDF-1.4",
        "the file is not delimited text, but a PDF: export the table from where it was made as \
         CSV UTF-8",
    );
}

#[test]
fn a_trailing_delimiter_adds_no_column() {
    let row = r#"{"id":"1","name":"Acme"}"#;
    check("id,name\n1,Acme,\n", &[row]);
    check("id,name,\n1,Acme\n", &[row]);
    check("id,name,\n1,Acme,\n", &[row]);
    check("id;name;;\n1;Acme;;\n1;Acme\n", &[row, row]);
    check(
        "id,name\n1,Acme,,,\n1,Acme,\"\"\n1,Acme, \n",
        &[row, row, row],
    );
    check(
        "id,name\n1,Acme,\n1,Ac,me\n1,Ac,,me\n1\n1,\n",
        &[
            row,
            "3: row has 3 cells where the header has 2 | 1,Ac,me",
            "4: row has 4 cells where the header has 2 | 1,Ac,,me",
            "5: row has 1 cell where the header has 2 | 1",
            r#"{"id":"1","name":null}"#,
        ],
    );
    check(
        "id,name,\n1,Acme,x\n1\n",
        &[
            r#"{"id":"1","name":"Acme","column_3":"x"}"#,
            "3: row has 1 cell where the header has 3 | 1",
        ],
    );
    assert_eq!(
        notes("id,name\n1,Acme,\n2,B\n3,C,,\n"),
        ["empty cells behind the last column were left out of 2 rows"]
    );
}

#[test]
fn spaces_before_a_quote_are_no_part_of_the_cell() {
    let row = r#"{"id":"1","name":"Plain"}"#;
    check("id, \"name\"\n1, \"Plain\"\n", &[row]);
    check("id,name\n   \"1\",   \"Plain\"  \n", &[row]);
    check("id;name\n1; \"Plain\"", &[row]);
    check(
        "id,name\n 1, \"Acme, Inc\"\n",
        &[r#"{"id":" 1","name":"Acme, Inc"}"#],
    );
    check(
        "id,name\n1, \"a\"\"b\nc\"\n",
        &[r#"{"id":"1","name":"a\"b\nc"}"#],
    );
    assert_eq!(
        notes("id,name\n1, \"Plain\"\n2,\"Plain\"\n"),
        ["spaces before a quote were left out of 1 row"]
    );
}

#[test]
fn spaces_before_other_text_stay() {
    check(
        "id,name\n1, Plain\n2,  \n3, 5\" pipe\n4, \"Bob\" Smith\n5, \"Bob\" \"Jr\"",
        &[
            r#"{"id":"1","name":" Plain"}"#,
            r#"{"id":"2","name":"  "}"#,
            r#"{"id":"3","name":" 5\" pipe"}"#,
            r#"{"id":"4","name":" \"Bob\" Smith"}"#,
            r#"{"id":"5","name":" \"Bob\" \"Jr\""}"#,
        ],
    );
    assert!(notes("id,name\n4, \"Bob\" Smith\n").is_empty());
    let stray = "text follows a closing quote; write a quote inside a cell twice";
    check(
        "id,name\n1, \"Bob, Jr\" Smith\n2,x\n",
        &[
            &format!("2: {stray} | 1, \"Bob, Jr\" Smith"),
            r#"{"id":"2","name":"x"}"#,
        ],
    );
    let space = Options {
        delimiter: Some(b' '),
        ..Options::default()
    };
    check_with(
        space,
        b"id name\n1 \"Plain\"\n",
        &[r#"{"id":"1","name":"Plain"}"#],
    );
}

#[test]
fn a_row_keeps_its_text() {
    let mut reader = Reader::new(Options::default());
    reader.push(b"id,name\n1, \"Plain\",\n");
    reader.finish();
    let Some(Item::Row(row)) = reader.next().unwrap() else {
        panic!("no row");
    };
    assert_eq!((row.raw(), row.cells().count()), ("1, \"Plain\",", 2));
}
