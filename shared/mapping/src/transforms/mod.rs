//! The transforms of a mapping, each in the file of its name: how it is checked, what it makes of
//! a value, and what it says of one that does not fit. Their declarations are in
//! `schema::mapping`.
//!
//! **Invariant:** no transform panics; each is linear in the text it is given. What it makes of a
//! text that is short is bounded by [`MAX_TEXT`], and so is all that the transforms of a field make
//! of one value, see [`Room`].

mod array;
mod boolean;
mod case;
mod coalesce;
mod concat;
mod country;
mod currency;
mod date;
mod default;
mod email;
pub(crate) mod enumeration;
mod join;
mod letter_case;
mod lookup;
mod nulls;
mod number;
mod phone;
mod regex;
mod replace;
mod scale;
mod split;
mod template;
mod trim;
mod url_host;

use std::{borrow::Cow, fmt};

use schema::{
    entity::{Field, Kind},
    mapping::{Otherwise, Transform},
    pointer,
};

use crate::{Cell, quote::quoted, timestamp::Reading, zone::Zone};

pub(crate) use array::Items;
pub(crate) use trim::trimmed;

/// What is said of a word that no list of the mapping has.
pub(crate) const UNLISTED: [&str; 2] = [enumeration::UNLISTED, lookup::UNLISTED];

/// The longest text in bytes that a transform may make, unless it was given a longer one.
pub(crate) const MAX_TEXT: usize = 64 << 10;
/// The transforms of a field may make so many times the length of what they are given.
const MAX_GROWTH: usize = 16;

/// How many bytes the transforms of a field may still make of one value: 64 KiB in all, or 16 times
/// the value where that is more. Without it each of fifty could make 64 KiB of what the one before
/// made.
#[derive(Debug)]
pub(crate) struct Room(usize);

impl Room {
    pub(crate) fn of(value: Option<&str>) -> Room {
        let given = value.map_or(0, str::len);
        Room(given.saturating_mul(MAX_GROWTH).max(MAX_TEXT))
    }

    /// Takes room for a text that was made; one that is a part of what was given needs none.
    pub(crate) fn take(&mut self, made: &str) -> Result<(), String> {
        self.0 = self.0.checked_sub(made.len()).ok_or_else(too_long)?;
        Ok(())
    }
}

/// A transform that was checked and made ready to run.
pub(crate) trait CompiledTransform: fmt::Debug + Send + Sync {
    /// What becomes of a text, which is not empty.
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String>;

    /// What becomes of no value.
    fn run_missing(&self) -> Cell<'_> {
        Cell::Null
    }
}

/// A transform that makes one text of all sources.
pub(crate) trait Combination: fmt::Debug + Send + Sync {
    /// One value for each source, in their order; none is empty.
    fn combine<'a>(
        &'a self,
        values: Vec<Option<Cow<'a, str>>>,
    ) -> Result<Option<Cow<'a, str>>, String>;
}

/// A step from one value to the next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Most columns are trimmed: a call through a table for each is a tenth of a record's time.
    Trim,
    Other(Box<dyn CompiledTransform>),
}

/// What a transform is compiled to.
#[derive(Debug)]
pub(crate) enum Compiled {
    Step(Step),
    /// Where the value comes from; only the first transform may say.
    Constant(String),
    /// The hash of the record where the sources have no value.
    ContentHash,
    Combination(Box<dyn Combination>),
    Items(Items),
    /// How the value is read in the end.
    Reading(Reading),
}

/// What is wrong with a transform.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The pointer from the transform to its wrong member (`/factor`); empty for the transform.
    pub(crate) member: String,
    pub(crate) detail: String,
}

impl Fault {
    fn of(member: impl Into<String>, detail: impl Into<String>) -> Fault {
        Fault {
            member: member.into(),
            detail: detail.into(),
        }
    }
}

/// Checks a transform for a target and its sources, and makes it ready to run.
pub(crate) fn compile(
    transform: &Transform,
    field: &Field,
    sources: &[String],
) -> Result<Compiled, Fault> {
    let makes_list = matches!(transform, Transform::Array { .. });
    if field.kind == Kind::TextList && !makes_list {
        let detail = "a list of texts takes no transforms but `array`";
        return Err(Fault::of("", detail));
    }
    if literals(transform)
        .iter()
        .any(|(_, text)| text.contains('\0'))
    {
        return Err(Fault::of("", "NUL cannot be stored"));
    }
    match transform {
        Transform::Array { .. } => array::compile(transform, field).map(Compiled::Items),
        Transform::Coalesce { nulls } => coalesce::compile(nulls),
        Transform::Concat {
            separator,
            missing,
            escape,
        } => concat::compile(separator, *missing, *escape),
        Transform::Constant { value } => Ok(Compiled::Constant(value.clone())),
        Transform::ContentHash {} => {
            only_for(field, &[Kind::Text])?;
            Ok(Compiled::ContentHash)
        }
        Transform::Join { separator } => join::compile(separator),
        Transform::Template { template, missing } => template::compile(template, *missing, sources),
        Transform::Timestamp { zone, format } => {
            only_for(field, &[Kind::Timestamp])?;
            let zone = Zone::parse(zone).ok_or_else(|| no_zone("/zone", zone))?;
            Ok(Compiled::Reading(Reading {
                zone,
                format: *format,
            }))
        }
        Transform::Trim {} => Ok(Compiled::Step(Step::Trim)),
        other => compile_step(other, field).map(|it| Compiled::Step(Step::Other(it))),
    }
}

