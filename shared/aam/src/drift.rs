//! What changed between two structures of one source object, and how much it matters.
//!
//! | change | severity | compatibility |
//! |---|---|---|
//! | added, may be missing | low | full |
//! | added, always there | low | forward |
//! | removed, could be missing | high | full |
//! | removed, was always there | high | backward |
//! | first type known | low | backward |
//! | retyped, each old value is one of the new type (integer → decimal, date → timestamp) | medium | backward |
//! | retyped, each new value is one of the old type | medium | forward |
//! | retyped, a type more beside the old ones (integer → integer or text) | high | backward |
//! | retyped, any other | high | none |
//! | retyped from plain values to plain values, where only texts are made of it | low | as above |
//! | became nullable | medium | backward |
//! | became required | low | forward |
//! | values added only | medium | backward |
//! | values removed only | low | forward |
//! | values exchanged | medium | none |
//! | key changed | high | none |
//!
//! The severity is that for a mapped field. What is medium or high is one step worse where an
//! entity requires the field, and one step milder where nothing uses it.

use mapping::{Demand, FieldUse};
use schema::drift::{Change, ChangeKind, Compatibility, Severity};
use schema::source::{SourceField, SourceSchema, SourceType, SourceTypes};

/// What changed, in path order; what happened to one field stands together.
pub fn diff(
    before: &SourceSchema,
    after: &SourceSchema,
    used: &dyn Fn(&str) -> FieldUse,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut old = before.fields.iter().peekable();
    let mut new = after.fields.iter().peekable();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let old = if order.is_le() { old.next() } else { None };
        let new = if order.is_ge() { new.next() } else { None };
        compare(old, new, used, &mut changes);
    }
}

fn compare(
    old: Option<(&String, &SourceField)>,
    new: Option<(&String, &SourceField)>,
    used: &dyn Fn(&str) -> FieldUse,
    changes: &mut Vec<Change>,
) {
    let Some((path, _)) = old.or(new) else { return };
    let (old, new) = (old.map(|it| it.1), new.map(|it| it.1));
    let mut push = |(kind, severity, compatibility)| {
        changes.push(Change {
            kind,
            path: path.clone(),
            before: old.cloned(),
            after: new.cloned(),
            severity: weigh(severity, used(path).demand),
            compatibility,
            evidence: None,
        });
    };
    match (old, new) {
        (None, Some(new)) => push((
            ChangeKind::Added,
            Severity::Low,
            Compatibility::new(new.nullable, true),
        )),
        (Some(old), None) => push((
            ChangeKind::Removed,
            Severity::High,
            Compatibility::new(true, old.nullable),
        )),
        (Some(old), Some(new)) if !old.same_structure(new) => {
            alter(old, new, used(path).is_typed, &mut push);
        }
        _ => {}
    }
}

/// The rows of the table for a field that is on both sides.
fn alter(
    old: &SourceField,
    new: &SourceField,
    is_typed: bool,
    push: &mut dyn FnMut((ChangeKind, Severity, Compatibility)),
) {
    if old.types != new.types {
        let (mut severity, compatibility) = retyped(old.types, new.types);
        if !is_typed && is_plain(old.types) && is_plain(new.types) {
            severity = Severity::Low;
        }
        push((ChangeKind::Retyped, severity, compatibility));
    }
    match (old.nullable, new.nullable) {
        (false, true) => {
            push((
                ChangeKind::BecameNullable,
                Severity::Medium,
                Compatibility::Backward,
            ));
        }
        (true, false) => push((
            ChangeKind::BecameRequired,
            Severity::Low,
            Compatibility::Forward,
        )),
        _ => {}
    }
    if old.values != new.values {
        // No list means that any value may come.
        let backward =
            new.values.is_empty() || !old.values.is_empty() && new.values.is_superset(&old.values);
        let forward =
            old.values.is_empty() || !new.values.is_empty() && old.values.is_superset(&new.values);
        let severity = if forward {
            Severity::Low
        } else {
            Severity::Medium
        };
        push((
            ChangeKind::ValuesChanged,
            severity,
            Compatibility::new(backward, forward),
        ));
    }
    if old.key != new.key {
        push((ChangeKind::KeyChanged, Severity::High, Compatibility::None));
    }
}

fn retyped(old: SourceTypes, new: SourceTypes) -> (Severity, Compatibility) {
    let compatibility = Compatibility::new(new.covers(old), old.covers(new));
    let severity = match compatibility {
        _ if old.is_empty() => Severity::Low,
        Compatibility::Forward => Severity::Medium,
        Compatibility::Backward if promotes(old, new) => Severity::Medium,
        _ => Severity::High,
    };
    (severity, compatibility)
}

/// Whether the new types are the old ones with a narrow one replaced by its wider one, as Avro
/// promotes `int` to `double`, and not a further type beside them.
fn promotes(old: SourceTypes, new: SourceTypes) -> bool {
    let widened = old.iter().map(|it| match it {
        SourceType::Integer if new.contains(SourceType::Decimal) => SourceType::Decimal,
        SourceType::Date if new.contains(SourceType::Timestamp) => SourceType::Timestamp,
        other => other,
    });
    widened.collect::<SourceTypes>() == new
}

/// Whether each value has a text, as a cell of a file has.
fn is_plain(types: SourceTypes) -> bool {
    !types.contains(SourceType::Object) && !types.contains(SourceType::Array)
}

fn weigh(severity: Severity, demand: Demand) -> Severity {
    match (severity, demand) {
        (Severity::Medium, Demand::Unused) => Severity::Low,
        (Severity::High, Demand::Unused) => Severity::Medium,
        (Severity::Medium, Demand::Required) => Severity::High,
        (Severity::High, Demand::Required) => Severity::Critical,
        (severity, _) => severity,
    }
}

#[cfg(test)]
mod tests;
