//! Which edges came and went between two states of a workspace.

use std::collections::BTreeMap;

use crate::edges::{Edge, Edges};

/// One line for each edge between modules that only one side has, `+` or `-`, with a place.
pub fn text(before: &Edges, after: &Edges) -> String {
    let (before, after) = (by_ends(before), by_ends(after));
    let mut lines = Vec::new();
    for (mark, one, other) in [('-', &before, &after), ('+', &after, &before)] {
        for (ends, edge) in one.iter().filter(|(ends, _)| !other.contains_key(*ends)) {
            let place = &edge.place;
            let line = format!(
                "{mark} {} -> {}   {}:{}\n",
                ends.0, ends.1, place.file, place.span.line
            );
            lines.push((ends.clone(), mark, line));
        }
    }
    lines.sort();
    lines.into_iter().map(|(_, _, line)| line).collect()
}

/// The first edge in code from one module to another, or to a crate from elsewhere.
fn by_ends(edges: &Edges) -> BTreeMap<(String, String), &Edge> {
    let mut found: BTreeMap<_, &Edge> = BTreeMap::new();
    let code = edges.all.iter().filter(|it| it.code.is_some());
    for edge in code {
        let to = if edge.to.file.is_empty() {
            edge.to.path.split("::").next().unwrap_or_default()
        } else {
            &edge.to.path
        };
        let known = found
            .entry((edge.from.path.clone(), to.to_owned()))
            .or_insert(edge);
        if edge.place < known.place {
            *known = edge;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::analyse;
    use crate::files::SourceFiles;

    #[test]
    fn edges_that_stay_are_left_out() {
        let analysis = |source: &str| {
            let text = format!(
                "//- a/src/lib.rs uses b, log\n{source}\n//- b/src/lib.rs\npub mod c {{}}\n"
            );
            analyse(&SourceFiles::fixture(&text)).unwrap().edges
        };
        let before = analysis("use b::c;\nuse log::info;");
        let after = analysis("\nuse log::warn;\n\nfn f() { b::g() }");
        assert_eq!(
            text(&before, &after),
            "+ a -> b   a/src/lib.rs:4\n- a -> b::c   a/src/lib.rs:1\n"
        );
        assert_eq!(text(&after, &after), "");
    }
}