/// The same for a transform that is a step.
fn compile_step(transform: &Transform, field: &Field) -> Result<Box<dyn CompiledTransform>, Fault> {
    Ok(match transform {
        Transform::Boolean { yes, no, blank } => Box::new(boolean::compile(yes, no, *blank)?),
        Transform::Case {
            equals,
            then,
            otherwise,
        } => Box::new(case::compile(equals, then, otherwise.as_deref())?),
        Transform::Country { otherwise } => Box::new(country::Country(*otherwise)),
        Transform::Currency {} => Box::new(currency::compile(field)?),
        Transform::Date { .. } => Box::new(date::compile(transform, field)?),
        Transform::Default { value } => Box::new(default::Default(value.clone())),
        Transform::Email { otherwise } => Box::new(email::Email(*otherwise)),
        Transform::Enum { values, otherwise } => {
            Box::new(enumeration::compile(values, *otherwise)?)
        }
        Transform::Lookup { table, otherwise } => Box::new(lookup::compile(table, *otherwise)?),
        Transform::Lower {} => Box::new(letter_case::Lower),
        Transform::Nulls { words } => Box::new(nulls::compile(words)?),
        Transform::Number { .. } => Box::new(number::compile(transform)?),
        Transform::Phone { region, otherwise } => {
            Box::new(phone::compile(region.as_deref(), *otherwise)?)
        }
        Transform::Regex { .. } => Box::new(regex::compile(transform)?),
        Transform::Replace { from, to } => Box::new(replace::compile(from, to)?),
        Transform::Scale { factor } => Box::new(scale::compile(factor)?),
        Transform::Split { separator, index } => Box::new(split::compile(separator, *index)?),
        Transform::Unit { factor } => {
            only_for(field, &[Kind::Decimal, Kind::Integer])?;
            Box::new(scale::compile(factor)?)
        }
        Transform::Upper {} => Box::new(letter_case::Upper),
        Transform::UrlHost { otherwise } => Box::new(url_host::UrlHost(*otherwise)),
        Transform::Array { .. }
        | Transform::Coalesce { .. }
        | Transform::Concat { .. }
        | Transform::Constant { .. }
        | Transform::ContentHash {}
        | Transform::Join { .. }
        | Transform::Template { .. }
        | Transform::Timestamp { .. }
        | Transform::Trim {} => unreachable!("is compiled elsewhere"),
    })
}

/// Whether it matters to the transform what kind of value it is given.
pub(crate) fn is_typed(transform: &Transform) -> bool {
    match transform {
        Transform::Coalesce { .. }
        | Transform::Concat { .. }
        | Transform::Constant { .. }
        | Transform::ContentHash {}
        | Transform::Default { .. }
        | Transform::Join { .. }
        | Transform::Lower {}
        | Transform::Nulls { .. }
        | Transform::Replace { .. }
        | Transform::Split { .. }
        | Transform::Template { .. }
        | Transform::Trim {}
        | Transform::Upper {} => false,
        Transform::Array { .. }
        | Transform::Boolean { .. }
        | Transform::Case { .. }
        | Transform::Country { .. }
        | Transform::Currency {}
        | Transform::Date { .. }
        | Transform::Email { .. }
        | Transform::Enum { .. }
        | Transform::Lookup { .. }
        | Transform::Number { .. }
        | Transform::Phone { .. }
        | Transform::Regex { .. }
        | Transform::Scale { .. }
        | Transform::Timestamp { .. }
        | Transform::Unit { .. }
        | Transform::UrlHost { .. } => true,
    }
}

/// The whole texts that a transform brings into the record, each with the pointer to it.
pub(crate) fn literals(transform: &Transform) -> Vec<(String, &str)> {
    match transform {
        Transform::Constant { value } | Transform::Default { value } => {
            vec![("/value".to_owned(), value)]
        }
        Transform::Enum { values, .. } => pairs("/values", values),
        Transform::Lookup { table, .. } => pairs("/table", table),
        Transform::Case {
            then, otherwise, ..
        } => {
            let otherwise = otherwise.iter().map(|it| ("/otherwise".to_owned(), &**it));
            std::iter::once(("/then".to_owned(), &**then))
                .chain(otherwise)
                .collect()
        }
        _ => Vec::new(),
    }
}

fn pairs<'t>(
    member: &str,
    table: &'t std::collections::BTreeMap<String, String>,
) -> Vec<(String, &'t str)> {
    table
        .iter()
        .map(|(word, ours)| (format!("{member}/{}", pointer::escape(word)), &**ours))
        .collect()
}

fn only_for(field: &Field, kinds: &[Kind]) -> Result<(), Fault> {
    if kinds.contains(&field.kind) {
        return Ok(());
    }
    let detail = format!(
        "does not apply to `{}`, which is {}",
        field.name,
        field.kind.sql()
    );
    Err(Fault::of("", detail))
}

fn no_zone(member: &str, text: &str) -> Fault {
    let detail = format!(
        "{} is no time zone: say `UTC`, an offset such as `+02:00`, or a name such as \
         `Europe/Berlin`",
        quoted(text)
    );
    Fault::of(member, detail)
}

fn no_nul(member: &str, text: &str) -> Result<(), Fault> {
    if text.contains('\0') {
        return Err(Fault::of(member, "NUL cannot be stored"));
    }
    Ok(())
}

/// What becomes of a text that a transform does not know.
fn unknown<'a>(
    otherwise: Otherwise,
    text: Cow<'a, str>,
    reason: impl FnOnce(&str) -> String,
) -> Result<Cell<'a>, String> {
    match otherwise {
        Otherwise::Keep => Ok(Cell::Text(text)),
        Otherwise::Null => Ok(Cell::Null),
        Otherwise::Reject => Err(reason(&text)),
    }
}

fn too_long() -> String {
    "what the mapping makes of it is longer than 64 KiB: let its transforms put in less".to_owned()
}

#[cfg(test)]
mod testing;
