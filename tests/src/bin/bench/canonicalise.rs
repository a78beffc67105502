//! JSON text to canonical record, against parsing the same text into a tree.

use std::hint::black_box;

use mapping::Plan;

use crate::records::opportunity;
use crate::report::{Report, median, time};

const RECORDS: usize = 20_000;
const TURNS: usize = 9;

pub(crate) fn run() -> anyhow::Result<()> {
    let texts: Vec<_> = (0..RECORDS).map(|it| opportunity(it, 0)).collect();
    let mapping = mapping::shipped::find("salesforce", "opportunity").expect("is shipped");
    let plan = Plan::compile(mapping)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let (took, ()) = time(|| {
            for text in &texts {
                black_box(plan.canonicalise(text).expect("the record is good"));
            }
        });
        ours.push(took.as_secs_f64());
        let (took, ()) = time(|| {
            for text in &texts {
                let value: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
                black_box(value);
            }
        });
        theirs.push(took.as_secs_f64());
    }
    let (ours, theirs) = (median(ours), median(theirs));
    Report {
        name: "canonicalise",
        value: RECORDS as f64 / ours,
        unit: "records/s",
        reference: "serde_json::Value of the same text; ratio of times",
        reference_value: RECORDS as f64 / theirs,
        ratio: ours / theirs,
        n: TURNS,
        data: "20,000 Salesforce opportunities of 25 fields",
    }
    .print()
}
