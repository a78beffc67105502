//! How the rules about edges say what they found: each violation is a finding of its own until every
//! excuse was applied, and a reader sees those that follow from another as one with it.
//!
//! **Invariant:** nothing is left out before the excuses, or excusing one finding would hide another.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::diagnostic::{Diagnostic, Group, Place};
use crate::edges::{Edge, Spot};

/// An edge and what it breaks, as text that tells two violations apart.
pub(super) type Violation<'a, T> = (&'a Edge, String, T);

/// Adds the finding of each violation. `contract` tells the contracts of a rule apart.
pub(super) fn report<'a, T>(
    contract: impl Display,
    violations: impl Iterator<Item = Violation<'a, T>>,
    out: &mut Vec<Diagnostic>,
    finding: impl Fn(&Edge, &str, T) -> Diagnostic,
) {
    let mut seen: BTreeSet<(String, Place, Spot, String)> = BTreeSet::new();
    for (order, (edge, key, rest)) in violations.enumerate() {
        let mut it = finding(edge, &key, rest);
        let violation = format!("{contract} {key}");
        // No excuse can tell these apart.
        let same = (
            violation.clone(),
            it.place.clone(),
            edge.from.clone(),
            it.to.clone(),
        );
        if seen.insert(same) {
            it.group = Some(Group {
                violation,
                at: edge.place.clone(),
                order,
                by_alias: edge.code.as_ref().is_some_and(|it| it.by_alias),
            });
            out.push(it);
        }
    }
}

/// Parts what is shown from what follows from a shown finding: a path through an import where the same
/// file breaks the same without one, and what stands at one place, as a re-export's target does.
pub(crate) fn grouped(found: Vec<Diagnostic>) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let violation =
        |it: &Diagnostic, group: &Group| (it.code, group.at.file.clone(), group.violation.clone());
    let mut groups: Vec<(usize, &Diagnostic, &Group)> = found
        .iter()
        .enumerate()
        .filter_map(|(index, it)| Some((index, it, it.group.as_ref()?)))
        .collect();
    groups.sort_by_key(|(_, _, group)| group.order);
    let written: BTreeSet<_> = groups
        .iter()
        .filter(|(_, _, group)| !group.by_alias)
        .map(|(_, it, group)| violation(it, group))
        .collect();
    let mut places = BTreeSet::new();
    let mut is_shown = vec![true; found.len()];
    for (index, it, group) in groups {
        let violation = violation(it, group);
        let follows = group.by_alias && written.contains(&violation);
        is_shown[index] = !follows && places.insert((violation, group.at.span));
    }
    let mut is_shown = is_shown.into_iter();
    found
        .into_iter()
        .partition(|_| is_shown.next().unwrap_or(true))
}

/// A contract's reason, as it follows its note.
pub(super) fn reason(reason: &Option<String>) -> String {
    reason
        .as_ref()
        .map(|it| format!(": {it}"))
        .unwrap_or_default()
}
