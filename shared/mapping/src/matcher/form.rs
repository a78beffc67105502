//! A field of a question, ready to be compared: each of its names in normal form, and its profile.

use std::collections::BTreeSet;

use schema::source::SourceType;

use super::concepts::{Concept, Concepts};
use super::dictionary::dictionary;
use super::format::Format;
use super::implied::Implied;
use super::normal_form::concepts;
use super::path_of_name::{NameParts, concepts_of_path};
use super::profile::Profile;
use super::question::Field;
use super::spelling::Trigrams;
use super::tokens::{shortened, words};

/// One name of a field in normal form. Sets are sorted.
#[derive(Debug)]
pub(super) struct Form {
    /// As it is written.
    pub(super) written: String,
    /// The concepts of the last segment, in order.
    pub(super) last: Vec<Concept>,
    pub(super) last_set: Vec<Concept>,
    /// The concepts of the segment before, in order.
    pub(super) parent: Vec<Concept>,
    pub(super) parent_set: Vec<Concept>,
    /// Those of both, in order.
    pub(super) both: Vec<Concept>,
    pub(super) both_set: Vec<Concept>,
    /// Those of both without the words for the record itself, unless nothing is left.
    pub(super) own_set: Vec<Concept>,
    /// Those of all segments.
    pub(super) path_set: Vec<Concept>,
    /// The last segment in one word, and the last two.
    pub(super) glued: String,
    pub(super) glued_both: String,
    /// The whole path without punctuation.
    pub(super) glued_path: String,
    pub(super) trigrams: Trigrams,
    /// The initials of the last segment's concepts.
    pub(super) initials: String,
    pub(super) in_list: bool,
    pub(super) depth: usize,
    /// What values the name implies.
    pub(super) implied: Option<Implied>,
}

/// A field with all its names.
#[derive(Debug)]
pub(super) struct FieldForms {
    /// The name first, then the aliases.
    pub(super) forms: Vec<Form>,
    pub(super) kind: Option<SourceType>,
    pub(super) profile: Option<Profile>,
    /// Where it stands among its siblings, 0 to 1.
    pub(super) place: f64,
}

impl FieldForms {
    pub(super) fn of(
        field: &Field,
        place: f64,
        entity: &BTreeSet<Concept>,
        known: &mut Concepts,
        most_values: usize,
    ) -> FieldForms {
        let profile = Profile::of(&field.values(most_values), field.nulls, field.rows);
        let dated = field.kind.is_some_and(is_date) || profile.as_ref().is_some_and(has_dates);
        let names = std::iter::once(&field.name).chain(&field.aliases);
        let mut forms: Vec<_> = names
            .map(|it| Form::of(shortened(it), dated, field.kind, entity, known))
            .collect();
        if field.any_values {
            forms[0].implied = None;
        }
        // An alias implies what the name implies, if that implies anything.
        if let Some(implied) = forms[0].implied {
            for form in &mut forms {
                form.implied = Some(implied);
            }
        }
        FieldForms {
            forms,
            kind: field.kind,
            profile,
            place,
        }
    }

    pub(super) fn name(&self) -> &Form {
        &self.forms[0]
    }
}

impl Form {
    fn of(
        name: &str,
        dated: bool,
        kind: Option<SourceType>,
        entity: &BTreeSet<Concept>,
        known: &mut Concepts,
    ) -> Form {
        let parts = NameParts::of(name);
        let mut last = concepts(&parts.last);
        let participle = |it: &String| dictionary().date_words.contains(it);
        if dated && last.len() <= 2 && last.last().is_some_and(participle) {
            last.push("date".to_owned());
        }
        if last.is_empty() {
            last.clone_from(&parts.last);
        }
        let implied: Vec<_> = last.iter().map(String::as_str).collect();
        let implied = Implied::by(&implied, kind);
        let initials = last.iter().filter_map(|it| it.chars().next()).collect();
        let mut number = |it: &String| known.number(it);
        let last: Vec<_> = last.iter().map(&mut number).collect();
        let parent: Vec<_> = concepts(&parts.parent).iter().map(&mut number).collect();
        let path: Vec<_> = concepts_of_path(name).iter().map(&mut number).collect();
        let above = parent.iter().filter(|it| !last.contains(it));
        let both: Vec<_> = above.chain(&last).copied().collect();
        let both_set = set(&both);
        let own = both_set.iter().filter(|it| !entity.contains(it));
        let own: Vec<_> = own.copied().collect();
        // A name without a letter or digit is compared as it is written.
        let glued = match parts.last.concat() {
            it if it.is_empty() => name.to_lowercase(),
            it => it,
        };
        Form {
            written: name.to_owned(),
            last_set: set(&last),
            parent_set: set(&parent),
            own_set: if own.is_empty() {
                both_set.clone()
            } else {
                own
            },
            path_set: set(&path),
            trigrams: Trigrams::of(&glued),
            glued_both: parts.parent.concat() + &glued,
            glued_path: without_punctuation(name),
            in_list: parts.in_list,
            depth: parts.depth,
            last,
            parent,
            both,
            both_set,
            glued,
            initials,
            implied,
        }
    }

    /// The last concept, which the others describe.
    pub(super) fn head(&self) -> Option<Concept> {
        self.last.last().copied()
    }
}

/// The concepts of the words for the record itself.
pub(super) fn entity_concepts(of: &[String], known: &mut Concepts) -> BTreeSet<Concept> {
    let all = of.iter().flat_map(|it| concepts(&words(it)));
    all.map(|it| known.number(&it)).collect()
}

fn without_punctuation(name: &str) -> String {
    let letters = name.to_lowercase();
    letters
        .chars()
        .filter(|it| it.is_alphanumeric() || *it == '.')
        .collect()
}

fn is_date(kind: SourceType) -> bool {
    matches!(kind, SourceType::Date | SourceType::Timestamp)
}

fn has_dates(profile: &Profile) -> bool {
    profile.share(&[Format::Timestamp, Format::Date, Format::Epoch]) >= 0.5
}

fn set(concepts: &[Concept]) -> Vec<Concept> {
    let set: BTreeSet<_> = concepts.iter().copied().collect();
    set.into_iter().collect()
}
