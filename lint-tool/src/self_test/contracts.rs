//! Edges that break each contract about edges.

use toml::Spanned;

use super::{Field, Violation, outside};
use crate::config::Config;
use crate::diagnostic::{Place, Span};
use crate::edges::{CodeEdge, Edge, Spot};
use crate::models::Models;
use crate::selector::Selector;

/// From and to; `None` where nothing can break the contract.
type EdgeIndex = Option<(Spot, Spot)>;

pub(super) fn violations(field: &Field) -> Vec<Violation> {
    let mut all = layers(field);
    all.extend(independent(field));
    all.extend(forbid(field));
    all.extend(only(field));
    all.extend(protect(field));
    all.extend(visible_to(field));
    all.extend(acyclic(field));
    all.extend(facade(field));
    all.extend(confine(field));
    all
}

fn layers(field: &Field) -> Vec<Violation> {
    let pairs = field.config.layers.iter().flat_map(|it| {
        let pairs = it.order.windows(2).map(|pair| (&pair[0], &pair[1]));
        pairs.map(move |(low, high)| (it, low.get_ref(), high.get_ref()))
    });
    let violation = |(it, low, high): (&crate::config::Layers, &String, &String)| {
        let contract = format!("`{}`: `{low}` uses `{high}`", it.name);
        let ends = field.first(low).zip(field.first(high));
        field.violation("SL010", contract, ends, |config| {
            config.layers = vec![it.clone()]
        })
    };
    pairs.map(violation).collect()
}

fn independent(field: &Field) -> Vec<Violation> {
    let violation = |it: &crate::config::Independent| {
        let contract = format!("`{}` use each other", it.name);
        let ends = field.two_parts(&it.members);
        field.violation("SL011", contract, ends, |config| {
            config.independent = vec![it.clone()]
        })
    };
    field.config.independent.iter().map(violation).collect()
}

fn forbid(field: &Field) -> Vec<Violation> {
    let violation = |it: &crate::config::Forbid| {
        let contract = format!("{} uses {}", names(&it.from), names(&it.to));
        let from = it.from.iter().find_map(|it| field.first(it.get_ref()));
        let to = it.to.iter().find_map(|it| field.end(it.get_ref()));
        field.violation("SL012", contract, from.zip(to), |config| {
            config.forbid = vec![it.clone()]
        })
    };
    field.config.forbid.iter().map(violation).collect()
}

fn only(field: &Field) -> Vec<Violation> {
    let violation = |it: &crate::config::Only| {
        let contract = format!("{} uses more than its list", names(&it.from));
        let from = it.from.iter().find_map(|it| field.first(it.get_ref()));
        let is_listed =
            |spot: &Spot| field.is_covered(&it.to, spot) || field.is_covered(&it.from, spot);
        let mut others = std::iter::once(outside("planted")).chain(field.spots());
        let to = others.find(|it| !is_listed(it));
        field.violation("SL013", contract, from.zip(to), |config| {
            config.only = vec![it.clone()]
        })
    };
    field.config.only.iter().map(violation).collect()
}

fn protect(field: &Field) -> Vec<Violation> {
    let violation = |it: &crate::config::Protect| {
        let contract = format!("{} is seen by others", names(&it.target));
        let to = it.target.iter().find_map(|it| field.first(it.get_ref()));
        let may = |spot: &Spot| {
            field.is_covered(&it.visible_to, spot) || field.is_covered(&it.target, spot)
        };
        let from = field.spots().find(|it| !may(it));
        field.violation("SL014", contract, from.zip(to), |config| {
            config.protect = vec![it.clone()]
        })
    };
    field.config.protect.iter().map(violation).collect()
}

/// Packages whose manifests say who may see them.
fn visible_to(field: &Field) -> Vec<Violation> {
    let packages = field.analysis.workspace.packages.iter();
    let violation = |package: &crate::workspace::Package| {
        let list = package.manifest.visible_to.as_ref()?;
        let contract = format!("the package `{}` is seen by others", package.name);
        let may = |spot: &Spot| {
            let mut list = list.iter();
            spot.root() == package.ident
                || list.any(|it| Selector::parse(&it.value).covers(spot).is_some())
        };
        let to = field.spots().find(|it| it.root() == package.ident);
        let from = field.spots().find(|it| !may(it));
        Some(field.violation("SL014", contract, from.zip(to), |_| {}))
    };
    packages.filter_map(violation).collect()
}

fn acyclic(field: &Field) -> Vec<Violation> {
    let violation = |it: &crate::config::Acyclic| {
        let contract = format!("`{}` use each other in a circle", it.name);
        let ends = field.two_parts(&it.members);
        let back = ends.as_ref().map(|(from, to)| edge(to, from));
        let mut violation = field.violation("SL015", contract, ends, |config| {
            config.acyclic = vec![it.clone()]
        });
        violation.edges.extend(back);
        violation
    };
    field.config.acyclic.iter().map(violation).collect()
}

fn facade(field: &Field) -> Vec<Violation> {
    let violation = |it: &crate::config::Facade| {
        let contract = format!("past {}", names(&it.of));
        let root = it.of.iter().find_map(|it| field.first(it.get_ref()));
        let ends = root.and_then(|root| {
            let from = field.spots().find(|it| it.root() != root.root())?;
            let inner = Spot {
                path: format!("{}::planted", root.path),
                ..root
            };
            Some((from, inner))
        });
        field.violation("SL016", contract, ends, |config| {
            config.facade = vec![it.clone()]
        })
    };
    field.config.facade.iter().map(violation).collect()
}

fn confine(field: &Field) -> Vec<Violation> {
    let violation = |it: &crate::config::Confine| {
        let contract = format!("`{}` outside of its places", it.target.get_ref());
        let from = field.spots().find(|spot| !field.is_covered(&it.to, spot));
        let ends = from.zip(field.end(it.target.get_ref()));
        field.violation("SL017", contract, ends, |config| {
            config.confine = vec![it.clone()]
        })
    };
    field.config.confine.iter().map(violation).collect()
}

impl Field<'_> {
    fn violation(
        &self,
        code: &'static str,
        contract: String,
        ends: EdgeIndex,
        add: impl FnOnce(&mut Config),
    ) -> Violation {
        let mut config = self.config.without_contracts();
        add(&mut config);
        Violation {
            code,
            contract,
            config,
            edges: ends.iter().map(|(from, to)| edge(from, to)).collect(),
            models: Models::default(),
        }
    }

    pub(super) fn is_covered(&self, names: &[Spanned<String>], spot: &Spot) -> bool {
        self.config.covering(names, spot).is_some()
    }

    /// A place of the workspace, or a path of a crate from elsewhere.
    fn end(&self, name: &str) -> Option<Spot> {
        let outside = || Some(outside(name)).filter(|it| self.config.covers(name, it).is_some());
        self.first(name).or_else(outside)
    }

    /// Two places that the names cover by different parts.
    fn two_parts(&self, names: &[Spanned<String>]) -> EdgeIndex {
        let part = |spot: &Spot| Some(self.config.covering(names, spot)?.1);
        let from = self.spots().find(|it| !it.test && part(it).is_some())?;
        let own = part(&from);
        let is_other = |spot: &Spot| part(spot).is_some_and(|it| Some(it) != own);
        let to = self.spots().find(|it| !it.test && is_other(it))?;
        Some((from, to))
    }
}

fn names(list: &[Spanned<String>]) -> String {
    let list: Vec<String> = list
        .iter()
        .map(|it| format!("`{}`", it.get_ref()))
        .collect();
    list.join(", ")
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
