//! How the rules about edges choose what to say: each breach once per place.

use std::collections::BTreeSet;

use crate::edges::Edge;

/// An edge and what it breaks, as text that tells two breaches apart.
pub(super) type Breach<'a, T> = (&'a Edge, String, T);

/// Leaves out what follows from another breach of the same file: a path through an import that is
/// itself a breach, and a re-export's target where the way to it is one.
pub(super) fn distinct<T>(breaches: Vec<Breach<'_, T>>) -> Vec<Breach<'_, T>> {
    let is_alias = |edge: &Edge| edge.code.as_ref().is_some_and(|it| it.by_alias);
    let imported: BTreeSet<(String, String)> = breaches
        .iter()
        .filter(|(edge, _, _)| !is_alias(edge))
        .map(|(edge, key, _)| (edge.place.file.clone(), key.clone()))
        .collect();
    let mut seen = BTreeSet::new();
    breaches
        .into_iter()
        .filter(|(edge, key, _)| {
            let follows =
                is_alias(edge) && imported.contains(&(edge.place.file.clone(), key.clone()));
            !follows && seen.insert((edge.place.clone(), key.clone()))
        })
        .collect()
}

/// A contract's reason, as it follows its note.
pub(super) fn reason(reason: &Option<String>) -> String {
    reason
        .as_ref()
        .map(|it| format!(": {it}"))
        .unwrap_or_default()
}
