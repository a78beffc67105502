//! Tables and structs that break what `[models]` says.

use std::collections::BTreeSet;

use super::{Breach, Field};
use crate::config::Config;
use crate::diagnostic::{Place, Span};
use crate::edges::{Edges, Spot};
use crate::models::{Access, Model, Models, Table};
use crate::paths::wildcard;

pub(super) fn breaches(field: &Field) -> Vec<Breach> {
    let mut all: Vec<Breach> = homes(field).into_iter().collect();
    for (pattern, owner) in &field.config.models.owners {
        let table = pattern.get_ref().replace('*', "planted");
        let mut config = field.config.without_contracts();
        let owners = [(pattern.clone(), owner.clone())];
        config.models.owners = owners.into();
        config.models.readers = field.config.models.readers.clone();
        let is_owner = |it: &Spot| config.covers(owner.get_ref(), it).is_some();
        let may_read = |it: &Spot| {
            let readers = config.models.readers.iter();
            let mut lists = readers.filter(|(pattern, _)| wildcard(pattern.get_ref(), &table));
            is_owner(it) || lists.any(|(_, list)| config.covering(list, it).is_some())
        };
        let owner = owner.get_ref();
        let writer = field.places().find(|(_, it)| !is_owner(it)).map(access);
        let reader = field.places().find(|(_, it)| !may_read(it)).map(access);
        let written = Table {
            writes: writer.into_iter().collect(),
            ..Table::default()
        };
        let read = Table {
            reads: reader.into_iter().collect(),
            ..Table::default()
        };
        let by = |what: &str| format!("`{table}` of `{owner}` is {what} elsewhere");
        let tables = |it: Table| Models {
            tables: [(table.clone(), it)].into(),
            ..Models::default()
        };
        all.push(breach(
            "SL040",
            by("written"),
            config.clone(),
            tables(written),
        ));
        all.push(breach("SL044", by("read"), config, tables(read)));
    }
    all
}

/// A struct of each home, and its copy in another package.
fn homes(field: &Field) -> Vec<Breach> {
    let copied = |name: &toml::Spanned<String>| {
        let is_home = |it: &Spot| field.config.covers(name.get_ref(), it).is_some();
        let home = field.places().find(|(_, it)| is_home(it));
        let other = home.as_ref().and_then(|(package, _)| {
            let mut places = field.places();
            places.find(|(it, spot)| it != package && !is_home(spot))
        });
        let mut config = field.config.without_contracts();
        config.models.home = vec![name.clone()];
        let structs = home
            .zip(other)
            .map(|(home, other)| [model(home), model(other)]);
        let models = Models {
            structs: structs.into_iter().flatten().collect(),
            ..Models::default()
        };
        let contract = format!("a model of `{}` is repeated elsewhere", name.get_ref());
        breach("SL041", contract, config, models)
    };
    field.config.models.home.iter().map(copied).collect()
}

fn breach(code: &'static str, contract: String, config: Config, models: Models) -> Breach {
    Breach {
        code,
        contract,
        config,
        edges: Edges::default().all,
        models,
    }
}

fn access((package, from): (usize, Spot)) -> Access {
    Access {
        package,
        place: Place::new(&from.file, Span::START),
        from,
    }
}

fn model((package, from): (usize, Spot)) -> Model {
    let field = |name: &str| (name.to_owned(), "u8".to_owned());
    Model {
        package,
        name: "Planted".into(),
        place: Place::new(&from.file, Span::START),
        from,
        fields: [field("one"), field("other")].into(),
        tables: BTreeSet::new(),
        mapped: false,
        on_wire: false,
        generated: false,
        id: (0, "Planted".into()),
    }
}
