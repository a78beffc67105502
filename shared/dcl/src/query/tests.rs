use proptest::prelude::*;

use schema::entity::Entities;

use super::*;

fn parse(parameters: &str) -> Result<Query> {
    let view = View::get(&Entities::canonical(), "opportunities").expect("it is declared");
    Query::parse(&view, &decode(parameters)?)
}

#[track_caller]
fn refused(parameters: &str, expected: &[&str]) {
    let errors = match parse(parameters) {
        Err(Error::Invalid(errors)) => errors,
        other => panic!("{parameters}: {other:?}"),
    };
    let errors: Vec<_> = errors
        .iter()
        .map(|it| format!("{}: {}", it.pointer, it.detail))
        .collect();
    assert_eq!(errors, expected, "{parameters}");
}

#[test]
fn nothing_asked_is_the_first_hundred_in_the_order_of_the_key() {
    let query = parse("").unwrap();
    let order: Vec<_> = query
        .order
        .iter()
        .map(|it| it.column.name.to_string())
        .collect();
    assert_eq!(
        order,
        ["source_connection_id", "source_object", "source_id"]
    );
    assert_eq!((query.limit, query.offset, query.cursor), (100, 0, None));
    assert_eq!(query.columns.len(), 11 + 6);
}

#[test]
fn every_wrong_parameter_is_named_at_once() {
    refused(
        "limit=0&amount[gt]=x&sort=no&name=a",
        &[
            "?amount[gt]: not a decimal number of at most 38 digits",
            "?limit: not a whole number from 1 to 1000",
            "?sort: `no` is not a field to sort by",
        ],
    );
    refused(
        "name[is]=a",
        &["?name[is]: no such operator: eq, ne, gt, gte, lt, lte, like, ilike, in, null, contains"],
    );
    refused(
        "naem=a",
        &[
            "?naem: no such parameter: known are limit, offset, cursor, sort, select, \
             opportunity_id, account_id, name, stage, amount, currency, close_date, owner_id, \
             probability, created_at, updated_at, source_system, source_connection_id, \
             source_object, source_id, synced_at; a field may bear an operator, as in \
             `field[gte]`",
        ],
    );
    refused("name=%ff", &["?name: not UTF-8"]);
}

#[test]
fn the_same_filters_have_the_same_text_in_any_sequence() {
    let text = |parameters| parse(parameters).unwrap().order_text;
    let one = text("name=a%26b&stage=won&limit=5");
    assert_eq!(one, text("stage=won&name=a%26b&select=name"));
    assert_ne!(one, text("name=a&stage=won"));
    assert_ne!(one, text("name=a%26b&stage=won&sort=name"));
}

#[test]
fn a_value_is_what_its_column_can_hold() {
    let cases: [(&str, &[&str], &[&str]); 6] = [
        (
            "amount",
            &["1", "-1.50", "+0.1"],
            &["", ".", "1.", ".5", "1e3", "0x1", "١"],
        ),
        (
            "close_date",
            &["2026-01-31", "9999-12-31T23:59:59Z"],
            &["2026-02-30", "now", "0000-12-31"],
        ),
        (
            "source_connection_id",
            &["00000000-0000-0000-0000-000000000001"],
            &["", "1"],
        ),
        ("name[null]", &["true", "false"], &["", "1", "True"]),
        ("name[like]", &["%", r"a\\", r"\%"], &[r"a\", r"\\\"]),
        ("name", &["", "'; --", "\u{1F600}"], &["\0"]),
    ];
    let view = View::get(&Entities::canonical(), "opportunities").unwrap();
    for (name, good, bad) in cases {
        let ask = |text: &str| Query::parse(&view, &[(name.to_owned(), text.to_owned())]);
        good.iter()
            .for_each(|it| assert!(ask(it).is_ok(), "{name}={it}"));
        bad.iter()
            .for_each(|it| assert!(ask(it).is_err(), "{name}={it}"));
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(name in ".{0,12}", value in ".*", query in ".*") {
        let view = View::get(&Entities::canonical(), "accounts").unwrap();
        let _ = Query::parse(&view, &[(name, value)]);
        let _ = decode(&query);
    }

    #[test]
    fn what_is_escaped_is_read_back(text in ".*") {
        let escaped: String = text.bytes().map(|it| format!("%{it:02X}")).collect();
        let read = decode(&format!("a={escaped}")).unwrap();
        prop_assert_eq!(read, [("a".to_owned(), text)]);
    }
}
