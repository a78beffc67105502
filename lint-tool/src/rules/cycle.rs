//! SL015

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Rule;
use super::edge_report::reason;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::edges::{Edge, Spot};

/// Things that use each other in a circle.
pub(super) struct Cycle;

impl Rule for Cycle {
    fn code(&self) -> &'static str {
        "SL015"
    }

    fn name(&self) -> &'static str {
        "cycle"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"Things that use each other in a circle.

What stands in a circle is one thing in several places: none of them can be understood, tested or
replaced without the others. Three kinds of circles are looked for, test code left out:

- packages, by their manifests: Cargo refuses them, but only when it is run. A circle that only a
  dev-dependency closes is how crates test each other, and is not meant;
- the `[groups]` of the configuration, by every use in code: two groups can go in a circle though
  no two crates do;
- what `[[acyclic]]` names, such as the modules of one crate.

Modules are asked for by name because Rust's modules are no units of building: a parent re-exports
its children, which use its types, and siblings share a trait and its implementations. Nearly every
well-kept crate has such circles. Those that must have none say so.

```bad
//- structure-lint.toml
[[acyclic]]
name = "modules of the app"
members = ["app::*"]
//- src/lib.rs
mod db { use crate::web::Page; pub struct Row; }
mod web { use crate::db::Row; pub struct Page; }
```

```good
//- structure-lint.toml
[[acyclic]]
name = "modules of the app"
members = ["app::*"]
//- src/lib.rs
mod db { pub struct Row; #[cfg(test)] mod tests { use crate::web::Page; } }
mod web { use crate::db::Row; pub struct Page; }
```

How to fix: move what both need below them, or turn one edge round with a trait or an argument."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        packages(cx).report("packages that depend on each other", None, out);
        groups(cx).report("groups of the configuration", None, out);
        for contract in &cx.config.acyclic {
            let mut graph = Graph::default();
            for edge in in_code(cx) {
                let part = |it| cx.config.covering(&contract.members, it);
                if let (Some((_, from)), Some((_, to))) = (part(&edge.from), part(&edge.to)) {
                    graph.add(&from, &to, edge);
                }
            }
            let what = format!(
                "`{}` has no circle{}",
                contract.name,
                reason(&contract.reason)
            );
            let line = contract.members.first().map(|it| cx.config.place(it));
            graph.report(&what, line, out);
        }
    }
}

fn in_code<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a Edge> {
    let edges: &'a [Edge] = &cx.edges.all;
    edges.iter().filter(|it| it.code.is_some())
}

fn packages<'a>(cx: &Context<'a>) -> Graph<'a> {
    let mut graph = Graph::default();
    let edges: &'a [Edge] = &cx.edges.all;
    for edge in edges.iter().filter(|it| it.code.is_none()) {
        graph.add(&edge.from.path, &edge.to.path, edge);
    }
    graph
}

/// What two groups share is an edge of neither.
fn groups<'a>(cx: &Context<'a>) -> Graph<'a> {
    let mut graph = Graph::default();
    let holding = |spot: &Spot| -> BTreeSet<&str> {
        let names = cx.config.groups.keys().map(String::as_str);
        names
            .filter(|it| cx.config.covers(it, spot).is_some())
            .collect()
    };
    for edge in in_code(cx).filter(|_| cx.config.groups.len() > 1) {
        let (from, to) = (holding(&edge.from), holding(&edge.to));
        for one in from.difference(&to) {
            for other in to.difference(&from) {
                graph.add(one, other, edge);
            }
        }
    }
    graph
}

/// From → to → every use.
#[derive(Default)]
struct Graph<'a>(BTreeMap<String, BTreeMap<String, Vec<&'a Edge>>>);

impl<'a> Graph<'a> {
    fn add(&mut self, from: &str, to: &str, edge: &'a Edge) {
        if from != to && !edge.from.test {
            let targets = self.0.entry(from.to_owned()).or_default();
            targets.entry(to.to_owned()).or_default().push(edge);
        }
    }

    /// The shortest circle through each edge, each circle once, beginning with its first name.
    fn circles(&self) -> BTreeSet<Vec<&str>> {
        let edges = self
            .0
            .iter()
            .flat_map(|(from, it)| it.keys().map(move |to| (from, to)));
        let circles = edges.filter_map(|(from, to)| {
            let mut circle = self.shortest(to, from)?;
            let first = circle.iter().enumerate().min_by_key(|(_, it)| **it)?.0;
            circle.rotate_left(first);
            Some(circle)
        });
        circles.collect()
    }

