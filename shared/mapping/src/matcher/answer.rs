//! A question is answered: for each target the best source, how sure that is, and why.

use std::borrow::Cow;
use std::collections::HashMap;

use super::assignment::{Assigned, assign};
use super::calibration::Group;
use super::candidates::{self, Candidate};
use super::concepts::Concepts;
use super::context::{self, Row};
use super::decision::{self, Decision, Sureness};
use super::explain::{self, Factor};
use super::form::{FieldForms, Form, entity_concepts};
use super::lone_name;
use super::model::Model;
use super::question::{Field, Question, Task};

/// The best source of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Positions in the question.
    pub source: usize,
    /// Positions in the question.
    pub target: usize,
    /// How often such a pair was right, 0 to 1.
    pub probability: f64,
    /// How far that is above the best rival for the same target or the same source.
    pub margin: f64,
    /// What may be done with it.
    pub decision: Decision,
    /// Reasons against a decision without a person, as sentences.
    pub vetoes: Vec<String>,
    /// Which names agreed, where it is not the first ones: (of the source, of the target).
    pub by_names: Option<(String, String)>,
    /// What the probability was counted on: `mapping other` are pairs of different names.
    pub counted_on: String,
    /// The evidence; the logits add up to that of the pair.
    pub factors: Vec<Factor>,
    /// Other sources, the best first, at most [`ALTERNATIVES`].
    pub alternatives: Vec<Alternative>,
}

/// Another source of a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alternative {
    /// A position in the question.
    pub source: usize,
    /// As of a match.
    pub probability: f64,
}

/// Most alternatives that are named.
pub const ALTERNATIVES: usize = 3;

/// Most values of a field that are read.
const VALUES: usize = 32;

/// What earlier decisions say of a pair, as an addition to its logit.
pub(super) type Evidence<'a> = &'a dyn Fn(usize, usize) -> f64;

/// Pairs of a question, scored.
pub(super) struct Scored<'a> {
    question: Question<'a>,
    model: &'a Model,
    known: Concepts,
    sources: Vec<FieldForms>,
    targets: Vec<FieldForms>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) rows: Vec<Row>,
    /// The second stage's, with the evidence of decisions.
    pub(super) logits: Vec<f64>,
    evidence: Vec<f64>,
    pub(super) assigned: Vec<Option<Assigned>>,
}

/// Answers with the model that is part of the platform. The matches come in the order of the
/// targets; a target without any candidate has none.
///
/// The time is about n log n in the number of fields; 100 × 100 fields take some milliseconds.
pub fn answer(question: &Question) -> Vec<Match> {
    Scored::new(question, Model::shipped(), &|_, _| 0.0).matches()
}

/// The same with another model.
pub fn answer_with(question: &Question, model: &Model) -> Vec<Match> {
    Scored::new(question, model, &|_, _| 0.0).matches()
}

impl<'a> Scored<'a> {
    pub(super) fn new(question: &Question<'a>, model: &'a Model, of: Evidence) -> Scored<'a> {
        let mut known = Concepts::new();
        let entity = entity_concepts(question.entity_words, &mut known);
        let mut forms = |fields: &[Field]| -> Vec<FieldForms> {
            let last = fields.len().saturating_sub(1).max(1) as f64;
            let place = |at: usize| at as f64 / last;
            let all = fields.iter().enumerate();
            all.map(|(at, it)| FieldForms::of(it, place(at), &entity, &mut known, VALUES))
                .collect()
        };
        let sources = with_whole_names(question);
        let (sources, targets) = (forms(&sources), forms(question.targets));
        let (aligned, drift) = match question.task {
            Task::Drift { aligned } => (aligned, true),
            _ => (false, false),
        };
        let pairs = candidates::pairs(&sources, &targets, &known, candidates::PER_TARGET);
        let compare = |it| candidates::candidate(it, &sources, &targets, aligned, &known);
        let mut candidates: Vec<_> = pairs.into_iter().map(compare).collect();
        let logits = model
            .first
            .scores(candidates.iter().map(|it| &it.features[..]));
        for (it, logit) in candidates.iter_mut().zip(logits) {
            it.logit = logit;
        }
        let counts = (sources.len(), targets.len());
        let rows = context::rows(&candidates, counts, drift);
        let evidence: Vec<_> = candidates
            .iter()
            .map(|it| of(it.source, it.target))
            .collect();
        let scores = model.second.scores(rows.iter().map(|it| &it[..]));
        let logits: Vec<_> = scores
            .iter()
            .zip(&evidence)
            .map(|(it, of)| it + of)
            .collect();
        let assigned = assign(&candidates, &logits, counts, question.task);
        Scored {
            question: *question,
            model,
            known,
            sources,
            targets,
            candidates,
            rows,
            logits,
            evidence,
            assigned,
        }
    }

    pub(super) fn matches(&self) -> Vec<Match> {
        let rivals = Rivals::of(self);
        let assigned = self.assigned.iter().flatten();
        assigned.map(|it| self.one(*it, &rivals)).collect()
    }

    fn one(&self, assigned: Assigned, rivals: &Rivals<'_>) -> Match {
        let at = assigned.candidate;
        let it = &self.candidates[at];
        let group = self.group(it, assigned.reused);
        let probability = self.model.curve(group).probability(self.logits[at]);
        let fields = (&self.sources[it.source], &self.targets[it.target]);
        let names = (&fields.0.forms[it.names.0], &fields.1.forms[it.names.1]);
        let task = self.question.task;
        let mut vetoes = decision::vetoes(&it.features, names, fields, task, &self.known);
        vetoes.extend(rivals.called_alike(self, it));
        vetoes.extend(rivals.second_successor(self, at));
        let margin = self.own(at, probability) - rivals.best_beside(self, at);
        let sure = Sureness {
            group,
            probability,
            margin,
            reused: assigned.reused,
        };
        let by_names =
            (it.names != (0, 0)).then(|| (names.0.written.clone(), names.1.written.clone()));
        Match {
            source: it.source,
            target: it.target,
            probability,
            margin,
            decision: decision::decide(&sure, task, &vetoes, self.model),
            vetoes,
            by_names,
            counted_on: group.name(),
            factors: explain::factors(&self.rows[at], self.evidence[at], self.model),
            alternatives: rivals.alternatives(self, at),
        }
    }

    fn own(&self, at: usize, probability: f64) -> f64 {
        match self.question.task {
            Task::Canonical => probability,
            _ => probability.min(self.model.pooled.probability(self.logits[at])),
        }
    }

    /// A rival's probability: over all groups, as it was not chosen; on canonical fields of its
    /// own group, which is stricter.
    fn rival(&self, at: usize) -> f64 {
        match self.question.task {
            Task::Canonical => self.alone(at),
            _ => self.model.pooled.probability(self.logits[at]),
        }
    }

    fn alone(&self, at: usize) -> f64 {
        let group = self.group(&self.candidates[at], false);
        self.model.curve(group).probability(self.logits[at])
    }

    pub(super) fn group(&self, it: &Candidate, reused: bool) -> Group {
        Group::new(self.question.task, self.has_same_name(it), reused)
    }

    /// Whether the last segments are equal but for case and punctuation.
    pub(super) fn has_same_name(&self, it: &Candidate) -> bool {
        let (s, t) = (
            self.sources[it.source].name(),
            self.targets[it.target].name(),
        );
        bare(s) == bare(t)
    }
}

