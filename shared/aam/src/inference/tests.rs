use proptest::prelude::*;

use super::*;
use crate::fingerprint::structure_hash;
use crate::testing::{parse, show};

/// One observation of the records, each as often as it takes to be sure.
fn observe(coverage: FieldCoverage, records: &[&str], times: u64) -> SchemaInference {
    let mut observation = SchemaInference::new(coverage);
    for _ in 0..times {
        for record in records {
            observation.observe_json(record.as_bytes()).unwrap();
        }
    }
    observation
}

fn check_schema(records: &[&str], expected: &str) {
    let schema = observe(FieldCoverage::Partial, records, MIN_EVIDENCE).schema();
    assert_eq!(show(&schema), expected, "{records:?}");
}

#[test]
fn records_show_paths_and_types() {
    check_schema(
        &[r#"{"a":1,"b":"x","c":true,"d":1.5,"e":{"f":"2024-01-01"}}"#],
        "a:integer b:text c:boolean d:decimal e:object e.f:text",
    );
    check_schema(
        &[r#"{"a.b":1,"c":{"d.e":-2}}"#],
        r"a\.b:integer c:object c.d\.e:integer",
    );
    check_schema(&["{\"a\\u002eb\": 1 }"], r"a\.b:integer");
    check_schema(&[r#"{"a":[]}"#], "a:array");
    check_schema(
        &[r#"{"a":[{"b":1},{"b":2}],"c":["x"],"d":[[1]]}"#],
        "a:array a[]:object a[].b:integer c:array c[]:text d:array d[]:array d[][]:integer",
    );
    check_schema(&[r#"{"a":1}"#, r#"{"a":0.5}"#], "a:decimal");
    check_schema(&[r#"{"a":1}"#, r#"{"a":"1"}"#], "a:integer|text");
    check_schema(&["{}"], "");
}

#[test]
fn what_can_be_missing_is_nullable() {
    check_schema(&[r#"{"a":1}"#, r#"{"a":null}"#], "a:integer?");
    check_schema(&[r#"{"a":1}"#, "{}"], "a:integer?");
    check_schema(&[r#"{"a":null}"#], "a:?");
    // Without the object around it nothing is missing from it.
    check_schema(
        &[r#"{"a":{"b":1}}"#, r#"{"a":null}"#],
        "a:object? a.b:integer",
    );
    check_schema(
        &[r#"{"a":[{"b":1},{}]}"#],
        "a:array a[]:object a[].b:integer?",
    );
    check_schema(&[r#"{"a":[1,null]}"#], "a:array a[]:integer?");
}

#[test]
fn few_records_do_not_prove_that_a_field_is_always_there() {
    let few = observe(FieldCoverage::Partial, &[r#"{"a":1}"#], MIN_EVIDENCE - 1);
    assert_eq!(show(&few.schema()), "a:integer?");
}

#[test]
fn depth_and_width_are_bounded() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(12), "}".repeat(12));
    let schema = observe(FieldCoverage::Partial, &[&deep], 1).schema();
    assert_eq!(schema.fields.len(), usize::from(MAX_DEPTH));

    let keys: Vec<String> = (0..MAX_PATHS + 7)
        .map(|it| format!(r#""k{it}":{{"x":1}}"#))
        .collect();
    let wide = format!("{{{}}}", keys.join(","));
    let observation = observe(FieldCoverage::Complete, &[&wide], 1);
    assert_eq!(observation.schema().fields.len(), MAX_PATHS);
    assert!(0 < observation.overflow());
    assert!(!observation.is_complete());
    let known = parse("z:text");
    assert_eq!(
        evolve(&known, &observation).fields.get("z"),
        known.fields.get("z")
    );
}

#[test]
fn only_objects_are_records() {
    for text in ["[]", "1", "null", r#""a""#, "{} {}", r#"{"a":"#, ""] {
        let mut observation = SchemaInference::new(FieldCoverage::Partial);
        assert!(observation.observe_json(text.as_bytes()).is_err(), "{text}");
    }
}

fn check(coverage: FieldCoverage, snapshot: &str, records: &[&str], times: u64, expected: &str) {
    let observation = observe(coverage, records, times);
    let now = evolve(&parse(snapshot), &observation);
    assert_eq!(
        show(&now),
        expected,
        "{snapshot} and {times} times {records:?}"
    );
    assert_eq!(
        evolve(&now, &observation),
        now,
        "{snapshot} and {times} times {records:?}"
    );
}

#[test]
fn a_stream_widens_what_is_known() {
    let check = |snapshot, record, expected| {
        check(FieldCoverage::Partial, snapshot, &[record], 1, expected);
    };
    check("a:integer", r#"{"a":2}"#, "a:integer");
    check("a:integer", r#"{"a":0.5}"#, "a:decimal");
    check("a:decimal", r#"{"a":2}"#, "a:decimal");
    check("a:integer", r#"{"a":"2"}"#, "a:integer|text");
    check("a:date", r#"{"a":"2024-01-01"}"#, "a:date|text");
    check("a:integer", r#"{"a":null}"#, "a:integer?");
    check("a:integer", r#"{"a":1,"b":"x"}"#, "a:integer b:text?");
    check("a:integer", "{}", "a:integer");
}

#[test]
fn a_field_leaves_a_stream_when_enough_records_lack_it() {
    let check = |snapshot, records: &[&str], times, expected| {
        check(FieldCoverage::Partial, snapshot, records, times, expected);
    };
    check("a:text b:text", &[r#"{"b":"x"}"#], MIN_EVIDENCE, "b:text");
    check(
        "a:text b:text",
        &[r#"{"b":"x"}"#],
        MIN_EVIDENCE - 1,
        "a:text b:text",
    );
    check(
        "a:text? b:text",
        &[r#"{"b":"x"}"#],
        MIN_EVIDENCE,
        "a:text? b:text",
    );
    check("a:text", &["{}", r#"{"a":"x"}"#], MIN_EVIDENCE, "a:text?");
    check(
        "a:text b:text",
        &[r#"{"a":null,"b":"x"}"#],
        MIN_EVIDENCE,
        "a:text? b:text",
    );
    check(
        "a:object a.b:text a.c:text?",
        &[r#"{"x":1}"#],
        MIN_EVIDENCE,
        "x:integer",
    );
    check(
        "a:object? a.b:text",
        &[r#"{"a":null}"#],
        MIN_EVIDENCE,
        "a:object? a.b:text",
    );
    check(
        "a:object a.b:text",
        &[r#"{"a":{"c":1}}"#],
        MIN_EVIDENCE,
        "a:object a.c:integer",
    );
    check(
        "a:array a[]:object a[].b:text",
        &[r#"{"a":[]}"#],
        MIN_EVIDENCE,
        "a:array a[]:object a[].b:text",
    );
}

#[test]
fn a_field_leaves_a_complete_source_at_once() {
    let check = |snapshot, record, expected| {
        check(FieldCoverage::Complete, snapshot, &[record], 1, expected);
    };
    check("a:text b:text?", r#"{"c":1}"#, "c:integer?");
    check("a:object? a.b:text", r#"{"a":null}"#, "a:object? a.b:text");
    check(
        "a:object? a.b:text?",
        r#"{"a":{"c":1}}"#,
        "a:object? a.c:integer?",
    );
}

#[test]
fn a_file_is_its_header() {
    let check = |snapshot, columns: &str, expected: &str| {
        let profile = parse(columns);
        let columns: Vec<Column<'_>> = profile
            .fields
            .iter()
            .map(|(name, it)| Column {
                name,
                types: it.types,
                present: if it.nullable { 1 } else { 2 },
            })
            .collect();
        let mut observation = SchemaInference::new(FieldCoverage::Header);
        observation.observe_columns(&columns, 2);
        let now = evolve(&parse(snapshot), &observation);
        assert_eq!(show(&now), expected, "{snapshot} and {profile:?}");
        assert_eq!(
            evolve(&now, &observation),
            now,
            "{snapshot} and {profile:?}"
        );
    };
    check("a:text b:text?", "a:text", "a:text");
    check("a:text", "a:integer", "a:text");
    check("a:integer", "a:text", "a:text");
    check("a:integer", "a:decimal", "a:decimal");
    check("a:date", "a:boolean", "a:text");
    check("a:date", "a:date?", "a:date?");
    check("a:date", "", "a:date");
    check("", "a:integer|boolean", "a:text?");
}

#[test]
fn an_empty_file_keeps_its_columns() {
    let mut observation = SchemaInference::new(FieldCoverage::Header);
    observation.observe_columns(
        &[Column {
            name: "a",
            types: SourceTypes::NONE,
            present: 0,
        }],
        0,
    );
    assert_eq!(
        show(&evolve(&parse("a:date b:text"), &observation)),
        "a:date"
    );
}

#[test]
fn a_stored_observation_is_checked() {
    let stored = |fields: &str| {
        let json = format!(r#"{{"coverage":"partial","overflow":0,"fields":[{fields}]}}"#);
        serde_json::from_str::<SchemaInference>(&json)
            .map(drop)
            .map_err(|it| it.to_string())
    };
    let root = r#"{"parent":0,"key":"","types":[],"present":0,"nulls":0,"objects":1}"#;
    let lost = r#"{"parent":9,"key":"a","types":[],"present":0,"nulls":0,"objects":1}"#;
    assert_eq!(stored(root), Ok(()));
    let err = stored(&format!("{root},{lost}")).unwrap_err();
    assert_eq!(err, "a field comes before the one that contains it");
}

#[test]
fn observations_of_different_coverage_are_partial_together() {
    let mut all = observe(FieldCoverage::Complete, &["{}"], 1);
    assert!(all.is_complete());
    all.merge(&observe(FieldCoverage::Header, &["{}"], 1));
    assert!(!all.is_complete());
}

pub(super) fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        Just(0.5.into()),
        "[a-c]".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::hash_map("[a-c.]{1,2}", inner, 0..3)
                .prop_map(|it| it.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn records() -> impl Strategy<Value = Vec<String>> {
    let record = prop::collection::hash_map("[a-c]", values(), 0..4)
        .prop_map(|it| serde_json::json!(it).to_string());
    prop::collection::vec(record, 0..6)
}

fn texts(records: &[String]) -> Vec<&str> {
    records.iter().map(String::as_str).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_records_does_not_matter(records in records(), times in 1..120_u64) {
        let there = observe(FieldCoverage::Partial, &texts(&records), times);
        let back: Vec<&str> = records.iter().rev().map(String::as_str).collect();
        let back = observe(FieldCoverage::Partial, &back, times);
        prop_assert_eq!(structure_hash(&there.schema()), structure_hash(&back.schema()));
    }

    #[test]
    fn merged_parts_are_the_whole(records in records(), cut in 0..6_usize, times in 1..120_u64) {
        let (one, two) = records.split_at(cut.min(records.len()));
        let mut parts = observe(FieldCoverage::Partial, &texts(one), times);
        parts.merge(&observe(FieldCoverage::Partial, &texts(two), times));
        let whole = observe(FieldCoverage::Partial, &texts(&records), times);
        prop_assert_eq!(parts.schema(), whole.schema());
        prop_assert_eq!(parts.records(), whole.records());
    }

    #[test]
    fn a_stored_observation_goes_on_as_before(records in records(), cut in 0..6_usize) {
        let (one, two) = records.split_at(cut.min(records.len()));
        let stored = serde_json::to_string(&observe(FieldCoverage::Partial, &texts(one), MIN_EVIDENCE)).unwrap();
        let mut resumed: SchemaInference = serde_json::from_str(&stored).unwrap();
        resumed.merge(&observe(FieldCoverage::Partial, &texts(two), MIN_EVIDENCE));
        let whole = observe(FieldCoverage::Partial, &texts(&records), MIN_EVIDENCE);
        prop_assert_eq!(resumed.schema(), whole.schema());
    }

    #[test]
    fn nothing_known_and_all_seen_is_the_first_snapshot(records in records()) {
        let seen = observe(FieldCoverage::Partial, &texts(&records), 1);
        prop_assert_eq!(evolve(&SourceSchema::default(), &seen), seen.schema());
    }

    #[test]
    fn absorbing_again_changes_nothing(
        known in records(), new in records(), times in 1..120_u64, which in 0..3_usize,
    ) {
        let coverage = [FieldCoverage::Header, FieldCoverage::Complete, FieldCoverage::Partial][which];
        let snapshot = observe(coverage, &texts(&known), MIN_EVIDENCE).schema();
        let seen = observe(coverage, &texts(&new), times);
        let once = evolve(&snapshot, &seen);
        prop_assert_eq!(evolve(&once, &seen), once);
    }

    #[test]
    fn a_snapshot_absorbs_its_own_records_unchanged(records in records(), times in 1..120_u64) {
        let seen = observe(FieldCoverage::Partial, &texts(&records), times);
        prop_assert_eq!(evolve(&seen.schema(), &seen), seen.schema());
    }
}
