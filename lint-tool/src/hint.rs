//! What somebody may have meant who names something that is not there.

use crate::check::Analysis;
use crate::edges::{Spot, spot};
use crate::modules::Modules;
use crate::selector::Selector;
use crate::workspace::Workspace;

/// So alike a name has to be.
const LIKENESS: f64 = 0.75;

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
            let all = all.chain(dirs).chain(workspace.crates_outside());
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
        || workspace.crates_outside().contains(root.as_str())
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
