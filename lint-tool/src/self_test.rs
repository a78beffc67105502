//! Proves that the configured contracts fire: each gets a breach planted in a copy of the facts, and
//! each rule its own bad example.

use crate::config::Config;
use crate::date::Date;
use crate::diagnostic::{Diagnostic, Place, Span};
use crate::edges::{CodeEdge, Edge, Edges, Spot, spot};
use crate::engine::{self, Analysis, Context};
use crate::error::Error;
use crate::models::Models;
use crate::rules::{self, RULES, Rule};
use crate::tree::Tree;

/// What became of one planted breach.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub code: &'static str,
    pub planted: String,
    pub fired: bool,
}

/// Plants a breach for each contract of the configuration, and for each rule.
pub fn run(tree: &Tree, config: &Config, today: Date) -> Result<Vec<Verdict>, Error> {
    let analysis = engine::analyse(tree)?;
    let models = Models::default();
    let field = Field {
        tree,
        config,
        analysis: &analysis,
        models: &models,
    };
    let mut verdicts: Vec<Verdict> = field.breaches().iter().map(|it| field.plant(it)).collect();
    for rule in RULES {
        verdicts.push(example(*rule, today));
    }
    Ok(verdicts)
}

/// The verdicts as a Markdown table.
pub fn table(verdicts: &[Verdict]) -> String {
    let row = |it: &Verdict| {
        let verdict = if it.fired { "fires" } else { "SILENT" };
        format!("| {} | {} | {verdict} |\n", it.code, it.planted)
    };
    let rows: String = verdicts.iter().map(row).collect();
    format!("| rule | planted | verdict |\n|---|---|---|\n{rows}")
}

/// An edge that a contract forbids.
struct Breach {
    code: &'static str,
    contract: String,
    ends: Option<(Spot, Spot)>,
}

struct Field<'a> {
    tree: &'a Tree,
    config: &'a Config,
    analysis: &'a Analysis,
    models: &'a Models,
}

impl Field<'_> {
    fn breaches(&self) -> Vec<Breach> {
        let config = self.config;
        let mut all = Vec::new();
        let mut add = |code, contract: String, ends| {
            all.push(Breach {
                code,
                contract,
                ends,
            })
        };
        for it in &config.layers {
            for pair in it.order.windows(2) {
                let (low, high) = (pair[0].get_ref(), pair[1].get_ref());
                let contract = format!("`{}`: `{low}` uses `{high}`", it.name);
                add("SL010", contract, self.first(low).zip(self.first(high)));
            }
        }
        for it in &config.independent {
            let contract = format!("`{}` use each other", it.name);
            add(
                "SL011",
                contract,
                self.two_parts(it.members.iter().map(|it| it.get_ref().as_str())),
            );
        }
        for it in &config.forbid {
            let (from, to) = (it.from.first(), it.to.first());
            if let Some((from, to)) = from.zip(to) {
                let contract = format!("`{}` uses `{}`", from.get_ref(), to.get_ref());
                add(
                    "SL012",
                    contract,
                    self.first(from.get_ref()).zip(self.end(to.get_ref())),
                );
            }
        }
        for it in &config.confine {
            let allowed = |spot: &Spot| config.covering(&it.to, spot).is_some();
            let outside = self.spots().find(|spot| !allowed(spot));
            let contract = format!("`{}` outside of its places", it.target.get_ref());
            add(
                "SL017",
                contract,
                outside.zip(self.end(it.target.get_ref())),
            );
        }
        all
    }

    /// Whether the rule speaks of the edge when it is the only one.
    fn plant(&self, breach: &Breach) -> Verdict {
        let fired = breach.ends.as_ref().is_some_and(|(from, to)| {
            let edges = Edges::of(vec![edge(from, to)]);
            let mut found: Vec<Diagnostic> = Vec::new();
            if let Some(rule) = rules::find(breach.code) {
                rule.check(&self.context(&edges), &mut found);
            }
            found
                .iter()
                .any(|it| it.code == breach.code && it.place.file == from.file)
        });
        Verdict {
            code: breach.code,
            planted: breach.contract.clone(),
            fired,
        }
    }

    fn context<'a>(&'a self, edges: &'a Edges) -> Context<'a> {
        Context {
            tree: self.tree,
            config: self.config,
            workspace: &self.analysis.workspace,
            modules: &self.analysis.modules,
            edges,
            models: self.models,
        }
    }

    fn spots(&self) -> impl Iterator<Item = Spot> + '_ {
        let modules = &self.analysis.modules;
        (0..modules.all.len()).map(|it| spot(modules, it))
    }

    fn first(&self, name: &str) -> Option<Spot> {
        self.spots()
            .find(|it| self.config.covers(name, it).is_some())
    }

    /// A place of the workspace, or a path of a crate from elsewhere.
    fn end(&self, name: &str) -> Option<Spot> {
        let outside = || Spot {
            path: crate::workspace::ident(name),
            file: String::new(),
            test: false,
            build: false,
        };
        self.first(name)
            .or_else(|| Some(outside()).filter(|it| self.config.covers(name, it).is_some()))
    }

    /// Two places that the names cover by different parts.
    fn two_parts<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> Option<(Spot, Spot)> {
        let part = |spot: &Spot| names.clone().find_map(|it| self.config.covers(it, spot));
        let from = self.spots().find(|it| part(it).is_some())?;
        let to = self
            .spots()
            .find(|it| part(it).is_some_and(|it| Some(it) != part(&from)))?;
        Some((from, to))
    }
}

