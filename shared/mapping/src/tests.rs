//! Records through plans, as a caller sees them.

use proptest::prelude::*;
use schema::mapping::Mapping;
use serde_json::{Value, json, value::RawValue};

use super::*;

/// A plan for opportunities: `rows` are added to the required ones.
fn plan(rows: Value) -> Plan {
    let mut fields = vec![
        json!({"target": "opportunity_id", "sources": ["Id"]}),
        json!({"target": "name", "sources": ["Name"]}),
    ];
    fields.extend(rows.as_array().unwrap().iter().cloned());
    compile("opportunity", &fields.into())
}

fn compile(entity: &str, fields: &Value) -> Plan {
    let mapping = json!({"entity": entity, "fields": fields});
    let mapping: Mapping = serde_json::from_value(mapping).unwrap();
    Plan::compile(&mapping).unwrap()
}

/// The cells that have a value, and the extras if there are any.
fn outcome(plan: &Plan, json: &str) -> String {
    let record = match plan.canonicalise(json) {
        Ok(record) => record,
        Err(reject) => return reject.to_string(),
    };
    let fields = record.entity.fields.iter().zip(&record.cells);
    let mut out: Vec<_> = fields
        .filter(|(_, cell)| !cell.is_null())
        .map(|(field, cell)| format!("{}={}", field.name, cell.text()))
        .collect();
    if record.extras != "{}" {
        out.push(record.extras);
    }
    out.join(" ")
}

