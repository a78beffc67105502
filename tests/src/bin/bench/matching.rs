//! Matching 100 fields with 100, each with 1,000 sampled values.

use std::hint::black_box;

use mapping::matcher::{Field, Question, Task, answer};
use schema::source::SourceType;

use crate::report::{Report, median, time};

const FIELDS: usize = 100;
const VALUES: usize = 1_000;
const TURNS: usize = 21;
/// The bar, in seconds.
const BAR: f64 = 0.020;

pub(crate) fn run() -> anyhow::Result<()> {
    let sources = fields(|subject, what| format!("{subject}_{what}"));
    let targets = fields(|subject, what| format!("{what} of {subject}"));
    let question = Question {
        task: Task::Mapping,
        sources: &sources,
        targets: &targets,
        entity_words: &[],
    };
    let mut turns = Vec::new();
    for _ in 0..TURNS {
        let (took, matches) = time(|| answer(black_box(&question)));
        anyhow::ensure!(matches.len() == FIELDS, "every target has a candidate");
        turns.push(took.as_secs_f64());
    }
    let took = median(turns);
    Report {
        name: "match",
        value: took * 1e3,
        unit: "ms",
        reference: "the bar of 20 ms",
        reference_value: BAR * 1e3,
        ratio: took / BAR,
        n: TURNS,
        data: "100 × 100 fields of 1,000 values",
    }
    .print()
}

/// Ten things that are said of ten subjects.
fn fields(name: impl Fn(&str, &str) -> String) -> Vec<Field> {
    const SUBJECTS: [&str; 10] = [
        "billing", "shipping", "owner", "customer", "invoice", "order", "product", "contact",
        "company", "project",
    ];
    const WHATS: [&str; 10] = [
        "name",
        "id",
        "email",
        "phone",
        "created_at",
        "amount",
        "country",
        "status",
        "is_active",
        "description",
    ];
    let field = |(at, subject): (usize, &str), what: &str| Field {
        name: name(subject, what),
        kind: Some(SourceType::Text),
        samples: (0..VALUES).map(|it| value(what, it * 7 + at)).collect(),
        rows: VALUES as u64,
        ..Field::default()
    };
    let subjects = SUBJECTS.into_iter().enumerate();
    subjects
        .flat_map(|subject| WHATS.map(|what| field(subject, what)))
        .collect()
}

fn value(what: &str, number: usize) -> String {
    match what {
        "name" => format!("Name {number} Ltd"),
        "id" => format!("0015g00000{number:05}"),
        "email" => format!("person{number}@company.example"),
        "phone" => format!("+49 30 {:07}", number * 31 % 10_000_000),
        "created_at" => format!("2024-01-31T09:15:{:02}Z", number % 60),
        "amount" => format!("{}.{:02}", number * 13, number % 100),
        "country" => ["DE", "FR", "US", "GB"][number % 4].to_owned(),
        "status" => ["open", "won", "lost"][number % 3].to_owned(),
        "is_active" => number.is_multiple_of(2).to_string(),
        _ => format!("This is the description of the record with the number {number}."),
    }
}
