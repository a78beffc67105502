use proptest::prelude::*;

use super::*;
use crate::fingerprint::{documentation_hash, structure_hash};
use crate::testing::parse;

fn check(before: &str, after: &str, expected: &[&str]) {
    let changes = diff(&parse(before), &parse(after), &|path| match path {
        path if path.starts_with("unused") => FieldUse::UNUSED,
        "required_text" => FieldUse {
            is_typed: false,
            ..FieldUse::REQUIRED
        },
        path if path.starts_with("required") => FieldUse::REQUIRED,
        _ => FieldUse::MAPPED,
    });
    let changes: Vec<String> = changes
        .iter()
        .map(|it| {
            format!(
                "{:?} {} {:?} {:?}",
                it.kind, it.path, it.severity, it.compatibility
            )
        })
        .collect();
    assert_eq!(changes, expected, "{before} -> {after}");
}

#[test]
fn fields_come_and_go() {
    check("a:text", "a:text", &[]);
    check("", "a:text?", &["Added a Low Full"]);
    check("", "a:text", &["Added a Low Forward"]);
    check("a:text?", "", &["Removed a High Full"]);
    check("a:text", "", &["Removed a High Backward"]);
    check(
        "a:text",
        "b:text?",
        &["Removed a High Backward", "Added b Low Full"],
    );
    check(
        "a:object a.b:text",
        "a:object a.c:text",
        &["Removed a.b High Backward", "Added a.c Low Forward"],
    );
}

#[test]
fn types_widen_narrow_or_break() {
    check("a:?", "a:text?", &["Retyped a Low Backward"]);
    check("a:integer", "a:decimal", &["Retyped a Medium Backward"]);
    check("a:date", "a:timestamp", &["Retyped a Medium Backward"]);
    check(
        "a:date|integer",
        "a:decimal|timestamp",
        &["Retyped a Medium Backward"],
    );
    check("a:decimal", "a:integer", &["Retyped a Medium Forward"]);
    check("a:integer|text", "a:text", &["Retyped a Medium Forward"]);
    check("a:integer", "a:integer|text", &["Retyped a High Backward"]);
    check("a:integer", "a:decimal|text", &["Retyped a High Backward"]);
    check("a:integer", "a:text", &["Retyped a High None"]);
    check(
        "a:text",
        "a:object a.b:text",
        &["Retyped a High None", "Added a.b Low Forward"],
    );
}

#[test]
fn a_text_does_not_care_which_type_it_had() {
    for (after, compatibility) in [
        ("text", "None"),
        ("integer|text", "Backward"),
        ("decimal", "Backward"),
    ] {
        check(
            "required_text:integer",
            &format!("required_text:{after}"),
            &[&format!("Retyped required_text Low {compatibility}")],
        );
    }
    check(
        "required:integer",
        "required:text",
        &["Retyped required Critical None"],
    );
    check(
        "required_text:text",
        "required_text:object required_text.a:text",
        &[
            "Retyped required_text Critical None",
            "Added required_text.a Low Forward",
        ],
    );
    check(
        "required_text:integer",
        "",
        &["Removed required_text Critical Backward"],
    );
}

#[test]
fn other_properties_change() {
    check("a:text", "a:text?", &["BecameNullable a Medium Backward"]);
    check("a:text?", "a:text", &["BecameRequired a Low Forward"]);
    check(
        "a:text(x)",
        "a:text(x,y)",
        &["ValuesChanged a Medium Backward"],
    );
    check("a:text(x)", "a:text", &["ValuesChanged a Medium Backward"]);
    check("a:text(x,y)", "a:text(x)", &["ValuesChanged a Low Forward"]);
    check("a:text", "a:text(x)", &["ValuesChanged a Low Forward"]);
    check(
        "a:text(x,y)",
        "a:text(x,z)",
        &["ValuesChanged a Medium None"],
    );
    check("a:text!", "a:text", &["KeyChanged a High None"]);
    check(
        "a:integer!",
        "a:text?",
        &[
            "Retyped a High None",
            "BecameNullable a Medium Backward",
            "KeyChanged a High None",
        ],
    );
}

#[test]
fn what_is_used_matters_more() {
    for (name, removed, nullable, added) in [
        ("unused", "Medium", "Low", "Low"),
        ("mapped", "High", "Medium", "Low"),
        ("required", "Critical", "High", "Low"),
    ] {
        let (sure, unsure) = (&format!("{name}:text"), &format!("{name}:text?"));
        check(sure, "", &[&format!("Removed {name} {removed} Backward")]);
        check(
            sure,
            unsure,
            &[&format!("BecameNullable {name} {nullable} Backward")],
        );
        check("", unsure, &[&format!("Added {name} {added} Full")]);
    }
}

#[test]
fn a_label_changes_only_the_documentation_hash() {
    let before = parse("a:text");
    let mut after = before.clone();
    after.fields.get_mut("a").unwrap().label = Some("A".to_owned());

    assert_eq!(diff(&before, &after, &|_| FieldUse::MAPPED), []);
    assert_eq!(structure_hash(&before), structure_hash(&after));
    assert_ne!(documentation_hash(&before), documentation_hash(&after));
}

/// Few names and few properties, so that two schemas often meet.
fn schemas() -> impl Strategy<Value = SourceSchema> {
    let types = prop::sample::subsequence(SourceType::ALL.to_vec(), 0..3);
    let values = prop::collection::btree_set("[xy]", 0..2);
    let field = (
        types,
        any::<bool>(),
        prop::bool::weighted(0.2),
        values,
        prop::option::of("[AB]"),
    )
        .prop_map(|(types, nullable, key, values, label)| SourceField {
            types: types.into_iter().collect(),
            nullable,
            key,
            values,
            label,
            ..SourceField::default()
        });
    prop::collection::btree_map("[ab](\\.[ab])?", field, 0..3)
        .prop_map(|fields| SourceSchema { fields })
}

/// Pairs that are equal about as often as not.
fn pairs() -> impl Strategy<Value = (SourceSchema, SourceSchema)> {
    (schemas(), schemas(), 0..3).prop_map(|(a, b, which)| match which {
        0 => (a, b),
        1 => (a.clone(), a),
        _ => {
            let mut relabelled = a.clone();
            relabelled
                .fields
                .values_mut()
                .for_each(|it| it.label = None);
            (a, relabelled)
        }
    })
}

proptest! {
    #[test]
    fn nothing_differs_from_itself(a in schemas()) {
        prop_assert_eq!(diff(&a, &a, &|_| FieldUse::REQUIRED), []);
    }

    #[test]
    fn there_is_a_change_exactly_where_the_hash_differs((a, b) in pairs()) {
        let changes = diff(&a, &b, &|_| FieldUse::MAPPED);
        prop_assert_eq!(changes.is_empty(), structure_hash(&a) == structure_hash(&b));
    }

    #[test]
    fn a_change_back_is_as_compatible_the_other_way((a, b) in pairs()) {
        let verdict = |changes: Vec<Change>| {
            changes.iter().fold(Compatibility::Full, |all, it| all.and(it.compatibility))
        };
        let there = verdict(diff(&a, &b, &|_| FieldUse::MAPPED));
        let back = verdict(diff(&b, &a, &|_| FieldUse::MAPPED));
        prop_assert_eq!(there, Compatibility::new(back.is_forward(), back.is_backward()));
    }
}
