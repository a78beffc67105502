//! Edges that break each contract about edges.

use toml::Spanned;

use super::{Breach, Field, outside};
use crate::config::Config;
use crate::diagnostic::{Place, Span};
use crate::edges::{CodeEdge, Edge, Spot};
use crate::models::Models;
use crate::selector::Selector;

/// From and to; `None` where nothing can break the contract.
type EdgeIndex = Option<(Spot, Spot)>;

pub(super) fn breaches(field: &Field) -> Vec<Breach> {
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

fn layers(field: &Field) -> Vec<Breach> {
    let pairs = field.config.layers.iter().flat_map(|it| {
        let pairs = it.order.windows(2).map(|pair| (&pair[0], &pair[1]));
        pairs.map(move |(low, high)| (it, low.get_ref(), high.get_ref()))
    });
    let breach = |(it, low, high): (&crate::config::Layers, &String, &String)| {
        let contract = format!("`{}`: `{low}` uses `{high}`", it.name);
        let ends = field.first(low).zip(field.first(high));
        field.breach("SL010", contract, ends, |config| {
            config.layers = vec![it.clone()]
        })
    };
    pairs.map(breach).collect()
}

fn independent(field: &Field) -> Vec<Breach> {
    let breach = |it: &crate::config::Independent| {
        let contract = format!("`{}` use each other", it.name);
        let ends = field.two_parts(&it.members);
        field.breach("SL011", contract, ends, |config| {
            config.independent = vec![it.clone()]
        })
    };
    field.config.independent.iter().map(breach).collect()
}

fn forbid(field: &Field) -> Vec<Breach> {
    let breach = |it: &crate::config::Forbid| {
        let contract = format!("{} uses {}", names(&it.from), names(&it.to));
        let from = it.from.iter().find_map(|it| field.first(it.get_ref()));
        let to = it.to.iter().find_map(|it| field.end(it.get_ref()));
        field.breach("SL012", contract, from.zip(to), |config| {
            config.forbid = vec![it.clone()]
        })
    };
    field.config.forbid.iter().map(breach).collect()
}

fn only(field: &Field) -> Vec<Breach> {
    let breach = |it: &crate::config::Only| {
        let contract = format!("{} uses more than its list", names(&it.from));
        let from = it.from.iter().find_map(|it| field.first(it.get_ref()));
        let is_listed =
            |spot: &Spot| field.is_covered(&it.to, spot) || field.is_covered(&it.from, spot);
        let mut others = std::iter::once(outside("planted")).chain(field.spots());
        let to = others.find(|it| !is_listed(it));
        field.breach("SL013", contract, from.zip(to), |config| {
            config.only = vec![it.clone()]
        })
    };
    field.config.only.iter().map(breach).collect()
}

fn protect(field: &Field) -> Vec<Breach> {
    let breach = |it: &crate::config::Protect| {
        let contract = format!("{} is seen by others", names(&it.target));
        let to = it.target.iter().find_map(|it| field.first(it.get_ref()));
        let may = |spot: &Spot| {
            field.is_covered(&it.visible_to, spot) || field.is_covered(&it.target, spot)
        };
        let from = field.spots().find(|it| !may(it));
        field.breach("SL014", contract, from.zip(to), |config| {
            config.protect = vec![it.clone()]
        })
    };
    field.config.protect.iter().map(breach).collect()
}

/// Packages whose manifests say who may see them.
fn visible_to(field: &Field) -> Vec<Breach> {
    let packages = field.analysis.workspace.packages.iter();
    let breach = |package: &crate::workspace::Package| {
        let list = package.manifest.visible_to.as_ref()?;
        let contract = format!("the package `{}` is seen by others", package.name);
        let may = |spot: &Spot| {
            let mut list = list.iter();
            spot.root() == package.ident
                || list.any(|it| Selector::parse(&it.value).covers(spot).is_some())
        };
        let to = field.spots().find(|it| it.root() == package.ident);
        let from = field.spots().find(|it| !may(it));
        Some(field.breach("SL014", contract, from.zip(to), |_| {}))
    };
    packages.filter_map(breach).collect()
}

fn acyclic(field: &Field) -> Vec<Breach> {
    let breach = |it: &crate::config::Acyclic| {
        let contract = format!("`{}` use each other in a circle", it.name);
        let ends = field.two_parts(&it.members);
        let back = ends.as_ref().map(|(from, to)| edge(to, from));
        let mut breach = field.breach("SL015", contract, ends, |config| {
            config.acyclic = vec![it.clone()]
        });
        breach.edges.extend(back);
        breach
    };
    field.config.acyclic.iter().map(breach).collect()
}

fn facade(field: &Field) -> Vec<Breach> {
    let breach = |it: &crate::config::Facade| {
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
        field.breach("SL016", contract, ends, |config| {
            config.facade = vec![it.clone()]
        })
    };
    field.config.facade.iter().map(breach).collect()
}

fn confine(field: &Field) -> Vec<Breach> {
    let breach = |it: &crate::config::Confine| {
        let contract = format!("`{}` outside of its places", it.target.get_ref());
        let from = field.spots().find(|spot| !field.is_covered(&it.to, spot));
        let ends = from.zip(field.end(it.target.get_ref()));
        field.breach("SL017", contract, ends, |config| {
            config.confine = vec![it.clone()]
        })
    };
    field.config.confine.iter().map(breach).collect()
}

impl Field<'_> {
    fn breach(
        &self,
        code: &'static str,
        contract: String,
        ends: EdgeIndex,
        add: impl FnOnce(&mut Config),
    ) -> Breach {
        let mut config = self.config.without_contracts();
        add(&mut config);
        Breach {
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