    fn shortest<'g>(&'g self, from: &'g str, to: &str) -> Option<Vec<&'g str>> {
        let mut reached_by: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = VecDeque::from([from]);
        while let Some(at) = open.pop_front() {
            if at == to {
                let back = |it: &&'g str| reached_by.get(it).copied();
                let mut way: Vec<&str> = std::iter::successors(Some(at), back).collect();
                way.reverse();
                return Some(way);
            }
            for next in self.0.get(at).into_iter().flat_map(|it| it.keys()) {
                if next != from && !reached_by.contains_key(next.as_str()) {
                    reached_by.insert(next, at);
                    open.push_back(next);
                }
            }
        }
        None
    }

    fn report(&self, what: &str, line: Option<Place>, out: &mut Vec<Diagnostic>) {
        for circle in self.circles() {
            let next = circle.iter().skip(1).chain(circle.first());
            let steps: Vec<(&str, &str, &Vec<&Edge>)> = circle
                .iter()
                .zip(next)
                .map(|(from, to)| (*from, *to, &self.0[*from][*to]))
                .collect();
            // The edge with the fewest uses is the one that is easiest to turn round.
            let Some((from, to, uses)) = steps.iter().min_by_key(|(_, _, it)| it.len()) else {
                continue;
            };
            let message = format!("`{}` -> `{}` is a circle", circle.join("` -> `"), circle[0]);
            let mut finding = Diagnostic::new("SL015", uses[0].place.clone(), message)
                .label(format!("`{from}` uses `{to}`, {}", places(uses.len())))
                .help("move what both need below them, or turn this edge round")
                .to(&uses[0].to.path)
                .from(&uses[0].from);
            let others = steps.iter().filter(|step| (step.0, step.1) != (*from, *to));
            for (from, to, uses) in others {
                let text = format!("`{from}` uses `{to}`, {}", places(uses.len()));
                finding = finding.note(text, Some(uses[0].place.clone()));
            }
            out.push(finding.note(what, line.clone()));
        }
    }
}

fn places(count: usize) -> String {
    if count == 1 {
        "here alone".to_owned()
    } else {
        format!("here and in {} more places", count - 1)
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn packages_go_in_a_circle_unless_tests_close_it() {
        check(
            "SL015",
            "//- a/src/lib.rs uses b\n//- b/src/lib.rs uses c\n//- c/src/lib.rs uses a\n",
            "a/Cargo.toml:6:1 `a` -> `b` -> `c` -> `a` is a circle",
        );
        check(
            "SL015",
            "//- a/src/lib.rs uses b\n//- b/src/lib.rs\n//- b/Cargo.toml\n[package]\nname = \"b\"\n\
             [dev-dependencies]\na = { path = \"../a\" }\n",
            "",
        );
    }

    #[test]
    fn groups_go_in_a_circle_though_no_crates_do() {
        check(
            "SL015",
            "//- structure-lint.toml\n[groups]\nlow = [\"a\", \"b\"]\nhigh = [\"c\", \"d\"]\nsome = [\"a\", \"c\"]\n\
             //- a/src/lib.rs\n//- b/src/lib.rs uses c\nuse c::X;\nuse c::Y;\n//- c/src/lib.rs\n//- d/src/lib.rs uses a\nuse a::X;\n",
            "d/src/lib.rs:1:5 `high` -> `low` -> `high` is a circle",
        );
    }

    #[test]
    fn every_edge_of_a_circle_is_in_a_finding_with_its_place() {
        let circle = |acyclic: &str| {
            format!(
                "//- structure-lint.toml\n{acyclic}\n//- src/lib.rs\nmod a {{ use crate::b::X; use crate::b::Y; }}\n\
                 mod b {{ use crate::c::X; use crate::a; }}\nmod c {{ use crate::a::Z; use crate::a::W; }}\n"
            )
        };
        check("SL015", &circle(""), "");
        check(
            "SL015",
            &circle("[[acyclic]]\nname = \"all\"\nmembers = [\"app::*\"]"),
            "src/lib.rs:2:20 `app::a` -> `app::b` -> `app::c` -> `app::a` is a circle
             src/lib.rs:2:37 `app::a` -> `app::b` -> `app::a` is a circle",
        );
    }
}
