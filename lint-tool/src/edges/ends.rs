//! Edges by where they begin or end.
//!
//! A workspace has many edges and few places that they lie between: a selector is asked about each place
//! once, and not about each edge.

use std::collections::HashMap;

use super::{Edge, Spot};
use crate::selector::Selector;

/// The edges of each place, by number.
#[derive(Debug, Default)]
pub(super) struct Ends(Vec<Vec<usize>>);

impl Ends {
    /// Edges by one of their ends.
    pub(super) fn of(edges: &[Edge], end: impl Fn(&Edge) -> &Spot) -> Ends {
        let mut places: HashMap<&Spot, usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (number, edge) in edges.iter().enumerate() {
            let group = *places.entry(end(edge)).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(number);
        }
        Ends(groups)
    }

    /// The edges with an end that a selector covers, in their order.
    pub(super) fn covered(
        &self,
        edges: &[Edge],
        end: impl Fn(&Edge) -> &Spot,
        selectors: &[Selector],
    ) -> Vec<usize> {
        let is_covered = |group: &&Vec<usize>| {
            let place = group.first().map(|it| end(&edges[*it]));
            place.is_some_and(|place| selectors.iter().any(|it| it.covers(place).is_some()))
        };
        let groups = self.0.iter().filter(is_covered);
        let mut found: Vec<usize> = groups.flatten().copied().collect();
        found.sort_unstable();
        found
    }
}
