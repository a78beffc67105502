//! What the tests of the transforms share.

use std::borrow::Cow;

use schema::{
    entity::{self, Field},
    mapping::Transform,
};
use serde_json::Value;

use super::{Compiled, Step, compile};
use crate::Cell;

pub(super) fn field(name: &str) -> &'static Field {
    let entities = ["opportunity", "contact", "aws_resource", "account"];
    let fields = entities
        .iter()
        .filter_map(|it| entity::find(it)?.field(name));
    fields.into_iter().next().unwrap()
}

/// What a transform makes of texts: `want` is its text, `null`, or the reason against it.
#[track_caller]
pub(super) fn check(transform: &Value, cases: &[(&str, &str)]) {
    check_for("stage", transform, cases);
}

/// The same for a certain target.
#[track_caller]
pub(super) fn check_for(target: &str, transform: &Value, cases: &[(&str, &str)]) {
    let transform: Transform = serde_json::from_value(transform.clone()).unwrap();
    let Ok(Compiled::Step(Step::Other(step))) = compile(&transform, field(target), &[]) else {
        panic!("is not sound, or no step");
    };
    for (text, want) in cases {
        let cell = match *text {
            "" => Ok(step.run_missing()),
            text => step.run(Cow::Borrowed(text)),
        };
        let got = match cell {
            Ok(Cell::Null) => "null".to_owned(),
            Ok(cell) => cell.text().into_owned(),
            Err(reason) => reason,
        };
        assert_eq!(got, *want, "{text:?}");
    }
}

/// What one that combines sources makes of them; `-` is one without a value.
#[track_caller]
pub(super) fn check_combined(transform: &Value, cases: &[(&[&str], &str)]) {
    let transform: Transform = serde_json::from_value(transform.clone()).unwrap();
    let sources = ["a".to_owned(), "b".to_owned()];
    let Ok(Compiled::Combination(combination)) = compile(&transform, field("stage"), &sources)
    else {
        panic!("is not sound, or combines nothing");
    };
    for (values, want) in cases {
        let values = values
            .iter()
            .map(|it| (*it != "-").then_some(Cow::Borrowed(*it)))
            .collect();
        let got = match combination.combine(values) {
            Ok(None) => "null".to_owned(),
            Ok(Some(text)) => text.into_owned(),
            Err(reason) => reason,
        };
        assert_eq!(got, *want);
    }
}

/// What is wrong with a transform of the opportunity's stage, with the pointer to it.
#[track_caller]
pub(super) fn check_fault(transform: &Value, want: &str) {
    let transform: Transform = serde_json::from_value(transform.clone()).unwrap();
    let sources = ["a".to_owned(), "b".to_owned()];
    let fault = compile(&transform, field("stage"), &sources).unwrap_err();
    assert_eq!(format!("{}: {}", fault.member, fault.detail), want);
}
