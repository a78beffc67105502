//! What somebody may have meant who names something that is not there.

use std::collections::BTreeSet;

use crate::check::Analysis;
use crate::edges::{Spot, spot};
use crate::modules::Modules;
use crate::selector::Selector;
use crate::workspace::{Extern, Workspace};

/// So alike a name has to be.
const LIKENESS: f64 = 0.75;

/// The crates from elsewhere that code may name.
fn outside(workspace: &Workspace) -> BTreeSet<&str> {
    let externs = workspace.packages.iter().flat_map(|it| it.externs.values());
    let named = externs.filter_map(|it| match it {
        Extern::Outside(name) => Some(name.as_str()),
        Extern::Member(_) => None,
    });
    named
        .chain(["std", "core", "alloc", "proc_macro"])
        .collect()
}

/// A name like this one, as a question.
pub(crate) fn meant(workspace: &Workspace, modules: &Modules, name: &str) -> Option<String> {
    let ends = |rest: &str| {
        let end = format!("::{rest}");
        modules.all.iter().find(|it| it.path.ends_with(&end))
    };
    // A configuration speaks of all packages, so that it names them.
    let known = match name.strip_prefix("crate::") {
        Some(rest) => ends(rest).map(|it| it.path.as_str()),
        None => {
            let all = modules.all.iter().map(|it| it.path.as_str());
            let dirs = workspace.packages.iter().map(|it| it.dir.as_str());
            let all = all.chain(dirs).chain(outside(workspace));
            let rated = all.map(|it| (strsim::jaro_winkler(name, it), it));
            let best = rated.max_by(|one, other| one.0.total_cmp(&other.0));
            best.filter(|(likeness, _)| *likeness >= LIKENESS)
                .map(|(_, it)| it)
        }
    };
    known.map(|it| format!("did you mean `{it}`?"))
}

/// Why a selector stands for nothing of a workspace, if it does.
pub(crate) fn unknown(analysis: &Analysis, name: &str) -> Option<String> {
    let selector = Selector::parse(name);
    let root = name
        .split("::")
        .next()
        .unwrap_or_default()
        .replace('-', "_");
    let (workspace, modules) = (&analysis.workspace, &analysis.modules);
    let covers = |it: &Spot| selector.covers(it).is_some();
    let is_known = matches!(selector, Selector::Tests | Selector::Build)
        || outside(workspace).contains(root.as_str())
        || (0..modules.all.len()).any(|it| covers(&spot(modules, it)))
        || analysis
            .edges
            .all
            .iter()
            .any(|it| covers(&it.from) || covers(&it.to));
    let hint =
        || meant(workspace, modules, name).unwrap_or("name a package, a module or a path".into());
    (!is_known).then(|| format!("nothing is called `{name}`; {}", hint()))
}
