//! SL018

use super::Rule;
use crate::check::Context;
use crate::config::Layers;
use crate::diagnostic::{Diagnostic, Level, Place, Span};
use crate::edges::{Spot, package_spot, spot};
use crate::selector::Selector;

/// A crate or module that no layer holds.
pub(super) struct Unassigned;

impl Rule for Unassigned {
    fn code(&self) -> &'static str {
        "SL018"
    }

    fn name(&self) -> &'static str {
        "unassigned"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A crate or module that no layer holds.

A new crate that stands in no layer is checked by no layer. So each package of the workspace (or each
child of the module that `within` names) stands in one.

```bad
//- structure-lint.toml
[[layers]]
name = "workspace"
order = ["schema", "functions/*"]
//- schema/src/lib.rs
//- functions/auth/src/lib.rs
//- newcomer/src/lib.rs
```

```good
//- structure-lint.toml
[[layers]]
name = "workspace"
order = ["schema", "functions/*"]
//- schema/src/lib.rs
//- functions/auth/src/lib.rs
```

How to fix: add it to `order`, or to a group that stands there."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for layers in &cx.config.layers {
            for (spot, place) in subjects(cx, layers) {
                if cx.config.covering(&layers.order, &spot).is_none() {
                    let message =
                        format!("`{}` stands in no layer of `{}`", spot.path, layers.name);
                    let line = layers.order.first().map(|it| cx.config.place(it));
                    let finding = Diagnostic::new("SL018", place, message)
                        .note("the layers are named here", line)
                        .help("add it to `order`, or to a group that stands there")
                        .from(&spot);
                    out.push(finding);
                }
            }
        }
    }
}

/// What must stand in a layer, and where to say that it does not.
fn subjects(cx: &Context, layers: &Layers) -> Vec<(Spot, Place)> {
    let Some(within) = &layers.within else {
        let packages = cx.workspace.packages.iter().enumerate();
        return packages
            .map(|(index, it)| {
                let span = it
                    .manifest
                    .package
                    .as_ref()
                    .map_or(Span::START, |it| it.span);
                (
                    package_spot(cx.workspace, cx.modules, index),
                    it.manifest.place(span),
                )
            })
            .collect();
    };
    let parent = Selector::parse(within.get_ref());
    let is_child = |path: &str| {
        let above = path.rsplit_once("::").map(|(above, _)| above);
        above.is_some_and(|it| parent == Selector::parse(it))
    };
    let children = cx
        .modules
        .all
        .iter()
        .enumerate()
        .filter(|(_, it)| is_child(&it.path) && !it.test);
    children
        .map(|(id, it)| (spot(cx.modules, id), Place::new(&it.file, Span::START)))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn with_within_each_child_module_needs_a_layer() {
        check(
            "SL018",
            "//- structure-lint.toml\n[[layers]]\nname = \"app\"\nwithin = \"app\"\norder = [\"app::db\"]\n\
             //- src/lib.rs\nmod db { mod inner {} }\nmod routes;\n//- src/routes.rs\n",
            "src/routes.rs:1:1 `app::routes` stands in no layer of `app`",
        );
    }
}
