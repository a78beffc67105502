use super::{check, check_with, drain, read};
use crate::delimited::{Item, Options, Reader};

const UNCLOSED: &str = "a quoted cell never closes; write a quote inside it twice";
const STRAY: &str = "text follows a closing quote; write a quote inside a cell twice";

fn short(max_row: usize) -> Options {
    Options {
        max_row,
        ..Options::default()
    }
}

#[test]
fn a_row_of_another_width_is_rejected() {
    check(
        "a,b\n1\n1,2\n1,2,3\n",
        &[
            "2: row has 1 cell where the header has 2 | 1",
            r#"{"a":"1","b":"2"}"#,
            "4: row has 3 cells where the header has 2 | 1,2,3",
        ],
    );
    let wide = format!("a,b\n{}\n", ",".repeat(50_000));
    let seen = read(Options::default(), wide.as_bytes(), 4096).unwrap();
    assert!(seen[0].starts_with("2: row has 50001 cells where the header has 2"));
}

#[test]
fn an_unclosed_quote_costs_one_line() {
    let row = r#"{"a":"2","b":"x"}"#;
    check(
        "a,b\n1,\"x\n2,x\n",
        &[&format!("2: {UNCLOSED} | 1,\"x"), row],
    );
    check(
        "a,b\r\n1,\"x\r\n2,x\r\n",
        &[&format!("2: {UNCLOSED} | 1,\"x"), row],
    );
    check("a,b\n2,x\n1,\"x", &[row, &format!("3: {UNCLOSED} | 1,\"x")]);
    check(
        "a,b\n\"1\n1\",\"x\n2,x\n",
        &[&format!("2: {UNCLOSED} | \"1\n1\",\"x"), row],
    );
}

#[test]
fn an_unclosed_quote_that_the_next_row_closes_costs_one_line() {
    check(
        "a,b\n1,\"x\n2,\"y\"\n3,z\n",
        &[
            &format!("2: {STRAY} | 1,\"x"),
            r#"{"a":"2","b":"y"}"#,
            r#"{"a":"3","b":"z"}"#,
        ],
    );
}

#[test]
fn text_after_a_closing_quote_is_rejected() {
    check(
        "a,b\n1,\"say \"hi\" now\"\n2,x\n",
        &[
            &format!("2: {STRAY} | 1,\"say \"hi\" now\""),
            r#"{"a":"2","b":"x"}"#,
        ],
    );
}

#[test]
fn an_unclosed_quote_is_given_up_at_the_row_limit() {
    let rows = "2,x\n".repeat(20);
    let text = format!("a,b\n1,\"x\n{rows}");
    let seen = read(short(32), text.as_bytes(), 5).unwrap();
    assert_eq!(seen[0], format!("2: {UNCLOSED} | 1,\"x"));
    assert_eq!(seen[1..], vec![r#"{"a":"2","b":"x"}"#; 20]);
}

#[test]
fn a_row_beyond_the_limit_is_dropped_to_its_end() {
    let reason = "2: row is longer than 8 bytes | 1,2345678";
    let rest = r#"{"a":"2","b":"x"}"#;
    for line_break in ["\n", "\r\n", "\r"] {
        let text = "a,b\n1,23456789012\n2,x\n".replace('\n', line_break);
        check_with(short(8), text.as_bytes(), &[reason, rest]);
    }
    check_with(
        short(8),
        b"a,b\n1,234567\n2,x",
        &[r#"{"a":"1","b":"234567"}"#, rest],
    );
    check_with(short(8), b"a,b\n1,2345678", &[reason]);
    check_with(
        short(8),
        b"a,b\n1,\"234567890\n2,x",
        &["2: row is longer than 8 bytes | 1,\"234567", rest],
    );
}

#[test]
fn the_raw_text_of_a_rejection_is_cut() {
    let text = format!("a,b\n{}\n", "é".repeat(100_000));
    let mut reader = Reader::new(Options::default());
    reader.push(text.as_bytes());
    reader.finish();
    let Some(Item::Rejected(rejected)) = reader.next().unwrap() else {
        panic!("a row of one cell was taken");
    };
    assert_eq!(rejected.raw, "é".repeat(32 << 10));
}

/// 32 MB of rows, of a line that never ends, and of a quote that never closes.
#[test]
fn memory_stays_bounded() {
    const CHUNK: usize = 64 << 10;
    let max_row = Options::default().max_row;
    for (chunk, bound) in [
        ("1,\"two\"\n".repeat(CHUNK / 8), 3 * CHUNK),
        ("x".repeat(CHUNK), max_row + 2 * CHUNK),
        (
            format!("1,\"{}\n", "\n\"\"".repeat(CHUNK / 3)),
            max_row + 2 * CHUNK,
        ),
    ] {
        let mut reader = Reader::new(Options::default());
        reader.push(b"a,b\n");
        let (mut held, mut pushed) = (0, 0);
        while pushed < 32_000_000 {
            reader.push(chunk.as_bytes());
            pushed += chunk.len();
            held = held.max(reader.buffered());
            while reader.next().unwrap().is_some() {}
        }
        reader.finish();
        drain(&mut reader, &mut Vec::new()).unwrap();
        assert!(
            held <= bound,
            "{held} bytes held of {pushed}, {bound} allowed"
        );
        assert!(reader.next().unwrap().is_none());
    }
}
