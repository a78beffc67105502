//! Which structs of two crates are one model, or nearly so: what SL041, SL042 and SL043 speak of.
//!
//! **Invariant:** a pair is either the same model or near, never both, so no rule repeats another.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Context;
use crate::models::Model;

/// How alike two structs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
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

/// Every pair of two crates, in the order of the workspace. Found once for all rules.
pub(super) fn pairs<'a>(cx: &Context<'a>) -> impl Iterator<Item = Pair<'a>> {
    let models = cx.models;
    let found = models.alike.get_or_init(|| find(cx));
    found.iter().map(|(home, copy, likeness)| Pair {
        home: &models.structs[*home],
        copy: &models.structs[*copy],
        likeness: *likeness,
    })
}

fn find(cx: &Context) -> Vec<(usize, usize, Likeness)> {
    let all = &cx.models.structs;
    let is_meant = |it: &Model| it.fields.len() > 1 && !it.generated && !is_versioned(it);
    let mut order: Vec<usize> = (0..all.len()).filter(|it| is_meant(&all[*it])).collect();
    order.sort_by_key(|it| all[*it].package);
    let found = candidates(all, &order).into_iter();
    let found = found.filter(|(one, other)| !is_projected(cx, &all[*one], &all[*other]));
    found
        .filter_map(|(one, other)| {
            let likeness = likeness(cx, &all[one], &all[other])?;
            let (home, copy) = if is_home(cx, &all[other]) {
                (other, one)
            } else {
                (one, other)
            };
            Some((home, copy, likeness))
        })
        .collect()
}

/// Pairs of two packages that share a name, or six fields in ten of the larger.
///
/// Two such structs share one of their rarest fields: of any ten, one of the first five is among any
/// six. Only these are looked up, so that `id` and `name` cost nothing.
fn candidates(all: &[Model], order: &[usize]) -> Vec<(usize, usize)> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for name in order.iter().flat_map(|it| all[*it].fields.keys()) {
        *uses.entry(name).or_default() += 1;
    }
    let mut with: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
    let mut found = Vec::new();
    for &other in order {
        let mut fields: Vec<&str> = all[other].fields.keys().map(String::as_str).collect();
        fields.sort_by_key(|it| (uses[it], *it));
        fields.truncate(fields.len() - (fields.len() * 6).div_ceil(10) + 1);
        let keys = fields.into_iter().map(|it| (false, it));
        let mut ones = BTreeSet::new();
        for key in keys.chain([(true, base(&all[other].name))]) {
            let known = with.entry(key).or_default();
            let before = known.iter().copied();
            ones.extend(before.take_while(|it| all[*it].package < all[other].package));
            known.push(other);
        }
        found.extend(ones.into_iter().map(|one| (one.min(other), one.max(other))));
    }
    found
}

fn likeness(cx: &Context, one: &Model, other: &Model) -> Option<Likeness> {
    let mapped = one.mapped && other.mapped;
    let claimed = is_home(cx, one) != is_home(cx, other) && one.name == other.name;
    if (mapped || claimed) && is_same(one, other) {
        return Some(Likeness::Same);
    }
    (is_data(one) && is_data(other) && is_near(one, other)).then_some(Likeness::Near)
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
    if base(&one.name) == base(&other.name) {
        return common > 1 && common * 2 >= more;
    }
    if shares_table(one, other) {
        return !is_projection && common > 2 && common * 10 >= union * 6;
    }
    !known && common > 3 && common == union
}

/// Names and types of at least four fields in five, and no mere projection.
fn is_near(one: &Model, other: &Model) -> bool {
    let (common, fewer, more) = counts(one, other);
    let is_subset = common == fewer && fewer < more && base(&one.name) != base(&other.name);
    // One column of a table less is a change of one of them, unless a name says that it is meant.
    let is_change = fewer + 1 == more && shares_table(one, other);
    let is_meant = is_partial(&one.name) || is_partial(&other.name);
    if fewer < MANY_FIELDS || (is_subset && (!is_change || is_meant)) {
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

fn shares_table(one: &Model, other: &Model) -> bool {
    !one.tables.is_disjoint(&other.tables)
}

/// A row before it has all of its columns, or a change of some.
fn is_partial(name: &str) -> bool {
    let begins = ["New", "Create", "Insert", "Update", "Upsert"];
    let ends = ["Insert", "Update", "Change", "Changeset", "Patch", "Form"];
    begins.iter().any(|it| name.starts_with(it)) || ends.iter().any(|it| name.ends_with(it))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Place, Span};
    use crate::edges::Spot;
    use proptest::prelude::*;

    fn model<T: ToString>(
        package: usize,
        name: impl ToString,
        fields: impl IntoIterator<Item = T>,
    ) -> Model {
        let spot = Spot {
            path: String::new(),
            file: String::new(),
            test: false,
            build: false,
        };
        Model {
            package,
            name: name.to_string(),
            from: spot,
            place: Place::new("", Span::START),
            fields: fields
                .into_iter()
                .map(|it| (it.to_string(), String::new()))
                .collect(),
            tables: BTreeSet::new(),
            mapped: true,
            on_wire: false,
            generated: false,
            id: (0, String::new()),
        }
    }

    fn order(all: &[Model]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|it| all[*it].package);
        order
    }

    #[test]
    fn fields_that_many_have_bring_no_candidates() {
        let fields = |at| {
            [
                "id".into(),
                "name".into(),
                format!("a{at}"),
                format!("b{at}"),
            ]
        };
        let all: Vec<Model> = (0..2_000)
            .map(|it| model(it % 20, it, fields(it)))
            .collect();
        assert_eq!(candidates(&all, &order(&all)), []);
    }

    proptest! {
        #[test]
        fn no_pair_that_may_be_alike_is_left_out(
            fields in prop::collection::vec((0..3_usize, 0..4_u8, prop::collection::btree_set(0..12_u8, 2..9)), 2..20),
        ) {
            let models = fields.into_iter().map(|(package, name, it)| model(package, name, it));
            let all: Vec<Model> = models.collect();
            let found: BTreeSet<(usize, usize)> = candidates(&all, &order(&all)).into_iter().collect();
            for (one, a) in all.iter().enumerate() {
                for (other, b) in all.iter().enumerate().skip(one + 1) {
                    if a.package != b.package && (is_same(a, b) || is_near(a, b)) {
                        prop_assert!(found.contains(&(one, other)));
                    }
                }
            }
        }
    }
}
