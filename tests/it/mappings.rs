//! The shipped mappings, compiled and run: they are `dcl`'s, the plan is `aam`'s.

use mapping::Plan;
use mapping::shipped;
use schema::entity::ENTITIES;

/// What the shipped mapping makes of one record: the cells that have a value, then the extras.
#[track_caller]
fn check(system: &str, kind: &str, json: &str, want: &str) {
    let mapping = shipped::find(system, kind).unwrap();
    let plan = Plan::compile(mapping).unwrap();
    let record = plan.canonicalise(json).unwrap();
    let fields = record.entity.fields.iter().zip(&record.cells);
    let mut lines: Vec<_> = fields
        .filter(|(_, cell)| !cell.is_null())
        .map(|(field, cell)| format!("{}: {}", field.name, cell.text()))
        .collect();
    lines.push(record.extras.clone());
    assert_eq!(lines.join("\n"), want);
}

#[test]
fn every_shipped_mapping_compiles() {
    let mut maps = 0;
    for system in shipped::SYSTEMS {
        for entity in ENTITIES {
            let Some(mapping) = shipped::find(system, &entity.kind) else {
                continue;
            };
            if let Err(err) = Plan::compile(mapping) {
                panic!("{system}.{}: {err}", entity.kind);
            }
            maps += 1;
        }
    }
    assert_eq!(maps, 28);
}

#[test]
fn a_salesforce_opportunity_without_a_currency_gets_none_and_keeps_its_attributes() {
    check(
        "salesforce",
        "opportunity",
        r#"{"attributes":{"type":"Opportunity"},"Id":"006A","AccountId":"001A","Name":"Expansion",
            "StageName":"Closed Won","Amount":1250.50,"CloseDate":"2024-12-31","Probability":100,
            "OwnerId":"005A","LastModifiedDate":"2024-10-20T14:30:00.000+0000","IsWon":true}"#,
        r#"opportunity_id: 006A
account_id: 001A
name: Expansion
stage: Closed Won
amount: 1250.50
close_date: 2024-12-31T00:00:00Z
owner_id: 005A
probability: 100
updated_at: 2024-10-20T14:30:00Z
{"attributes":{"type":"Opportunity"},"IsWon":true}"#,
    );
}

#[test]
fn a_mongodb_document_keeps_its_id_and_reads_extended_json() {
    check(
        "mongodb",
        "opportunity",
        r#"{"_id":{"$oid":"65a"},"opportunity_id":"M-1","name":"Deal",
            "amount":{"$numberDecimal":"10.10"},"updated_at":{"$date":"2024-10-20T14:30:00Z"}}"#,
        r#"opportunity_id: M-1
name: Deal
amount: 10.10
currency: USD
updated_at: 2024-10-20T14:30:00Z
{"_id":{"$oid":"65a"}}"#,
    );
}

#[test]
fn a_file_speaks_the_canonical_names() {
    check(
        "filesource",
        "cost_report",
        r#"{"service_category":"EC2","resource_id":"ALL","region":"global","cost":"245.80","usage_type":"Hours","usage":""}"#,
        "service_category: EC2\nresource_id: ALL\nregion: global\ncost: 245.80\nusage_type: Hours\n{}",
    );
}