/// What a field becomes, when its source `X` has that JSON value.
#[track_caller]
fn check(target: &str, transforms: Value, value: &str, want: &str) {
    let plan = plan(json!([{"target": target, "sources": ["X"], "transforms": transforms}]));
    let json = format!(r#"{{"Id":"1","Name":"a","X":{value}}}"#);
    let got = outcome(&plan, &json);
    let got = got.strip_prefix("opportunity_id=1 name=a").unwrap_or(&got);
    assert_eq!(got.trim(), want, "{value}");
}

/// What a record becomes, of which `Id`, `Name`, `Amount` and `Owner.Id` are mapped.
#[track_caller]
fn check_record(json: &str, want: &str) {
    let plan = plan(json!([
        {"target": "amount", "sources": ["Amount"]},
        {"target": "owner_id", "sources": ["Owner.Id", "Owner"]},
    ]));
    assert_eq!(outcome(&plan, json), want, "{json}");
}

#[test]
fn text_takes_scalars_as_they_are_written() {
    check("stage", json!([]), r#""Won""#, "stage=Won");
    check("stage", json!([]), r#"" Won ""#, "stage= Won");
    check("stage", json!([]), r#""007""#, "stage=007");
    check("stage", json!([]), "1.50e3", "stage=1.50e3");
    check("stage", json!([]), "true", "stage=true");
    check(
        "stage",
        json!([]),
        r#""\u00e9\ud83d\ude00\n""#,
        "stage=é😀\n".trim(),
    );
    check("stage", json!([]), r#""""#, "");
    check("stage", json!([]), "null", "");
    check(
        "stage",
        json!([]),
        r#"{"a":1}"#,
        r#"stage: "{\"a\":1}" is not a single value"#,
    );
    check(
        "stage",
        json!([]),
        "[1]",
        r#"stage: "[1]" is not a single value"#,
    );
}

#[test]
fn decimals_are_exact() {
    check("amount", json!([]), "0.1", "amount=0.1");
    check("amount", json!([]), "250000.00", "amount=250000.00");
    check("amount", json!([]), "0", "amount=0");
    check("amount", json!([]), "-0.0", "amount=0.0");
    check(
        "amount",
        json!([]),
        "12345678901234567890.123456789",
        "amount=12345678901234567890.123456789",
    );
    check("amount", json!([]), "1.5e3", "amount=1500");
    check("amount", json!([]), r#"" 007 ""#, "amount=7");
    check("amount", json!([]), r#""  ""#, "");
    check(
        "amount",
        json!([]),
        r#""12,5""#,
        r#"amount: "12,5" is not a decimal"#,
    );
    check(
        "amount",
        json!([]),
        r#""NaN""#,
        r#"amount: "NaN" is not a decimal"#,
    );
    check(
        "amount",
        json!([]),
        r#""inf""#,
        r#"amount: "inf" is not a decimal"#,
    );
    check(
        "amount",
        json!([]),
        "true",
        r#"amount: "true" is not a decimal"#,
    );
    check(
        "amount",
        json!([]),
        "1e400",
        r#"amount: "1e400" has more than 38 digits"#,
    );
}

#[test]
fn a_range_is_kept() {
    check("probability", json!([]), "0", "probability=0");
    check("probability", json!([]), "100.0", "probability=100.0");
    check(
        "probability",
        json!([]),
        "100.01",
        "probability: 100.01 is not within 0 to 100",
    );
    check(
        "probability",
        json!([]),
        "-1",
        "probability: -1 is not within 0 to 100",
    );
}

#[test]
fn timestamps_are_read_in_their_zone() {
    let noon = |value: &str| {
        check(
            "close_date",
            json!([]),
            value,
            "close_date=2024-01-15T10:00:00Z",
        )
    };
    noon(r#""2024-01-15T10:00:00Z""#);
    noon(r#""2024-01-15T10:00:00.000+0000""#);
    noon(r#""2024-01-15t12:00:00+02:00""#);
    noon(r#""2024-01-15 10:00""#);
    noon(r#""2024-01-15 05:00:00.000 -05""#);
    check(
        "close_date",
        json!([]),
        r#""2024-01-15""#,
        "close_date=2024-01-15T00:00:00Z",
    );
    let berlin = json!([{"kind": "timestamp", "zone": "+01:00", "format": "iso"}]);
    check(
        "close_date",
        berlin.clone(),
        r#""2024-01-15""#,
        "close_date=2024-01-14T23:00:00Z",
    );
    check(
        "close_date",
        berlin,
        r#""2024-01-15T10:00:00Z""#,
        "close_date=2024-01-15T10:00:00Z",
    );
    let unix = |format: &str| json!([{"kind": "timestamp", "zone": "UTC", "format": format}]);
    check(
        "close_date",
        unix("unix_seconds"),
        "1705312800.5",
        "close_date=2024-01-15T10:00:00.500Z",
    );
    check(
        "close_date",
        unix("unix_millis"),
        "1705312800000",
        "close_date=2024-01-15T10:00:00Z",
    );
}

#[test]
fn impossible_times_are_refused() {
    for value in [
        "0000-01-01",
        "275760-09-13",
        "+275760-09-13T00:00:00Z",
        "2024-02-30",
        "2024-13-01",
        "2024-01-15T24:00:00Z",
        "2024-01-15T10:00:00+25:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
        "15.01.2024",
        "2024-01-15T10",
        "2024-01-15Tnoon",
        "2024-01-15T10:00:00.Z",
        "20240115",
        "2024-01-15é",
    ] {
        let want =
            format!("close_date: {value:?} is not an ISO 8601 timestamp of the years 0001 to 9999");
        check("close_date", json!([]), &format!("{value:?}"), &want);
    }
    let unix = json!([{"kind": "timestamp", "zone": "UTC", "format": "unix_millis"}]);
    check(
        "close_date",
        unix,
        "8640000000000000",
        r#"close_date: "8640000000000000" is not a timestamp in milliseconds of the years 0001 to 9999"#,
    );
}

#[test]
fn transforms_apply_in_order() {
    let stages = |otherwise: &str| {
        json!([
            {"kind": "trim"}, {"kind": "lower"},
            {"kind": "enum", "values": {"closedwon": "Closed Won"}, "otherwise": otherwise},
        ])
    };
    check(
        "stage",
        stages("keep"),
        r#"" ClosedWon ""#,
        "stage=Closed Won",
    );
    check("stage", stages("keep"), r#""Open""#, "stage=open");
    check("stage", stages("null"), r#""Open""#, "");
    check(
        "stage",
        stages("reject"),
        r#""Open""#,
        r#"stage: "open" is not one of the values that the mapping lists: add it there, or correct it at the source"#,
    );
    check(
        "stage",
        json!([{"kind": "upper"}]),
        r#""straße""#,
        "stage=STRASSE",
    );
    check(
        "stage",
        json!([{"kind": "split", "separator": "|", "index": -1}]),
        r#""a|b|c""#,
        "stage=c",
    );
    check(
        "stage",
        json!([{"kind": "split", "separator": "|", "index": 3}]),
        r#""a|b|c""#,
        "",
    );
    check(
        "stage",
        json!([{"kind": "default", "value": "New"}]),
        "null",
        "stage=New",
    );
    check(
        "stage",
        json!([{"kind": "trim"}, {"kind": "default", "value": "New"}]),
        r#""  ""#,
        "stage=New",
    );
    check(
        "amount",
        json!([{"kind": "unit", "factor": "0.01"}]),
        "12345",
        "amount=123.45",
    );
    check(
        "amount",
        json!([{"kind": "unit", "factor": "0.01"}]),
        r#""a""#,
        r#"amount: "a" is not a decimal"#,
    );
    check(
        "currency",
        json!([{"kind": "currency"}]),
        r#""eur""#,
        "currency=EUR",
    );
    check(
        "currency",
        json!([{"kind": "currency"}]),
        r#""euro""#,
        r#"currency: "euro" is not an ISO 4217 currency code"#,
    );
}

#[test]
fn what_is_not_mapped_is_kept_as_received() {
    check_record(r#"{"Id":1,"Name":"a"}"#, "opportunity_id=1 name=a");
    check_record(
        r#" { "Id" : 1, "n" : 1.50E+2, "Name":"a", "s":"\u00e9\/", "o" : {"b": [1, null]} } "#,
        r#"opportunity_id=1 name=a {"n":1.50E+2,"s":"\u00e9\/","o":{"b": [1, null]}}"#,
    );
    check_record(
        r#"{"Id":1,"Name":"a","Owner":{"Name":"Eve","Id":"7"},"x":0}"#,
        r#"opportunity_id=1 name=a owner_id=7 {"Owner":{"Name":"Eve"},"x":0}"#,
    );
    check_record(
        r#"{"Id":1,"Name":"a","Owner":{"Id":"7"}}"#,
        "opportunity_id=1 name=a owner_id=7",
    );
    check_record(
        r#"{"Id":1,"Name":"a","Owner":"7"}"#,
        "opportunity_id=1 name=a owner_id=7",
    );
    check_record(
        r#"{"\u0049d":1,"Name":"a","\"\\é":2}"#,
        r#"opportunity_id=1 name=a {"\"\\é":2}"#,
    );
}

#[test]
fn bad_records_are_refused() {
    check_record(
        "[1]",
        "not a JSON object: invalid type: sequence, expected an object at line 1 column 0",
    );
    check_record(
        "",
        "not a JSON object: EOF while parsing a value at line 1 column 0",
    );
    check_record(
        r#"{"Id":1"#,
        "not a JSON object: EOF while parsing an object at line 1 column 7",
    );
    check_record(
        r#"{"Id":1} x"#,
        "not a JSON object: trailing characters at line 1 column 10",
    );
    check_record(r#"{"Id":1}"#, "name: missing");
    check_record(r#"{"Id":"","Name":"a"}"#, "opportunity_id: missing");
    check_record(r#"{"Id":1,"Id":2}"#, r#"key "Id" appears twice"#);
    check_record(r#"{"x":1,"\u0078":2}"#, r#"key "x" appears twice"#);
    check_record(
        r#"{"Owner":{"a":1,"a":2}}"#,
        r#"Owner: key "a" appears twice"#,
    );
    check_record(r#"{"x":[{"a":1,"a":2}]}"#, r#"x: key "a" appears twice"#);
    check_record(
        r#"{"Name":"a\u0000b"}"#,
        r#"Name: "a\0b" contains NUL, which cannot be stored"#,
    );
    check_record(
        r#"{"x":[{"y":"\u0000"}]}"#,
        r#"x: "\0" contains NUL, which cannot be stored"#,
    );
    check_record(
        r#"{"a\u0000":1}"#,
        r#""a\0" contains NUL, which cannot be stored"#,
    );
    check_record(
        r#"{"x":"\ud800"}"#,
        r#"x: "\"\\ud800\"" has an unpaired surrogate"#,
    );
    check_record(
        r#"{"Name":"\ude00\ud83d"}"#,
        r#"Name: "\"\\ude00\\ud83d\"" has an unpaired surrogate"#,
    );
    check_record(
        r#"{"\ud800":1}"#,
        "not a JSON object: unexpected end of hex escape at line 1 column 9",
    );
    check_record(r#"{"x":1e99999}"#, r#"x: "1e99999" is too long a number"#);
}

#[test]
fn nesting_ends_at_64() {
    let nested = |depth: usize| {
        format!(
            r#"{{"Id":1,"Name":"a","x":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let kept = nested(63);
    check_record(
        &kept,
        &format!(
            "opportunity_id=1 name=a {}",
            kept.replace(r#""Id":1,"Name":"a","#, "")
        ),
    );
    check_record(&nested(64), "x: nested deeper than 64");
    check_record(&nested(50_000), "x: nested deeper than 64");
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let plan = plan(json!([]));
    let reject = plan.canonicalise_bytes(b"{\"Id\":\"\xff\"}").unwrap_err();
    assert_eq!(reject.to_string(), "not UTF-8 from byte 7");
}

#[test]
fn a_long_value_is_shortened_in_the_reason() {
    let long = format!(r#""{}""#, "é".repeat(1000));
    let want = format!(r#"amount: "{}"… is not a decimal"#, "é".repeat(80));
    check("amount", json!([]), &long, &want);
}

#[test]
fn integers_booleans_and_lists_are_strict() {
    let fields = json!([
        {"target": "resource_id", "sources": ["id"]},
        {"target": "resource_type", "transforms": [{"kind": "constant", "value": "EC2"}]},
        {"target": "region", "sources": ["a", "b"], "transforms": [{"kind": "join", "separator": "-"}]},
        {"target": "vcpus", "sources": ["n"]},
    ]);
    let plan = compile("aws_resource", &fields);
    let check = |n: &str, want: &str| {
        let got = outcome(&plan, &format!(r#"{{"id":1,"a":"eu","b":1,"n":{n}}}"#));
        assert_eq!(
            got.trim_start_matches("resource_id=1 resource_type=EC2 region=eu-1 "),
            want
        );
    };
    check("4", "vcpus=4");
    check("4.0", "vcpus=4");
    check("4e2", "vcpus=400");
    check(r#""007""#, "vcpus=7");
    check("4.5", r#"vcpus: "4.5" is not an integer"#);
    check(
        "9223372036854775808",
        r#"vcpus: "9223372036854775808" does not fit into 64 bits"#,
    );
    check("true", r#"vcpus: "true" is not an integer"#);
}

#[test]
fn a_list_of_texts_comes_from_a_list_or_a_scalar() {
    let fields = json!([
        {"target": "account_id", "sources": ["id"]},
        {"target": "name", "sources": ["id"]},
        {"target": "external_ids", "sources": ["ids"]},
    ]);
    let plan = compile("account", &fields);
    let check = |ids: &str, want: &str| {
        let got = outcome(&plan, &format!(r#"{{"id":1,"ids":{ids}}}"#));
        assert_eq!(got.trim_start_matches("account_id=1 "), want, "{ids}");
    };
    check(r#"["a", 7, null, ""]"#, "external_ids=a,7 name=1");
    check(r#""a""#, "external_ids=a name=1");
    check("[]", "name=1");
    check("null", "name=1");
    check("[[1]]", r#"external_ids: "[1]" is not a single value"#);
}

#[test]
fn ids_of_several_fields_stay_apart() {
    let rows: Vec<_> = [
        "service_category",
        "resource_id",
        "region",
        "cost",
        "usage_type",
    ]
    .map(|it| json!({"target": it, "sources": [it]}))
    .into();
    let plan = compile("cost_report", &rows.into());
    let id = |category: &str, resource: &str| {
        let json = json!({"service_category": category, "resource_id": resource,
            "region": "eu", "cost": 1, "usage_type": "u"});
        let json = json.to_string();
        plan.canonicalise(&json).unwrap().source_id().into_owned()
    };
    assert_eq!(id("EC2", "i-1"), "EC2:i-1:eu:u");
    assert_eq!(id("EC2", ""), "EC2::eu:u");
    assert_eq!(id("a:b", "c"), r"a\:b:c:eu:u");
    assert_eq!(id("a", "b:c"), r"a:b\:c:eu:u");
    assert_eq!(id(r"a\", "c"), r"a\\:c:eu:u");
}

#[test]
fn the_end_of_a_key_that_has_no_value_is_left_out_of_the_id() {
    let mapping = crate::shipped::identity("cost_report").unwrap();
    let plan = Plan::compile(mapping).unwrap();
    let id = |more: Value| {
        let mut record =
            json!({"service_category": "EC2", "region": "eu", "cost": 1, "usage_type": "u"});
        record
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        plan.canonicalise(&record.to_string())
            .unwrap()
            .source_id()
            .into_owned()
    };
    assert_eq!(id(json!({})), "EC2::eu:u");
    assert_eq!(id(json!({"line_item_id": "tax"})), "EC2::eu:u::tax");
    let hour = "2026-06-01T01:00:00Z";
    assert_eq!(
        id(json!({"period_start": hour})),
        r"EC2::eu:u:2026-06-01T01\:00\:00Z"
    );
}

#[test]
fn the_id_of_one_field_is_that_field_and_the_version_is_its_last_change() {
    let plan = plan(json!([{"target": "updated_at", "sources": ["at"]}]));
    let record = plan
        .canonicalise(r#"{"Id":"a:b","Name":"n","at":"2024-01-15"}"#)
        .unwrap();
    assert_eq!(record.source_id(), "a:b");
    assert_eq!(
        record.version().unwrap().to_rfc3339(),
        "2024-01-15T00:00:00+00:00"
    );
}

#[test]
fn a_record_serializes_with_every_digit() {
    let plan = plan(json!([
        {"target": "amount", "sources": ["Amount"]},
        {"target": "close_date", "sources": ["Close"]},
    ]));
    let json = r#"{"Id":"1","Name":"a \"b\"","Amount":0.10000000000000000000001,"Close":"2024-12-31","x":1.0}"#;
    let record = plan.canonicalise(json).unwrap();
    assert_eq!(
        serde_json::to_string(&record).unwrap(),
        r#"{"opportunity_id":"1","account_id":null,"name":"a \"b\"","stage":null,"amount":0.10000000000000000000001,"currency":null,"close_date":"2024-12-31T00:00:00Z","owner_id":null,"probability":null,"created_at":null,"updated_at":null,"extras":{"x":1.0}}"#
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        "[^\0]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[^\0]{0,4}", inner, 0..5).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_is_lost(
        fields in prop::collection::btree_map("[A-Fé\"\\\\.]{1,2}", any_json(), 0..40),
        owner in any_json(),
        text in "[a-z]{1,9}",
    ) {
        let mut object = serde_json::Map::from_iter(fields);
        object.extend([("Id".into(), json!(text)), ("Name".into(), json!(text))]);
        object.insert("Owner".into(), json!({"Id": text, "rest": owner}));
        let json = Value::from(object).to_string();
        let plan = plan(json!([{"target": "owner_id", "sources": ["Owner.Id"]}]));
        let record = plan.canonicalise(&json).unwrap();

        let extras: Value = serde_json::from_str(&record.extras).unwrap();
        let mut object: Value = serde_json::from_str(&json).unwrap();
        for mapped in ["Id", "Name"] {
            object.as_object_mut().unwrap().remove(mapped);
        }
        object["Owner"].as_object_mut().unwrap().remove("Id");
        prop_assert_eq!(extras, object);
    }

    #[test]
    fn the_grammar_is_that_of_serde_json(noise in r#"[{}\[\]:,"a1.e\\u0-]{0,12}"#) {
        let json = format!(r#"{{"Id":1,"Name":"a","x":{noise}}}"#);
        let grammatical = serde_json::from_str::<&RawValue>(&json).is_ok();
        match plan(json!([])).canonicalise(&json) {
            Ok(_) => prop_assert!(grammatical),
            Err(it) if it.reason.starts_with("not a JSON object") => prop_assert!(!grammatical),
            // Another fault came first.
            Err(_) => {}
        }
    }
}

#[test]
fn an_object_where_a_value_is_expected_is_never_no_value() {
    let plan = plan(json!([
        {"target": "amount", "sources": ["amount", "amount.$numberDecimal"]},
        {"target": "stage", "sources": ["stage.label", "stage"]},
        {"target": "updated_at", "sources": ["at"]},
    ]));
    let check = |fields: &str, want: &str| {
        let json =
            format!(r#"{{"Id": {{"$oid": "507f1f77bcf86cd799439011"}}, "Name": "n", {fields}}}"#);
        let want = match want.strip_prefix('!') {
            Some(reason) => reason.to_owned(),
            None => format!("opportunity_id=507f1f77bcf86cd799439011 name=n{want}"),
        };
        assert_eq!(outcome(&plan, &json), want, "{fields}");
    };
    check(r#""amount": {"$numberLong": "12"}"#, " amount=12");
    check(r#""amount": {"$numberDecimal": "1.5"}"#, " amount=1.5");
    check(r#""amount": {"$numberDouble": "2.5"}"#, " amount=2.5");
    check(r#""amount": null"#, "");
    check(
        r#""amount": {"$numberDouble": "NaN"}"#,
        r#"!amount: "{\"$numberDouble\": \"NaN\"}" is not a single value"#,
    );
    check(
        r#""amount": {"value": 1}"#,
        r#"!amount: "{\"value\": 1}" is not a single value"#,
    );
    check(
        r#""stage": {"label": "won", "n": 1}"#,
        r#" stage=won {"stage":{"n":1}}"#,
    );
    check(r#""stage": {"label": null}"#, "");
    check(r#""stage": {}"#, r#"!stage: "{}" is not a single value"#);
    check(
        r#""at": {"$date": {"$numberLong": "1729434600123"}}"#,
        " updated_at=2024-10-20T14:30:00.123Z",
    );
}

proptest! {
    /// Whatever comes before the key, and whichever of its sources the record has.
    #[test]
    fn the_id_of_a_good_record_is_guessed(
        entries in proptest::sample::subsequence(
            vec![
                r#""Id":"1""#, r#""Id":5"#, r#""Id":null"#, r#""Id":{"$oid":"ab"}"#, r#""Id":"\u00e9""#,
                r#""Key":{"Id":"2"}"#, r#""Key":{"Other":1}"#, r#""Key":null"#, r#""Key":{"Id":null}"#,
                r#""X":{"Id":"3"}"#, r#""Y":[1,{"Id":"4"}]"#, r#""Z":"Id""#,
            ],
            0..6,
        ).prop_shuffle(),
    ) {
        let plan = compile("opportunity", &json!([
            {"target": "opportunity_id", "sources": ["Key.Id", "Id"], "transforms": [{"kind": "trim"}]},
            {"target": "name", "sources": ["Name"]},
        ]));
        let json = format!(r#"{{{},"Name":"n"}}"#, entries.join(",")).replace("{,", "{");
        if let Ok(record) = plan.canonicalise(&json) {
            prop_assert_eq!(plan.guess_source_id(&json), Some(record.source_id().into_owned()), "{}", json);
        }
    }
}

#[test]
fn no_more_is_read_for_an_id_than_tells_it() {
    let plan = plan(json!([]));
    let id = |json| plan.guess_source_id(json);
    assert_eq!(id(r#"{"Id":"1","Name":!"#).as_deref(), Some("1"));
    assert_eq!(id(r#"{"Name":!"Id":"1"}"#), None);
    assert_eq!(id(r#"{"Id":["1"]}"#), None);
    assert_eq!(id("[]"), None);
}

/// What the transforms make of a name.
fn name_after(transforms: &[Value], name: &str) -> Result<String, String> {
    let mapping = json!({ "entity": "account", "fields": [
        { "target": "account_id", "sources": ["id"] },
        { "target": "name", "sources": ["n"], "transforms": transforms },
    ] });
    let plan = Plan::compile(&serde_json::from_value(mapping).unwrap()).unwrap();
    let record = json!({ "id": "1", "n": name }).to_string();
    let record = plan.canonicalise(&record).map_err(|it| it.reason)?;
    Ok(record.cell("name").unwrap().text().into_owned())
}

#[test]
fn what_a_chain_of_transforms_makes_is_bounded() {
    let replace = |from: &str, to: &str| json!({ "kind": "replace", "from": from, "to": to });
    let too_long = Err(
        "what the mapping makes of it is longer than 64 KiB: let its transforms put in less"
            .to_owned(),
    );
    let growing = vec![replace("a", "aaaaaaaaaa"); 30];
    assert_eq!(name_after(&growing, "a"), too_long);
    // Nothing grows, but each of fifty makes the text anew.
    let to_and_fro: Vec<_> = (0..25)
        .flat_map(|_| [replace("a", "b"), replace("b", "a")])
        .collect();
    let (short, long) = ("a".repeat(1_000), "a".repeat(10_000));
    assert_eq!(name_after(&to_and_fro, &short), Ok(short));
    assert_eq!(name_after(&to_and_fro, &long), too_long);
}

#[test]
fn a_long_value_may_be_shortened() {
    let long = format!("{}x", "ab".repeat(200_000));
    let shorten = [
        json!({ "kind": "replace", "from": "ab", "to": "c" }),
        json!({ "kind": "regex", "pattern": "x$" }),
    ];
    assert_eq!(name_after(&shorten, &long), Ok("x".to_owned()));
}