fn edge(from: &Spot, to: &Spot) -> Edge {
    Edge {
        place: Place::new(&from.file, Span::START),
        from: from.clone(),
        to: to.clone(),
        text: to.path.clone(),
        code: Some(CodeEdge {
            direct: true,
            by_alias: false,
        }),
    }
}

/// The rule's first bad example, checked as a workspace of its own.
fn example(rule: &dyn Rule, today: Date) -> Verdict {
    let example = rule
        .explain()
        .split("```bad\n")
        .nth(1)
        .and_then(|it| it.split("```").next());
    let fires = |text: &str| {
        let tree = Tree::fixture(text);
        let config = Config::parse(tree.get(crate::config::FILE_NAME).unwrap_or_default()).ok()?;
        let report = engine::check_tree(&tree, &config, today).ok()?;
        Some(report.diagnostics.iter().any(|it| it.code == rule.code()))
    };
    Verdict {
        code: rule.code(),
        planted: format!("the bad example of `{}`", rule.name()),
        fired: example.and_then(fires).unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent(config: &str) -> Vec<String> {
        let tree = Tree::fixture("//- a/src/lib.rs\n//- b/src/lib.rs\nmod db {}\n");
        let verdicts = run(
            &tree,
            &Config::parse(config).unwrap(),
            "2026-11-22".parse().unwrap(),
        );
        let silent = verdicts.unwrap().into_iter().filter(|it| !it.fired);
        silent
            .map(|it| format!("{} {}", it.code, it.planted))
            .collect()
    }

    #[test]
    fn a_contract_that_can_be_broken_fires() {
        let config = "[[layers]]\nname = \"w\"\norder = [\"a\", \"b\"]\n[[independent]]\nname = \"two\"\nmembers = [\"a\", \"b\"]\n\
            [[forbid]]\nfrom = [\"b\"]\nto = [\"a\"]\n[[confine]]\ncrate = \"sqlx\"\nto = [\"b::db\"]\n";
        assert_eq!(silent(config), [""; 0]);
    }

    #[test]
    fn a_contract_that_nothing_can_break_is_silent() {
        let config = "[[independent]]\nname = \"one\"\nmembers = [\"a\"]\n[[forbid]]\nfrom = [\"gone\"]\nto = [\"a\"]\n";
        assert_eq!(
            silent(config),
            ["SL011 `one` use each other", "SL012 `gone` uses `a`"]
        );
    }
}