/// The sources as they are compared.
fn with_whole_names<'a>(question: &Question<'a>) -> Cow<'a, [Field]> {
    let names = lone_name::compared_as(question.sources, question.targets, question.task);
    if names.iter().all(Option::is_none) {
        return Cow::Borrowed(question.sources);
    }
    let field = |(it, name): (&Field, Option<&str>)| Field {
        name: name.unwrap_or(&it.name).to_owned(),
        ..it.clone()
    };
    question.sources.iter().zip(names).map(field).collect()
}

fn bare(name: &Form) -> String {
    let last = name.written.rsplit('.').next().unwrap_or_default();
    let letters = last.chars().filter(|it| it.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The candidates of each field, the best first.
struct Rivals<'a> {
    of_source: Vec<Vec<usize>>,
    of_target: Vec<Vec<usize>>,
    /// How many sources and how many targets have a name.
    names: [HashMap<&'a str, usize>; 2],
}

impl<'a> Rivals<'a> {
    fn of(scored: &'a Scored) -> Rivals<'a> {
        let mut order: Vec<_> = (0..scored.candidates.len()).collect();
        let logits = &scored.logits;
        order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
        let mut of_source = vec![Vec::new(); scored.sources.len()];
        let mut of_target = vec![Vec::new(); scored.targets.len()];
        for at in order {
            let it = &scored.candidates[at];
            of_source[it.source].push(at);
            of_target[it.target].push(at);
        }
        let count = |fields: &'a [FieldForms]| {
            let mut names = HashMap::new();
            for it in fields {
                *names.entry(it.name().written.as_str()).or_default() += 1;
            }
            names
        };
        Rivals {
            of_source,
            of_target,
            names: [count(&scored.sources), count(&scored.targets)],
        }
    }

    /// Which of several fields of one name is meant cannot be known.
    fn called_alike(&self, scored: &Scored, it: &Candidate) -> Option<String> {
        let source = scored.sources[it.source].name().written.as_str();
        let target = scored.targets[it.target].name().written.as_str();
        let both = [source, target].into_iter().zip(&self.names);
        let mut twice = both.filter(|(name, names)| names[name] > 1);
        let (name, _) = twice.next()?;
        Some(format!(
            "Several fields are called `{name}`. Choose the one that is meant."
        ))
    }

    /// Another added field that may have taken a lost one's place: `created_utc` and
    /// `created_local` for `created_at`.
    fn second_successor(&self, scored: &Scored, at: usize) -> Option<String> {
        let it = &scored.candidates[at];
        let drift = matches!(scored.question.task, Task::Drift { .. });
        if !drift || it.of("exact_last") > 0.5 || it.of("aligned_eq") > 0.9 {
            return None;
        }
        let is_plausible = |other: &&usize| {
            let other = &scored.candidates[**other];
            other.source != it.source
                && other.of("cov_t") > 0.5
                && other.of("conflict") < 1.0
                && other.of("type_bad") < 0.6
                && (other.of("has_vals") < 0.5 || other.of("fmt_cos") > 0.9)
        };
        let other = self.of_target[it.target].iter().find(is_plausible)?;
        let name = &scored.sources[scored.candidates[*other].source]
            .name()
            .written;
        Some(format!(
            "`{name}` may be its successor as well. Choose between the two."
        ))
    }

    fn best_beside(&self, scored: &Scored, at: usize) -> f64 {
        let it = &scored.candidates[at];
        let best = |of: &[usize]| {
            let rival = of.iter().find(|rival| **rival != at);
            rival.map_or(0.0, |rival| scored.rival(*rival))
        };
        best(&self.of_source[it.source]).max(best(&self.of_target[it.target]))
    }

    fn alternatives(&self, scored: &Scored, at: usize) -> Vec<Alternative> {
        let of_target = &self.of_target[scored.candidates[at].target];
        let others = of_target.iter().filter(|it| **it != at);
        let alternative = |it: &usize| Alternative {
            source: scored.candidates[*it].source,
            probability: scored.alone(*it),
        };
        others.take(ALTERNATIVES).map(alternative).collect()
    }
}
