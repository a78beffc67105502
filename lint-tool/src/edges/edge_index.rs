//! Edges by where they begin or end.
//!
//! A workspace has many edges and few places that they lie between: a selector is asked about each place
//! once, and not about each edge.

use std::collections::HashMap;

use super::{Edge, Spot};
use crate::selector::Selector;

/// The edges of each place, by number.
#[derive(Debug, Default)]
pub(super) struct EdgeIndex(Vec<Vec<usize>>);

impl EdgeIndex {
    /// Edges by one of their ends.
    pub(super) fn of(edges: &[Edge], end: impl Fn(&Edge) -> &Spot) -> EdgeIndex {
        let mut places: HashMap<&Spot, usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (number, edge) in edges.iter().enumerate() {
            let group = *places.entry(end(edge)).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(number);
        }
        EdgeIndex(groups)
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

#[cfg(test)]
mod tests {
    use crate::edges::Edges;
    use crate::files::SourceFiles;
    use crate::modules::Modules;
    use crate::selector::Selector;
    use crate::workspace::Workspace;

    #[test]
    fn a_selector_has_the_edges_that_it_would_have_one_by_one() {
        let files = SourceFiles::fixture(
            "//- a/src/lib.rs uses b, sqlx\nmod m { use b::x; fn f() { crate::n::g(); std::env::var(\"X\"); } }\n\
             mod n { pub fn g() { b::y(); sqlx::q() } }\nuse b::x as z;\n#[cfg(test)] mod tests { use super::n; }\n\
             //- b/src/lib.rs\npub fn x() {}\npub fn y() {}\n//- b/build.rs\nuse std::env;\n",
        );
        let workspace = Workspace::load(&files).unwrap();
        let edges = Edges::collect(&workspace, &Modules::load(&files, &workspace));
        assert!(edges.all.len() > 8, "{}", edges.all.len());
        for texts in [
            &["a"][..],
            &["a::m", "b"],
            &["a/src/*", "@build"],
            &["@tests"],
            &["std::env", "sqlx"],
            &["{x}/src"],
            &["**/lib.rs"],
            &["none"],
            &[],
        ] {
            let selectors: Vec<Selector> = texts.iter().map(|it| Selector::parse(it)).collect();
            let all = edges.all.iter();
            let from = all.filter(|it| selectors.iter().any(|by| by.covers(&it.from).is_some()));
            let all = edges.all.iter();
            let to = all.filter(|it| selectors.iter().any(|by| by.covers(&it.to).is_some()));
            let places = |it: Vec<&crate::edges::Edge>| format!("{it:?}");
            assert_eq!(
                places(edges.from(&selectors).collect()),
                places(from.collect())
            );
            assert_eq!(places(edges.to(&selectors).collect()), places(to.collect()));
        }
    }
}
