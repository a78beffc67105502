use std::collections::BTreeMap;

use proptest::prelude::*;
use schema::source::{SourceType, SourceTypes, child_path};
use serde_json::{Map, Value, json};

use super::*;
use crate::inference::tests::values;

type Types = BTreeMap<String, (SourceTypes, u64)>;

/// What a walk over the parsed record finds: types and how often a value was there.
fn expected(path: &str, value: &Value, out: &mut Types) {
    let of = match value {
        Value::Null => None,
        Value::Bool(_) => Some(SourceType::Boolean),
        Value::Number(it) if it.is_f64() => Some(SourceType::Decimal),
        Value::Number(_) => Some(SourceType::Integer),
        Value::String(_) => Some(SourceType::Text),
        Value::Array(_) => Some(SourceType::Array),
        Value::Object(_) => Some(SourceType::Object),
    };
    let (types, present) = out.entry(path.to_owned()).or_default();
    if let Some(of) = of {
        *types = types.union(SourceTypes::of(of));
        *present += 1;
    }
    match value {
        Value::Array(it) => it
            .iter()
            .for_each(|it| expected(&format!("{path}[]"), it, out)),
        Value::Object(it) => fields(path, it, out),
        _ => {}
    }
}

fn fields(path: &str, object: &Map<String, Value>, out: &mut Types) {
    for (key, value) in object.iter().filter(|it| !it.0.is_empty()) {
        expected(&child_path(path, key), value, out);
    }
}

fn found(tree: &Tree) -> Types {
    tree.fields()
        .map(|it| (it.path.to_owned(), (it.types, it.present)))
        .collect()
}

fn check(text: &str) {
    let mut tree = Tree::new();
    let mut types = Types::new();
    // The second time all guesses are known.
    for _ in 0..2 {
        assert!(record(&mut tree, text.as_bytes()).is_some(), "{text}");
        fields("", &serde_json::from_str(text).unwrap(), &mut types);
    }
    assert_eq!(found(&tree), types, "{text}");
}

#[test]
fn keys_and_values_are_found_however_they_are_written() {
    check(r#"{}"#);
    check(r#"{"a":"{\"b\":1}","c":"\\","d":"\\\"","e":"","f":"é"}"#);
    check(r#"{"a\"b":1,"c\\":2,"a\\b":3,"\u00e9":4,"":{"a":6}}"#);
    check(r#"{"ab":1,"a":2,"abc":3}"#);
    check(" { \"a\" :\n[ 1 ,\t{ \"b\" : null } , [ ] , { } ] , \"c\" : -1.5E+3 } \r\n");
    check(r#"{"a":1e5,"b":-7,"c":18446744073709551615,"d":true,"e":false,"f":null}"#);
}

#[test]
fn a_key_with_a_backslash_is_not_taken_for_an_escape() {
    let mut tree = Tree::new();
    for text in [r#"{"a\\b":1}"#, r#"{"a\b":"x"}"#] {
        record(&mut tree, text.as_bytes()).unwrap();
    }
    assert_eq!(found(&tree).len(), 2);
}

#[test]
fn a_string_ends_at_its_quote_wherever_that_stands() {
    for length in 0..40 {
        let plain = "x".repeat(length);
        for text in [
            plain.clone(),
            format!("{plain}\""),
            format!("{plain}\\"),
            format!("\"{plain}"),
        ] {
            check(&json!({ "a": text, "b": 1 }).to_string());
        }
    }
}

#[test]
fn broken_text_is_refused() {
    let open = |it: &str| it.repeat(100_000);
    for text in [
        "",
        " ",
        "[]",
        "1",
        "{",
        "}",
        "{]",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1"#,
        r#"{"a":1,}"#,
        r#"{"a":1}}"#,
        r#"{a:1}"#,
        r#"{"a":"x}"#,
        r#"{"a":"x\"#,
        r#"{"a":tru}"#,
        r#"{"a":[1}"#,
        r#"{"a":nul"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a":x}"#,
        r#"{"a":"\""#,
        &open("["),
        &open(r#"{"a":"#),
        &format!(r#"{{"a":{}"#, open("[")),
    ] {
        assert!(
            record(&mut Tree::new(), text.as_bytes()).is_none(),
            "{text:.20}"
        );
    }
}

proptest! {
    #[test]
    fn a_walk_finds_what_a_parser_finds(
        record in prop::collection::hash_map("[ab.\"\\\\é]{0,2}", values(), 0..5), pretty: bool,
    ) {
        let record = json!(record);
        check(&if pretty { format!("{record:#}") } else { record.to_string() });
    }

    #[test]
    fn no_text_breaks_the_walk(
        record in prop::collection::hash_map("[ab\"]{0,2}", values(), 0..5),
        cut in any::<prop::sample::Index>(), byte in prop::sample::select(b"\"\\{}[],:tn1 \xff".to_vec()),
    ) {
        let mut text = json!(record).to_string().into_bytes();
        let at = cut.index(text.len());
        let mut tree = Tree::new();
        super::record(&mut tree, &text[..at]);
        text[at] = byte;
        super::record(&mut tree, &text);
        super::record(&mut tree, &text);
    }
}
