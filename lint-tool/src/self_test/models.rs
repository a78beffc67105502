//! Tables and structs that break what `[models]` says.

use std::collections::BTreeSet;

use super::{Field, Violation};
use crate::config::Config;
use crate::diagnostic::{Place, Span};
use crate::edges::Spot;
use crate::models::{Access, Model, Models, Table};
use crate::paths::wildcard;

pub(super) fn violations(field: &Field) -> Vec<Violation> {
    let mut all = homes(field);
    all.extend(written_elsewhere(field));
    all.extend(read_elsewhere(field));
    all
}

/// Each table of an owner, written by another.
fn written_elsewhere(field: &Field) -> Vec<Violation> {
    let violation = |(table, owner, config): (String, &String, Config)| {
        let is_owner = |it: &Spot| config.covers(owner, it).is_some();
        let writer = field.places().find(|(_, it)| !is_owner(it));
        let planted = Table {
            writes: writer.map(access).into_iter().collect(),
            ..Table::default()
        };
        let contract = format!("`{table}` of `{owner}` is written elsewhere");
        violation("SL040", contract, config, with(table, planted))
    };
    owned(field).map(violation).collect()
}

/// Each table of an owner, read by one who is not named.
fn read_elsewhere(field: &Field) -> Vec<Violation> {
    let violation = |(table, owner, config): (String, &String, Config)| {
        let may_read = |it: &Spot| {
            let readers = config.models.readers.iter();
            let mut lists = readers.filter(|(pattern, _)| wildcard(pattern.get_ref(), &table));
            config.covers(owner, it).is_some()
                || lists.any(|(_, list)| config.covering(list, it).is_some())
        };
        let reader = field.places().find(|(_, it)| !may_read(it));
        let planted = Table {
            reads: reader.map(access).into_iter().collect(),
            ..Table::default()
        };
        let contract = format!("`{table}` of `{owner}` is read elsewhere");
        violation("SL044", contract, config, with(table, planted))
    };
    owned(field).map(violation).collect()
}

/// A table of each owner, with the configuration that says so.
fn owned<'a>(field: &Field<'a>) -> impl Iterator<Item = (String, &'a String, Config)> {
    let config = field.config;
    config.models.owners.iter().map(|(pattern, owner)| {
        let mut alone = config.without_contracts();
        alone.models.owners = [(pattern.clone(), owner.clone())].into();
        alone.models.readers = config.models.readers.clone();
        let table = pattern.get_ref().replace('*', "planted");
        (table, owner.get_ref(), alone)
    })
}

fn with(table: String, planted: Table) -> Models {
    Models {
        tables: [(table, planted)].into(),
        ..Models::default()
    }
}

/// A struct of each home, and its copy in another package.
fn homes(field: &Field) -> Vec<Violation> {
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
        violation("SL041", contract, config, models)
    };
    field.config.models.home.iter().map(copied).collect()
}

fn violation(code: &'static str, contract: String, config: Config, models: Models) -> Violation {
    Violation {
        code,
        contract,
        config,
        edges: Vec::new(),
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
