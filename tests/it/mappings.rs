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
fn a_salesforce_opportunity_has_a_currency_and_keeps_its_attributes() {
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
currency: USD
close_date: 2024-12-31T00:00:00Z
owner_id: 005A
probability: 100
updated_at: 2024-10-20T14:30:00Z
{"attributes":{"type":"Opportunity"},"IsWon":true}"#,
    );
}

#[test]
fn a_salesforce_account_that_is_active_has_a_status() {
    check(
        "salesforce",
        "account",
        r#"{"Id":"001A","Name":" Acme ","IsActive":true}"#,
        "account_id: 001A\nname: Acme\nstatus: active\n{}",
    );
}

#[test]
fn a_hubspot_contact_reads_both_names_of_its_columns_and_the_nested_form() {
    let want = "contact_id: 1\naccount_id: HS-1\ndepartment: Sales";
    for json in [
        r#"{"hs_object_id":"1","hs_associated_company_id":"HS-1","department":"Sales"}"#,
        r#"{"hs_object_id":"1","associatedcompanyid":"HS-1","hs_department":"Sales"}"#,
        r#"{"id":1,"properties":{"associatedcompanyid":"HS-1","department":"Sales"}}"#,
    ] {
        check("hubspot", "contact", json, &format!("{want}\n{{}}"));
    }
}

#[test]
fn a_dynamics_option_stays_text() {
    check(
        "dynamics",
        "account",
        r#"{"accountid":"A","accountname":"Acme","accounttype":3,"industrycode":10000,"statecode":0}"#,
        "account_id: A\nname: Acme\ntype: 3\nindustry: 10000\nstatus: 0\n{}",
    );
}

#[test]
fn a_pipedrive_reference_is_an_id_or_an_object() {
    let want = |extras: &str| {
        format!(
            "opportunity_id: 7\naccount_id: 3\nname: Deal\ncurrency: EUR\nowner_id: 5\n{extras}"
        )
    };
    check(
        "pipedrive",
        "opportunity",
        r#"{"id":7,"org_id":3,"user_id":5,"title":"Deal","currency":"EUR"}"#,
        &want("{}"),
    );
    check(
        "pipedrive",
        "opportunity",
        r#"{"id":7,"org_id":{"value":3,"name":"Acme"},"user_id":{"id":5},"title":"Deal","currency":"EUR"}"#,
        &want(r#"{"org_id":{"name":"Acme"}}"#),
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
