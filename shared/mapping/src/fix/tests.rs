use schema::entity;
use serde_json::json;

use super::*;
use crate::Plan;

/// What is proposed for these records of an account, all of which the mapping rejects alike.
#[track_caller]
fn check(mapping: Value, payloads: &[Value], expected: Value) {
    check_beside(mapping, &[], payloads, expected);
}

/// The same where these are stored.
#[track_caller]
fn check_beside(mapping: Value, stored: &[Value], payloads: &[Value], expected: Value) {
    let stored: Vec<_> = stored.iter().map(Value::to_string).collect();
    let mapping: Mapping = serde_json::from_value(mapping).unwrap();
    let plan = Plan::compile(&mapping).unwrap();
    let payloads: Vec<_> = payloads.iter().map(Value::to_string).collect();
    let rejects = payloads.iter().map(|it| plan.canonicalise(it).unwrap_err());
    let rejects: Vec<_> = rejects.collect();
    let account = entity::find("account").unwrap();
    let misfits = Misfits {
        field: account.field(rejects[0].field.as_ref().unwrap()).unwrap(),
        reasons: rejects.iter().map(|it| it.reason.as_str()).collect(),
        payloads: payloads.iter().map(String::as_str).collect(),
    };
    let present = Present {
        entities: &Entities::canonical(),
        mapping: &mapping,
        stored: &stored,
    };
    let found = propose(account, present, &misfits);
    assert_eq!(serde_json::to_value(found).unwrap(), expected);
}

fn mapping(target: &str, transforms: Value) -> Value {
    let mut fields = vec![
        json!({ "target": "account_id", "sources": ["account_id"] }),
        json!({ "target": "name", "sources": ["name"] }),
    ];
    if !["account_id", "name"].contains(&target) {
        fields.push(json!({ "target": target, "sources": ["x"], "transforms": transforms }));
    }
    json!({ "entity": "account", "fields": fields })
}

#[test]
fn a_missing_key_may_be_a_field_that_is_unique_or_the_content() {
    let by_content = json!({ "kind": "key_by_content", "entry": {
        "target": "account_id",
        "sources": ["account_id"],
        "transforms": [{ "kind": "content_hash" }],
    } });
    let record = |id: Value, no: u32| json!({ "a.b": no, "Record ID": id, "name": format!("n{no}"), "city": "Bern", "none": null });
    check(
        mapping("account_id", json!([])),
        &[record(json!("7"), 1), record(json!("8"), 2)],
        json!([
            { "kind": "use_key", "candidates": ["Record ID", r"a\.b"], "records": 2 },
            by_content,
        ]),
    );
    let twice = [record(json!("7"), 1), record(json!("7"), 1)];
    check(
        mapping("account_id", json!([])),
        &twice,
        json!([by_content]),
    );
    check(
        mapping("account_id", json!([])),
        &twice[..1],
        json!([by_content]),
    );
}

#[test]
fn what_is_unique_by_chance_is_no_key_and_a_country_no_name() {
    let record = |no: u32, land: &str| {
        json!({ "Turnover": no * 1000, "Cost ($)": format!("{no}.5"),
        "Created": format!("2024-01-0{no}"), "Land": land })
    };
    let records = [record(1, "Deutschland"), record(2, "Frankreich")];
    let by_content = json!([{ "kind": "key_by_content", "entry": {
        "target": "account_id",
        "sources": ["account_id"],
        "transforms": [{ "kind": "content_hash" }],
    } }]);
    check(mapping("account_id", json!([])), &records, by_content);
    let record = |land: &str| json!({ "account_id": "1", "Land": land, "Firma": "x" });
    check(
        mapping("name", json!([])),
        &[record("Deutschland"), record("Frankreich")],
        json!([{ "kind": "use_field", "candidates": ["Firma"], "records": 2 }]),
    );
}

#[test]
fn a_missing_field_may_be_another_that_always_has_a_value() {
    let record = |title: &str| json!({ "account_id": "1", "title": title, "Full name": "x" });
    check(
        mapping("name", json!([])),
        &[record("a"), record("a")],
        json!([{ "kind": "use_field", "candidates": ["Full name", "title"], "records": 2 }]),
    );
    check(
        mapping("name", json!([])),
        &[record("a"), record("")],
        json!([{ "kind": "use_field", "candidates": ["Full name"], "records": 2 }]),
    );
}

