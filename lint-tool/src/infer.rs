//! `init`: a first configuration. An inferred one describes the workspace as it is, and passes.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{self, Analysis};
use crate::config::Config;
use crate::date::Date;
use crate::diagnostic::{Diagnostic, Level};
use crate::error::Error;
use crate::files::SourceFiles;

const HEAD: &str = "# The structure of this workspace: who may use whom.\n\
    # `cargo structure-lint explain SLnnn` explains each table, `list-rules` lists them.\n";

/// Without inference: nothing is said of this workspace yet.
pub fn starter() -> String {
    format!(
        "{HEAD}\n# [groups]\n# functions = [\"functions/*\"]\n\n# [[layers]]                 # lowest first\n\
         # name = \"workspace\"\n# order = [\"schema\", \"functions\"]\n"
    )
}

/// One excuse can bring up what was shown as one with what it covers.
const ROUNDS: usize = 5;

/// Layers by who uses whom today, and an exception for each place where a rule finds something. No rule
/// is turned down: what is new is found.
pub fn infer(files: &SourceFiles, today: Date) -> Result<String, Error> {
    let layers = layers(&check::analyse(files)?);
    let mut text = format!("{HEAD}{}", layers_text(&layers));
    let mut is_first = true;
    for _ in 0..ROUNDS {
        let config = Config::parse(&text).map_err(|err| Error::Usage(err.to_string()))?;
        let report = check::check_files(files, &config, today)?;
        let found = report.diagnostics.iter().chain(&report.following);
        let places: BTreeSet<Known> = found
            .filter(|it| it.level == Level::Error && it.code < "SL902")
            .map(Known::of)
            .collect();
        if places.is_empty() {
            break;
        }
        if std::mem::take(&mut is_first) {
            text.push_str(
                "\n# What was found on the first day. Fix it, then remove the exception.\n",
            );
        }
        text.extend(places.iter().map(Known::text));
    }
    Ok(text)
}

/// Findings that one exception covers: those in tests by rule, the others by rule, file and target.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    rule: &'static str,
    is_other: bool,
    place: String,
    to: String,
}

impl Known {
    fn of(it: &Diagnostic) -> Known {
        let is_test = it.from.as_ref().is_some_and(|it| it.test);
        Known {
            rule: it.code,
            is_other: !is_test,
            place: if is_test {
                "@tests".to_owned()
            } else {
                it.place.file.clone()
            },
            to: if is_test {
                String::new()
            } else {
                it.to.clone()
            },
        }
    }

    fn text(&self) -> String {
        let Known {
            rule, place, to, ..
        } = self;
        let to = if to.is_empty() {
            String::new()
        } else {
            format!("to = {to:?}\n")
        };
        format!(
            "[[except]]\nrule = \"{rule}\"\nin = [{place:?}]\n{to}reason = \"found on the first day\"\n"
        )
    }
}

/// Packages by the longest chain of uses below them. Those in a circle share a layer.
fn layers(analysis: &Analysis) -> Vec<Vec<String>> {
    let packages = &analysis.workspace.packages;
    let mut uses: BTreeSet<(&str, &str)> = BTreeSet::new();
    for edge in analysis
        .edges
        .all
        .iter()
        .filter(|it| !it.to.file.is_empty())
    {
        uses.insert((edge.from.root(), edge.to.root()));
    }
    let mut heights: BTreeMap<&str, usize> =
        packages.iter().map(|it| (it.ident.as_str(), 0)).collect();
    // As many rounds as packages suffice without a circle; with one the heights are cut there.
    for _ in 0..packages.len() {
        for (from, to) in &uses {
            let above = heights.get(to).copied().unwrap_or(0) + 1;
            let is_circle = uses.contains(&(*to, *from));
            if let Some(height) = heights.get_mut(from).filter(|_| from != to && !is_circle) {
                *height = (*height).max(above).min(packages.len());
            }
        }
    }
    let mut layers: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for package in packages {
        let height = heights.get(package.ident.as_str()).copied().unwrap_or(0);
        layers.entry(height).or_default().push(package.name.clone());
    }
    layers.into_values().collect()
}

/// Nothing for fewer than two layers.
fn layers_text(layers: &[Vec<String>]) -> String {
    if layers.len() < 2 {
        return String::new();
    }
    let groups = layers.iter().enumerate();
    let groups: String = groups
        .map(|(at, it)| format!("layer-{at} = {it:?}\n"))
        .collect();
    let order: Vec<String> = (0..layers.len()).map(|at| format!("layer-{at}")).collect();
    format!(
        "\n# Give the layers names that say what belongs there.\n[groups]\n{groups}\n[[layers]] # lowest first\n\
         name = \"workspace\"\norder = {order:?}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inferred_passes_and_notices_the_next_violation() {
        let day = || "2026-11-22".parse().unwrap();
        let clean = "//- a/src/lib.rs uses b\nuse b::f;\n//- b/src/lib.rs\nmod gone;\n";
        let text = infer(&SourceFiles::fixture(clean), day()).unwrap();
        assert!(
            text.contains("layer-0 = [\"b\"]\nlayer-1 = [\"a\"]"),
            "{text}"
        );
        assert!(
            text.contains("rule = \"SL901\"\nin = [\"b/src/lib.rs\"]\nreason"),
            "{text}"
        );
        assert!(!text.contains("[rules]"), "{text}");
        let config = Config::parse(&text).unwrap();
        let check = |fixture: &str| {
            check::check_files(&SourceFiles::fixture(fixture), &config, day())
                .unwrap()
                .is_clean(false)
        };
        assert!(check(clean));
        assert!(!check(&format!("{clean}//- a/src/lib.rs\nmod gone;\n")));
        assert!(!check(
            "//- a/src/lib.rs\n//- b/src/lib.rs uses a\nuse a::f;\n"
        ));
    }

    #[test]
    fn circles_and_single_packages_have_a_configuration_too() {
        for fixture in [
            "//- a/src/lib.rs uses b\nuse b::f;\n//- b/src/lib.rs uses a, c\nuse a::g; use c::h;\n//- c/src/lib.rs uses a\nuse a::g;\n",
            "fn f() {}",
        ] {
            let files = SourceFiles::fixture(fixture);
            let day = "2026-11-22".parse().unwrap();
            let config = Config::parse(&infer(&files, day).unwrap()).unwrap();
            let report = check::check_files(&files, &config, day).unwrap();
            assert!(report.is_clean(false), "{:?}", report.diagnostics);
        }
        assert!(Config::parse(&starter()).is_ok());
    }
}
