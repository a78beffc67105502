//! Names that stand alone: only a glob can bring them from elsewhere.

use std::collections::BTreeSet;

use super::extract::Walker;
use super::{Facts, Segment};

/// Whether a name is written like a type, a trait or a constant.
pub(super) fn is_capital(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && name != "Self"
}

impl Walker {
    /// Notes a name that is written like a type, a trait or a constant.
    pub(super) fn name(&mut self, segment: Segment) {
        if is_capital(&segment.name) {
            self.note_name(segment);
        }
    }

    /// Notes the name of what is called.
    pub(super) fn called(&mut self, segment: Segment) {
        if !is_capital(&segment.name)
            && !matches!(segment.name.as_str(), "self" | "super" | "crate")
        {
            self.note_name(segment);
        }
    }

    fn note_name(&mut self, segment: Segment) {
        if !self.quoted {
            let name = self.path_ref(vec![segment], false);
            self.facts.names.push(name);
        }
    }

    /// What was written down. Of names those stay that a glob may bring, each once a scope.
    pub(super) fn into_facts(mut self) -> Facts {
        let mut names = std::mem::take(&mut self.facts.names);
        if self.facts.uses.iter().any(|it| it.glob) {
            let mut seen = BTreeSet::new();
            names.sort_by_key(|it| it.segments[0].span);
            names.retain(|it| {
                let name = &it.segments[0].name;
                let is_local = !is_capital(name) && self.bound.contains(name);
                !is_local && seen.insert((it.scope, it.test, name.clone()))
            });
            self.facts.names = names;
        }
        self.facts
    }
}
