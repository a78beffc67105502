//! Names of schemas, and the differences between them.

use std::hint::black_box;

use aam::drift::diff;
use aam::fingerprint::structure_hash;
use aws_lc_rs::digest::{SHA256, digest};
use mapping::FieldUse;
use schema::source::{SourceField, SourceSchema, SourceType, SourceTypes};

use crate::report::{Report, median, time};

const TURNS: usize = 9;
const SCHEMAS: usize = 2_000;

/// A structure of so many fields, of which every tenth differs from one version to the next.
fn describe(fields: usize, version: usize) -> SourceSchema {
    let field = |number: usize| {
        let changed = number.is_multiple_of(10) && !version.is_multiple_of(2);
        let kind = SourceType::ALL[(number + usize::from(changed)) % SourceType::ALL.len()];
        let field = SourceField {
            types: SourceTypes::of(kind),
            nullable: number.is_multiple_of(3),
            key: number == 0,
            label: Some(format!("The field of number {number}")),
            length: Some(255),
            ..SourceField::default()
        };
        (format!("Opportunity_Field_{number}__c"), field)
    };
    let fields = (0..fields).map(field).collect();
    SourceSchema { fields }
}

pub(crate) fn fingerprint() -> anyhow::Result<()> {
    let schemas: Vec<_> = (0..SCHEMAS).map(|it| describe(70, it)).collect();
    let texts: Vec<_> = schemas
        .iter()
        .map(|it| {
            let mut bytes = Vec::new();
            it.structure_bytes(&mut bytes);
            bytes
        })
        .collect();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let (took, ()) = time(|| {
            schemas
                .iter()
                .for_each(|it| drop(black_box(structure_hash(it))))
        });
        ours.push(took.as_secs_f64());
        let (took, ()) = time(|| {
            for text in &texts {
                black_box(digest(&SHA256, text));
            }
        });
        theirs.push(took.as_secs_f64());
    }
    let (ours, theirs) = (median(ours), median(theirs));
    Report {
        name: "fingerprint",
        value: SCHEMAS as f64 / ours,
        unit: "schemas/s",
        reference: "sha-256 of the same bytes; ratio of times",
        reference_value: SCHEMAS as f64 / theirs,
        ratio: ours / theirs,
        n: TURNS,
        data: "2,000 describes of 70 fields",
    }
    .print()
}

pub(crate) fn drift_diff() -> anyhow::Result<()> {
    let schemas: Vec<_> = (0..=SCHEMAS).map(|it| describe(200, it)).collect();
    let mut took = Vec::new();
    for _ in 0..TURNS {
        let (turn, ()) = time(|| {
            for pair in schemas.windows(2) {
                let changes = black_box(diff(&pair[0], &pair[1], &|_| FieldUse::MAPPED));
                assert_eq!(changes.len(), 20);
            }
        });
        took.push(turn.as_secs_f64());
    }
    let rate = SCHEMAS as f64 / median(took);
    Report {
        name: "drift-diff",
        value: rate,
        unit: "pairs/s",
        reference: "the bar, 20,000 pairs/s",
        reference_value: 20_000.0,
        ratio: rate / 20_000.0,
        n: TURNS,
        data: "2,000 pairs of 200 fields, 20 of them changed",
    }
    .print()
}
