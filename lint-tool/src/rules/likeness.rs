//! Which structs of two crates are one model, or nearly so: what SL041, SL042 and SL043 speak of.
//!
//! **Invariant:** a pair is either the same model or near, never both, so no rule repeats another.

use std::collections::BTreeSet;

use crate::engine::Context;
use crate::models::Model;

/// How alike two structs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// One model in two crates.
    Same,
    /// Two structs of data with nearly the same fields.
    Near,
}

/// A struct and the one that repeats it.
pub(super) struct Pair<'a> {
    pub(super) home: &'a Model,
    pub(super) copy: &'a Model,
    pub(super) likeness: Likeness,
}

/// Fewer fields than this are alike by chance.
const MANY_FIELDS: usize = 5;

/// Every pair of two crates, in the order of the workspace.
pub(super) fn pairs<'a>(cx: &Context<'a>) -> Vec<Pair<'a>> {
    let all: &'a [Model] = &cx.models.structs;
    let meant = |it: &&Model| it.fields.len() > 1 && !it.generated && !is_versioned(it);
    let structs: Vec<&Model> = all.iter().filter(meant).collect();
    let mut pairs = Vec::new();
    for (index, one) in structs.iter().enumerate() {
        for other in &structs[index + 1..] {
            if one.package != other.package && !is_projected(cx, one, other) {
                pairs.extend(pair(cx, one, other));
            }
        }
    }
    pairs
}

fn pair<'a>(cx: &Context, one: &'a Model, other: &'a Model) -> Option<Pair<'a>> {
    let (home, copy) = if is_home(cx, other) {
        (other, one)
    } else {
        (one, other)
    };
    let mapped = one.mapped && other.mapped;
    let claimed = is_home(cx, home) && !is_home(cx, copy) && home.name == copy.name;
    let likeness = if (mapped || claimed) && is_same(home, copy) {
        Likeness::Same
    } else if is_data(one) && is_data(other) && is_near(one, other) {
        Likeness::Near
    } else {
        return None;
    };
    Some(Pair {
        home,
        copy,
        likeness,
    })
}

fn is_data(model: &Model) -> bool {
    model.mapped || model.on_wire
}

/// A module such as `v1` or a name such as `AccountV1` keeps an old shape on purpose.
fn is_versioned(model: &Model) -> bool {
    let digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    let mut modules = model.from.path.split("::");
    modules.any(|it| it.strip_prefix('v').is_some_and(digits))
        || model
            .name
            .rsplit_once('V')
            .is_some_and(|(_, it)| digits(it))
}

/// A struct of the declared API layer that a conversion joins to the other.
fn is_projected(cx: &Context, one: &Model, other: &Model) -> bool {
    let in_api = |it: &Model| {
        cx.config
            .covering(&cx.config.models.api, &it.from)
            .is_some()
    };
    let is_joined = || {
        cx.models
            .joined
            .contains(&(one.id.clone(), other.id.clone()))
    };
    !cx.config.models.api.is_empty() && in_api(one) != in_api(other) && is_joined()
}

fn is_home(cx: &Context, model: &Model) -> bool {
    cx.config
        .covering(&cx.config.models.home, &model.from)
        .is_some()
}

fn is_same(one: &Model, other: &Model) -> bool {
    let (common, fewer, more) = counts(one, other);
    let union = fewer + more - common;
    let is_projection = common == fewer && fewer < more;
    let known = !one.tables.is_empty() && !other.tables.is_empty();
    let shares_table = !one.tables.is_disjoint(&other.tables);
    if base(&one.name) == base(&other.name) {
        return common > 1 && common * 2 >= more;
    }
    if shares_table {
        return !is_projection && common > 2 && common * 10 >= union * 6;
    }
    !known && common > 3 && common == union
}

/// Names and types of at least four fields in five, and no mere projection.
fn is_near(one: &Model, other: &Model) -> bool {
    let (common, fewer, more) = counts(one, other);
    let is_projection = common == fewer && fewer < more && base(&one.name) != base(&other.name);
    if fewer < MANY_FIELDS || is_projection {
        return false;
    }
    let same_type = one
        .fields
        .iter()
        .filter(|(name, ty)| other.fields.get(*name) == Some(ty));
    same_type.count() * 10 >= (fewer + more - common) * 8
}

/// How many fields both have, and how many the smaller and the larger one.
fn counts(one: &Model, other: &Model) -> (usize, usize, usize) {
    let shared = one
        .fields
        .keys()
        .filter(|it| other.fields.contains_key(*it));
    let (a, b) = (one.fields.len(), other.fields.len());
    (shared.count(), a.min(b), a.max(b))
}

/// A struct's name without the words that only say that it is a struct of rows.
fn base(name: &str) -> &str {
    let endings = ["Row", "Entity", "Model", "Record", "Dto", "Db"];
    let stripped = endings.iter().find_map(|it| name.strip_suffix(it));
    stripped.filter(|it| !it.is_empty()).unwrap_or(name)
}

/// What the copy has more, less and otherwise: `+note`, `-owner`, `name: String -> Option<String>`.
pub(super) fn difference(home: &Model, copy: &Model) -> Vec<String> {
    let names: BTreeSet<&String> = home.fields.keys().chain(copy.fields.keys()).collect();
    let differs = |name: &String| match (home.fields.get(name), copy.fields.get(name)) {
        (None, _) => Some(format!("+{name}")),
        (_, None) => Some(format!("-{name}")),
        (Some(old), Some(new)) if old != new => Some(format!("{name}: {old} -> {new}")),
        _ => None,
    };
    names.into_iter().filter_map(differs).collect()
}
