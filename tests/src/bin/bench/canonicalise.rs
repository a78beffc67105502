//! JSON text to canonical record, against parsing the same text into a tree.

use std::hint::black_box;

use mapping::Plan;
use schema::mapping::Mapping;
use serde_json::json;

use crate::records::{opportunity, opportunity_of_export};
use crate::report::{Report, median, time};

const RECORDS: usize = 20_000;
const TURNS: usize = 9;

pub(crate) fn run() -> anyhow::Result<()> {
    let texts: Vec<_> = (0..RECORDS).map(|it| opportunity(it, 0)).collect();
    let mapping = mapping::shipped::find("salesforce", "opportunity").expect("is shipped");
    let data = "20,000 Salesforce opportunities of 25 fields";
    measure(mapping, &texts, "canonicalise", data)
}

/// The same of rows that a spreadsheet wrote: two numbers and three dates by declared formats.
pub(crate) fn formats() -> anyhow::Result<()> {
    let texts: Vec<_> = (0..RECORDS).map(opportunity_of_export).collect();
    let date = |pattern: &str| json!([{"kind": "date", "formats": [pattern]}]);
    let number = json!([{"kind": "number", "decimal": ",", "group": "."}]);
    let row = |target: &str, source: &str, transforms: serde_json::Value| json!({"target": target, "sources": [source], "transforms": transforms});
    let mapping: Mapping = serde_json::from_value(json!({"entity": "opportunity", "fields": [
        row("opportunity_id", r"Vorgangsnr\.", json!([{"kind": "trim"}])),
        row("name", "Bezeichnung", json!([{"kind": "trim"}])),
        row("stage", "Phase", json!([{"kind": "trim"}])),
        row("amount", "Betrag", number.clone()),
        row("probability", "Chance", number),
        row("close_date", "Abschluss", date("DD.MM.YYYY")),
        row("created_at", "Angelegt", date("DD.MM.YYYY")),
        row("updated_at", "Geändert", date("DD.MM.YYYY")),
    ]}))?;
    let data = "20,000 rows of 12 columns, 5 of them by declared formats";
    measure(&mapping, &texts, "canonicalise-formats", data)
}

fn measure(mapping: &Mapping, texts: &[String], name: &str, data: &str) -> anyhow::Result<()> {
    let plan = Plan::compile(mapping)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let (took, ()) = time(|| {
            for text in texts {
                black_box(plan.canonicalise(text).expect("the record is good"));
            }
        });
        ours.push(took.as_secs_f64());
        let (took, ()) = time(|| {
            for text in texts {
                let value: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
                black_box(value);
            }
        });
        theirs.push(took.as_secs_f64());
    }
    let (ours, theirs) = (median(ours), median(theirs));
    Report {
        name,
        value: RECORDS as f64 / ours,
        unit: "records/s",
        reference: "serde_json::Value of the same text; ratio of times",
        reference_value: RECORDS as f64 / theirs,
        ratio: ours / theirs,
        n: TURNS,
        data,
    }
    .print()
}
