//! Proposals for the platform: what an object is, what identifies its records, and which field is
//! which.

use super::answer::{Match, Scored};
use super::decision::Decision;
use super::entity::{self, RankedEntity};
use super::explain::Factor;
use super::key::{self, KeyCandidate, KeyCount};
use super::memory::Memory;
use super::model::Model;
use super::question::{Field, Question, Task};
use super::sample::{FieldSample, ObjectSample, TargetEntity};

/// What the platform thinks an object is.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ObjectProposal {
    /// The entities, the likeliest first; only the one that was given, where one was.
    pub entities: Vec<RankedEntity>,
    /// What may identify a record, the best first.
    pub keys: Vec<KeyCandidate>,
    /// One entry for each field of the likeliest entity that has any candidate, in its order.
    pub fields: Vec<FieldProposal>,
}

/// The source that is proposed for one target.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FieldProposal {
    /// The target field; in a repair the lost field's path.
    pub target: String,
    /// The source field's path.
    pub source: String,
    /// How often such a pair was right, 0 to 1.
    pub probability: f64,
    /// How far that is above the best rival for the same target or the same source.
    pub margin: f64,
    /// What may be done with it.
    pub decision: Decision,
    /// Reasons against a decision without a person: sentences, what it is, then what to do.
    pub vetoes: Vec<String>,
    /// Which names agreed, of the source and of the target, where it is not the fields' own.
    pub by_names: Option<(String, String)>,
    /// The population that the probability was counted on: `canonical other` are pairs of
    /// different names.
    pub counted_on: String,
    /// The evidence in logits, which add up to that of the pair.
    pub factors: Vec<Factor>,
    /// Other sources, the best first.
    pub alternatives: Vec<AlternativeSource>,
}

/// Another source of a target.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct AlternativeSource {
    /// Its path.
    pub source: String,
    /// How often such a pair was right, 0 to 1.
    pub probability: f64,
}

/// Proposes what an object is and how it is mapped. With `entity`, only that one is looked at;
/// one that is not in `entities` gives an empty proposal.
///
/// No field is ever [`Decision::Auto`]: the first mapping of an object is for a person to accept.
pub fn propose(
    object: &ObjectSample,
    entities: &[TargetEntity],
    entity: Option<&str>,
    memory: &Memory,
) -> ObjectProposal {
    let asked = |it: &&TargetEntity| entity.is_none_or(|kind| it.kind == kind);
    let entities: Vec<_> = entities.iter().filter(asked).collect();
    let sources: Vec<_> = object.fields.iter().map(FieldSample::field).collect();
    let mut answers: Vec<_> = entities
        .iter()
        .map(|it| of_entity(&sources, it, memory))
        .collect();
    let ranked = entity::rank(object, &entities, &answers);
    let mut keys = key::of_sample(object);
    let mut fields = Vec::new();
    if let Some((best, _)) = ranked.first() {
        let targets: Vec<_> = entities[*best]
            .fields
            .iter()
            .map(|it| it.name.clone())
            .collect();
        let matches = std::mem::take(&mut answers[*best]).into_iter();
        fields.extend(matches.map(|it| proposal(it, &object.fields, &targets)));
        let is_id = |it: &&FieldProposal| entities[*best].key.first() == Some(&it.target);
        let id = fields.iter().find(is_id).filter(|it| it.probability >= 0.5);
        if let Some(id) = id {
            key::prefer(&mut keys, &id.source);
        }
    }
    ObjectProposal {
        entities: ranked.into_iter().map(|it| it.1).collect(),
        keys,
        fields,
    }
}

impl ObjectProposal {
    /// Judges the keys by what was counted, else by the values of this sample. `id` is the field of
    /// the likeliest entity that identifies a record.
    pub fn judge_keys(
        &mut self,
        object: &ObjectSample,
        counts: Option<Vec<KeyCount>>,
        id: Option<&str>,
    ) {
        self.keys = match counts {
            Some(counts) => key::candidates(object, counts),
            None => key::of_sample(object),
        };
        let is_id = |it: &&FieldProposal| id == Some(&it.target);
        let id = self.fields.iter().find(is_id);
        if let Some(id) = id.filter(|it| it.probability >= 0.5) {
            key::prefer(&mut self.keys, &id.source);
        }
    }
}

/// Proposes for each lost field of an object which of the added ones took its place. `words` are
/// words for the object's records; `aligned` says that the samples of both are of the same records
/// in the same order.
pub fn repair(
    lost: &[FieldSample],
    added: &[FieldSample],
    words: &[String],
    aligned: Aligned,
    memory: &Memory,
) -> Vec<FieldProposal> {
    let fields = |of: &[FieldSample]| of.iter().map(FieldSample::field).collect::<Vec<_>>();
    let (sources, targets) = (fields(added), fields(lost));
    let question = Question {
        task: Task::Drift {
            aligned: aligned == Aligned::Yes,
        },
        sources: &sources,
        targets: &targets,
        entity_words: words,
    };
    let names: Vec<_> = lost.iter().map(|it| it.path.clone()).collect();
    let evidence =
        |source: usize, target: usize| memory.evidence("", &names[target], &sources[source].name);
    let matches = Scored::new(&question, Model::shipped(), &evidence).matches();
    let field = |it| proposal(it, added, &names);
    matches.into_iter().map(field).collect()
}

/// Whether two samples are of the same records in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aligned {
    /// They are.
    Yes,
    /// They may not be.
    No,
}

fn of_entity(sources: &[Field], entity: &TargetEntity, memory: &Memory) -> Vec<Match> {
    let targets = entity.targets();
    let question = Question {
        task: Task::Canonical,
        sources,
        targets: &targets,
        entity_words: &entity.words,
    };
    let evidence = |source: usize, target: usize| {
        memory.evidence(&entity.kind, &targets[target].name, &sources[source].name)
    };
    Scored::new(&question, Model::shipped(), &evidence).matches()
}

fn proposal(it: Match, sources: &[FieldSample], targets: &[String]) -> FieldProposal {
    let alternative = |other: super::answer::Alternative| AlternativeSource {
        source: sources[other.source].path.clone(),
        probability: other.probability,
    };
    FieldProposal {
        target: targets[it.target].clone(),
        source: sources[it.source].path.clone(),
        probability: it.probability,
        margin: it.margin,
        decision: it.decision,
        vetoes: it.vetoes,
        by_names: it.by_names,
        counted_on: it.counted_on,
        factors: it.factors,
        alternatives: it.alternatives.into_iter().map(alternative).collect(),
    }
}