#[test]
fn words_that_a_mapping_does_not_list_may_be_added() {
    let words =
        json!([{ "kind": "enum", "values": { "Kunde": "customer" }, "otherwise": "reject" }]);
    let record = |word: &str| json!({ "account_id": "1", "name": "n", "x": word });
    check(
        mapping("type", words),
        &[record("Partner"), record("Lead"), record("Partner")],
        json!([{ "kind": "add_enum_words", "words": ["Lead", "Partner"], "entry": {
            "target": "type", "sources": ["x"], "transforms": [{
                "kind": "enum", "otherwise": "reject",
                "values": { "Kunde": "customer", "Lead": "Lead", "Partner": "Partner" },
            }],
        } }]),
    );
}

#[test]
fn a_word_that_cannot_stand_for_itself_is_named_alone() {
    let words =
        json!([{ "kind": "enum", "values": { "gestern": "2024-01-31" }, "otherwise": "reject" }]);
    let record = json!({ "account_id": "1", "name": "n", "x": "heute" });
    check(
        mapping("updated_at", words),
        &[record],
        json!([{ "kind": "add_enum_words", "words": ["heute"], "entry": null }]),
    );
}

fn record(value: &str) -> Value {
    json!({ "account_id": "1", "name": "n", "x": value })
}

/// The fix that declares these transforms of a time; none where no format is certain.
fn declares(values: &[&str], transforms: Option<Value>) -> Value {
    let entry =
        transforms.map(|it| json!({ "target": "updated_at", "sources": ["x"], "transforms": it }));
    json!([{
        "kind": "declare_format", "expected": "timestamp", "values": values, "entry": entry,
    }])
}

#[test]
fn the_format_of_all_values_is_declared() {
    let dates = |formats: &[&str]| json!([{ "kind": "date", "formats": formats }]);
    check(
        mapping("updated_at", json!([])),
        &[record("31/01/2024"), record("01/02/2024")],
        declares(&["01/02/2024", "31/01/2024"], Some(dates(&["DD/MM/YYYY"]))),
    );
    // Words for no value are no other format.
    check(
        mapping("updated_at", json!([])),
        &[record("31/01/2024"), record("n/a")],
        declares(
            &["31/01/2024", "n/a"],
            Some(json!([
                { "kind": "nulls", "words": ["n/a"] },
                { "kind": "date", "formats": ["DD/MM/YYYY"] },
            ])),
        ),
    );
}

#[test]
fn a_format_is_declared_beside_that_of_stored_records() {
    let dates = |formats: &[&str]| json!([{ "kind": "date", "formats": formats }]);
    let misfits = [record("31/01/2024")];
    check_beside(
        mapping("updated_at", json!([])),
        &[record("2024-02-01")],
        &misfits,
        declares(&["31/01/2024"], Some(dates(&["ISO", "DD/MM/YYYY"]))),
    );
    check_beside(
        mapping("updated_at", dates(&["MMM D, YYYY"])),
        &[record("Feb 1, 2024")],
        &misfits,
        declares(&["31/01/2024"], Some(dates(&["MMM D, YYYY", "DD/MM/YYYY"]))),
    );
}

#[test]
fn no_format_is_named_that_would_be_refused_or_is_a_guess() {
    let dates = json!([{ "kind": "date", "formats": ["DD/MM/YYYY"] }]);
    // It contradicts what is declared.
    check_beside(
        mapping("updated_at", dates),
        &[record("25/03/2024")],
        &[record("03/25/2024")],
        declares(&["03/25/2024"], None),
    );
    // The day or the month may come first.
    check(
        mapping("updated_at", json!([])),
        &[record("01/02/2024")],
        declares(&["01/02/2024"], None),
    );
    check(
        mapping("updated_at", json!([])),
        &[record("soon"), record("later")],
        declares(&["later", "soon"], None),
    );
}

#[test]
fn records_that_collide_are_told_apart_by_a_field_that_is_unique_among_the_stored() {
    let row = |no: u32, id: &str, code: &str| {
        json!({ "account_id": id, "name": "n", "Code": code, "No": no }).to_string()
    };
    let stored = [row(1, "a", "x"), row(2, "b", "y"), row(3, "c", "x")];
    let collided = [row(2, "b", "y"), row(4, "b", "z")];
    let mapping: Mapping = serde_json::from_value(mapping("name", json!([]))).unwrap();
    let present = Present {
        entities: &Entities::canonical(),
        mapping: &mapping,
        stored: &stored,
    };
    let account = entity::find("account").unwrap();
    let collided: Vec<_> = collided.iter().map(String::as_str).collect();
    assert_eq!(
        propose_key(account, present, &collided),
        [Fix::UseKey {
            candidates: vec!["No".to_owned()],
            records: 4
        }]
    );
}
