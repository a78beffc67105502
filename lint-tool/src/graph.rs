//! Questions about the edges: why one thing reaches another, and who uses whom.

mod html;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use clap::ValueEnum;

use crate::edges::{Edge, Edges, Spot};
use crate::selector::Selector;

/// How a graph is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    Dot,
    Mermaid,
    Json,
    /// A page that needs nothing else.
    Html,
}

/// The shortest chain of edges in code from one selector to another.
pub fn why<'a>(edges: &'a Edges, from: &Selector, to: &Selector) -> Option<Vec<&'a Edge>> {
    let mut by_source: BTreeMap<&str, Vec<&Edge>> = BTreeMap::new();
    for edge in edges.all.iter().filter(|it| it.code.is_some()) {
        by_source.entry(&edge.from.path).or_default().push(edge);
    }
    let starts = by_source
        .iter()
        .filter(|(_, it)| from.covers(&it[0].from).is_some());
    let mut open: VecDeque<&str> = starts.map(|(path, _)| *path).collect();
    let mut seen: BTreeSet<&str> = open.iter().copied().collect();
    let mut reached_by: BTreeMap<&str, &Edge> = BTreeMap::new();
    while let Some(at) = open.pop_front() {
        for edge in by_source.get(at).into_iter().flatten() {
            if to.covers(&edge.to).is_some() && from.covers(&edge.to).is_none() {
                return Some(chain(edge, &reached_by));
            }
            if seen.insert(&edge.to.path) {
                reached_by.insert(&edge.to.path, edge);
                open.push_back(&edge.to.path);
            }
        }
    }
    None
}

fn chain<'a>(last: &'a Edge, reached_by: &BTreeMap<&str, &'a Edge>) -> Vec<&'a Edge> {
    let back = |edge: &&'a Edge| reached_by.get(edge.from.path.as_str()).copied();
    let mut chain: Vec<&Edge> = std::iter::successors(Some(last), back).collect();
    chain.reverse();
    chain
}

/// A chain as text, one edge a line.
pub fn chain_text(chain: &[&Edge]) -> String {
    let line = |it: &&Edge| {
        let span = it.place.span;
        let place = format!("{}:{}:{}", it.place.file, span.line, span.column);
        format!(
            "{} -> {}   `{}` at {place}\n",
            it.from.path, it.to.path, it.text
        )
    };
    chain.iter().map(line).collect()
}

/// The members of the workspace that use each other, with the number of places.
pub fn graph(edges: &Edges, format: GraphFormat) -> String {
    let root = |it: &Spot| it.path.split("::").next().unwrap_or_default().to_owned();
    let mut uses: BTreeMap<(String, String), usize> = BTreeMap::new();
    for edge in edges
        .all
        .iter()
        .filter(|it| it.code.is_some() && !it.to.file.is_empty())
    {
        let key = (root(&edge.from), root(&edge.to));
        if key.0 != key.1 {
            *uses.entry(key).or_default() += 1;
        }
    }
    let lines = |line: &dyn Fn(&str, &str, usize) -> String| -> String {
        uses.iter()
            .map(|((from, to), places)| line(from, to, *places))
            .collect()
    };
    match format {
        GraphFormat::Dot => {
            format!(
                "digraph {{\n{}}}\n",
                lines(&|a, b, n| format!("  {a} -> {b} [label={n}];\n"))
            )
        }
        GraphFormat::Mermaid => {
            format!(
                "graph TD\n{}",
                lines(&|a, b, n| format!("  {a} -->|{n}| {b}\n"))
            )
        }
        GraphFormat::Html => html::page(&uses),
        GraphFormat::Json => {
            let edge = |((from, to), places): (&(String, String), &usize)| serde_json::json!({ "from": from, "to": to, "places": places });
            let edges: Vec<_> = uses.iter().map(edge).collect();
            format!(
                "{:#}\n",
                serde_json::json!({ "version": 1, "edges": edges })
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::analyse;
    use crate::files::SourceFiles;

    const FIXTURE: &str = "//- a/src/lib.rs uses b\nuse b::f;\n//- b/src/lib.rs uses c\n\
        pub fn f() { inner::g() }\nmod inner { pub fn g() { c::h() } }\n//- c/src/lib.rs\npub fn h() {}\n";

    #[test]
    fn why_is_the_shortest_chain_with_places() {
        let analysis = analyse(&SourceFiles::fixture(FIXTURE)).unwrap();
        let ask = |from: &str, to: &str| {
            let found = why(
                &analysis.edges,
                &Selector::parse(from),
                &Selector::parse(to),
            );
            found.map(|it| chain_text(&it))
        };
        assert_eq!(
            ask("a", "c").unwrap(),
            "a -> b   `b::f` at a/src/lib.rs:1:5\n\
             b -> b::inner   `inner::g` at b/src/lib.rs:1:14\n\
             b::inner -> c   `c::h` at b/src/lib.rs:2:26\n"
        );
        assert_eq!(ask("c", "a"), None);
    }

    #[test]
    fn a_graph_has_one_line_for_two_crates() {
        let analysis = analyse(&SourceFiles::fixture(FIXTURE)).unwrap();
        let dot = "digraph {\n  a -> b [label=1];\n  b -> c [label=1];\n}\n";
        assert_eq!(graph(&analysis.edges, GraphFormat::Dot), dot);
        let mermaid = "graph TD\n  a -->|1| b\n  b -->|1| c\n";
        assert_eq!(graph(&analysis.edges, GraphFormat::Mermaid), mermaid);
    }
}
