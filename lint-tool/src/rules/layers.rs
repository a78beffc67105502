//! SL010

use toml::Spanned;

use super::Rule;
use super::edge_report::report;
use crate::check::Context;
use crate::config::{Config, Layers};
use crate::diagnostic::{Diagnostic, Level};
use crate::edges::{Edge, Spot};

/// A layer that uses one above it.
pub(super) struct LayerOrder;

impl Rule for LayerOrder {
    fn code(&self) -> &'static str {
        "SL010"
    }

    fn name(&self) -> &'static str {
        "layers"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A layer that uses one above it.

Layers have an order, lowest first: each may use itself and those before it. An edge upward
makes a circle of ideas, even where Cargo still accepts it. With `within = "crate::module"` the
layers are modules of one crate.

```bad
//- structure-lint.toml
[[layers]]
name = "workspace"
order = ["schema", "functions/*"]
//- schema/src/lib.rs uses auth
use auth::Token;
//- functions/auth/src/lib.rs
pub(super) struct Token;
```

```good
//- structure-lint.toml
[[layers]]
name = "workspace"
order = ["schema", "functions/*"]
//- schema/src/lib.rs
pub(super) struct Token;
//- functions/auth/src/lib.rs uses schema
use schema::Token;
```

How to fix: move what both need into the lower layer, or pass it in as an argument."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (index, layers) in cx.config.layers.iter().enumerate() {
            let violations = cx
                .edges
                .from(&cx.config.all_of(&layers.order))
                .filter_map(|edge| {
                    let (from, to) = violation(cx.config, layers, edge)?;
                    Some((
                        edge,
                        format!("{}>{}", layers.order[from].get_ref(), edge.to.path),
                        (from, to),
                    ))
                });
            report(index, violations, out, |edge, _, (from, to)| {
                let (from, to) = (&layers.order[from], &layers.order[to]);
                finding(cx.config, layers, edge, from, to)
            });
        }
    }
}

fn violation(config: &Config, layers: &Layers, edge: &Edge) -> Option<(usize, usize)> {
    if let Some(within) = &layers.within {
        let inside = |spot: &Spot| config.covers(within.get_ref(), spot).is_some();
        if !(inside(&edge.from) && inside(&edge.to)) {
            return None;
        }
    }
    let layer = |spot: &Spot| {
        layers
            .order
            .iter()
            .position(|it| config.covers(it.get_ref(), spot).is_some())
    };
    let (from, to) = (layer(&edge.from)?, layer(&edge.to)?);
    (from < to).then_some((from, to))
}

fn finding(
    config: &Config,
    layers: &Layers,
    edge: &Edge,
    from: &Spanned<String>,
    to: &Spanned<String>,
) -> Diagnostic {
    let (lower, upper) = (from.get_ref(), to.get_ref());
    let message = format!(
        "`{}` uses `{}`, which is a layer above it",
        edge.from.path, edge.to.path
    );
    let reason = layers
        .reason
        .as_ref()
        .map(|it| format!(": {it}"))
        .unwrap_or_default();
    let note = format!(
        "the order `{}` puts `{upper}` above `{lower}`{reason}",
        layers.name
    );
    Diagnostic::new("SL010", edge.place.clone(), message)
        .label(format!("`{lower}` may not use `{upper}`"))
        .note(note, Some(config.place(to)))
        .help(format!(
            "move what both need to `{lower}` or below it, or pass it in"
        ))
        .to(&edge.to.path)
        .from(&edge.from)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn modules_of_a_crate_have_layers_too() {
        check(
            "SL010",
            "//- structure-lint.toml\n[[layers]]\nname = \"app\"\nwithin = \"app\"\norder = [\"app::db\", \"app::routes\"]\n\
             //- src/lib.rs\nmod db { use crate::routes::x; }\nmod routes { pub fn x() { crate::db::y() } }\n",
            "src/lib.rs:1:21 `app::db` uses `app::routes`, which is a layer above it",
        );
    }

    #[test]
    fn an_alias_is_said_once_and_a_manifest_too() {
        check(
            "SL010",
            "//- structure-lint.toml\n[[layers]]\nname = \"all\"\norder = [\"low\", \"high\"]\n\
             //- low/src/lib.rs uses high\nuse high as h;\nfn f() { h::g(); h::g() }\n//- high/src/lib.rs\n",
            "low/Cargo.toml:6:1 `low` uses `high`, which is a layer above it
             low/src/lib.rs:1:5 `low` uses `high`, which is a layer above it",
        );
    }
}
