//! What the answers to a question make of a column's values.

use std::borrow::Cow;

use schema::{
    entity::{Field, Kind},
    format::{ChoiceExample, FormatChoice},
    mapping::Transform,
};

use crate::{
    Cell,
    transforms::{self, Compiled, CompiledTransform, Step},
};

const MAX_EXAMPLES: usize = 3;

static INSTANT: Field = Field::optional("value", Kind::Timestamp, "");
static NUMBER: Field = Field::optional("value", Kind::Decimal, "");
static TRUTH: Field = Field::optional("value", Kind::Boolean, "");
static TEXT: Field = Field::optional("value", Kind::Text, "");

/// What transforms make of a value; none where it does not fit.
pub(super) fn becomes(steps: &[Transform], value: &str) -> Option<String> {
    let mut cell = Cell::Text(Cow::Borrowed(value));
    let steps = compiled(steps)?;
    for step in &steps {
        let text = cell.text().into_owned();
        cell = match text.is_empty() {
            true => step.run_missing(),
            false => owned(step.run(Cow::Owned(text)).ok()?),
        };
    }
    Some(cell.text().into_owned())
}

fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
        Cell::TextList(_) | Cell::Null => Cell::Null,
        Cell::Integer(it) => Cell::Integer(it),
        Cell::Decimal(it) => Cell::Decimal(it),
        Cell::Boolean(it) => Cell::Boolean(it),
        Cell::Date(it) => Cell::Date(it),
        Cell::Timestamp(it) => Cell::Timestamp(it),
    }
}

fn compiled(steps: &[Transform]) -> Option<Vec<Box<dyn CompiledTransform>>> {
    let compiled = steps.iter().map(|it| {
        let field = match it {
            Transform::Date { .. } => &INSTANT,
            Transform::Number { .. } => &NUMBER,
            Transform::Boolean { .. } => &TRUTH,
            _ => &TEXT,
        };
        match transforms::compile(it, field, &[]) {
            Ok(Compiled::Step(Step::Other(step))) => Some(step),
            _ => None,
        }
    });
    compiled.collect()
}

/// The choices, each with what it makes of those values that tell them apart.
pub(super) fn choices(
    answers: Vec<(String, Vec<Transform>)>,
    values: &[&str],
) -> Vec<FormatChoice> {
    let outcomes = |value: &str| -> Vec<Option<String>> {
        answers.iter().map(|it| becomes(&it.1, value)).collect()
    };
    let mut rows: Vec<_> = values.iter().map(|it| (*it, outcomes(it))).collect();
    // Those first that only some choices read, then those that they read differently.
    rows.sort_by_key(|(_, outcomes)| {
        let is_same = outcomes.windows(2).all(|it| it[0] == it[1]);
        (is_same, outcomes.iter().all(Option::is_some))
    });
    rows.truncate(MAX_EXAMPLES);
    let choices = answers.into_iter().enumerate();
    choices
        .map(|(index, (answer, transforms))| FormatChoice {
            answer,
            transforms,
            examples: rows
                .iter()
                .map(|(value, outcomes)| ChoiceExample {
                    value: (*value).to_owned(),
                    becomes: outcomes[index].clone(),
                })
                .collect(),
        })
        .collect()
}
