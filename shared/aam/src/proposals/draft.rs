//! From what the matcher says to a mapping: what is likely is filled in, what a person says wins,
//! what does not fit the values is left out, and what is missing is asked.

mod check;
mod currency;
mod fields;
mod format;
mod key;

use std::collections::{BTreeMap, BTreeSet};

use mapping::Plan;
use mapping::matcher::{FieldProposal as Proposed, Memory, ObjectProposal};
use mapping::shipped::Recognised;
use schema::Result;
use schema::entity::{Entities, EntityRef, Field, Kind, UNMAPPED};
use schema::mapping::{FieldMapping, Mapping, Missing, Transform};
use serde_json::{json, value::RawValue};

use super::questions::{ENTITY, KEY, choice, plain};
use super::sample::Sample;
use super::wire::is_likely;
use super::{
    AlternativeProposal, Answers, EntityProposal, FieldProposal, KeyProposal, LeftOut, Proposal,
    Question, QuestionChoice, SampledRecord, ShapeProposal, Unfit, Unmapped,
};
use key::id_field;

/// How many canonical records are shown.
const SHOWN: usize = 20;
/// How many fields a question offers.
const CHOICES: usize = 12;

/// One sampled record of so many may not fit and wait in quarantine; of more, the field is left out.
const QUARANTINED: u64 = 20;

/// An entity that is less likely among all of them is asked for.
const SURE: f64 = 0.5;

/// A mapping on its way.
pub(super) struct Draft<'a> {
    unmapped: Unmapped<'a>,
    sample: &'a Sample,
    memory: &'a Memory,
    answers: &'a Answers,
    entities: &'a Entities,
    entity: EntityRef,
    /// The shipped shape that the records have, where it is one of that entity.
    shape: Option<Recognised>,
    proposed: ObjectProposal,
    /// By canonical field, what is filled in.
    filled: BTreeMap<String, FieldMapping>,
    /// By canonical field, what to know of how it was filled in.
    notes: BTreeMap<String, String>,
    /// By canonical field, why it is not filled in though it is likely.
    against: BTreeMap<String, String>,
    questions: Vec<Question>,
    /// The ids of all questions, also of those that are answered.
    asked: BTreeSet<String>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        unmapped: Unmapped<'a>,
        sample: &'a Sample,
        (shape, proposed): (Option<Recognised>, ObjectProposal),
        (entities, memory, answers): (&'a Entities, &'a Memory, &'a Answers),
    ) -> Result<Draft<'a>> {
        let said = answers.entity.is_some() || answers.choices.contains_key(ENTITY);
        let best = proposed.entities.first();
        let best = best.filter(|it| said || SURE <= it.probability);
        let entity = best.and_then(|it| entities.find(&it.kind));
        let draft = Draft {
            unmapped,
            sample,
            memory,
            answers,
            entities,
            entity: entity.unwrap_or_else(|| UNMAPPED.into()),
            shape,
            proposed,
            filled: BTreeMap::new(),
            notes: BTreeMap::new(),
            against: BTreeMap::new(),
            questions: Vec::new(),
            asked: answers
                .choices
                .keys()
                .filter(|it| *it == ENTITY)
                .cloned()
                .collect(),
        };
        draft.check_answers()?;
        Ok(draft)
    }

    /// Fills in, tries it on the sample, and tells of it.
    pub(super) fn finish(mut self) -> Result<Proposal> {
        self.fill_fields();
        self.fill_currency();
        if let [_] = &*self.entity.key {
            self.fill_key();
        }
        self.ask_for_required();
        // Whether several fields are a key is only known once all are there.
        if let [_, _, ..] = &*self.entity.key {
            self.ask_for_period();
            self.fill_key();
        }
        self.check_choices()?;
        let mut unfit = self.try_out()?;
        // What does not fit a value is not what the field means, unless a person says so.
        while self.leave_out(&unfit) {
            unfit = self.try_out()?;
        }
        Ok(self.tell(unfit))
    }

    fn proposed(&self, target: &str) -> Option<&Proposed> {
        self.proposed.fields.iter().find(|it| it.target == target)
    }

    fn fill(&mut self, field: &Field, sources: Vec<String>) {
        let mut transforms = Vec::new();
        if sources.len() > 1 {
            transforms.push(Transform::Concat {
                separator: ":".to_owned(),
                missing: Missing::Empty,
                escape: true,
            });
        }
        if field.kind == Kind::Text {
            transforms.push(Transform::Trim {});
        }
        if let [source] = sources.as_slice() {
            transforms.extend(self.format(source, field));
        }
        let filled = FieldMapping {
            target: field.name.to_string(),
            sources,
            transforms,
        };
        self.filled.insert(field.name.to_string(), filled);
    }

    fn ask(&mut self, question: Question) {
        if !self.questions.iter().any(|it| it.id == question.id) {
            self.questions.push(question);
        }
    }

    /// Asks for what a record cannot be without.
    fn ask_for_required(&mut self) {
        if self.entity.is_unmapped() {
            let kinds = self.entities.iter();
            self.asked.insert(ENTITY.to_owned());
            self.questions.push(Question {
                id: ENTITY.to_owned(),
                question:
                    "What is one of these records? Where it is none of these, declare an entity of \
                           your own: POST /api/v1/dcl/entities."
                        .to_owned(),
                choices: kinds.map(|it| choice(&it.kind, &it.doc)).collect(),
            });
        }
        let entity = self.entity.clone();
        for field in entity.fields.iter().filter(|it| it.required) {
            // What the id is, is asked by itself.
            let is_id = *entity.key == [field.name.clone()];
            if is_id || self.filled.contains_key(&*field.name) {
                continue;
            }
            let id = format!("field:{}", field.name);
            self.asked.insert(id.clone());
            let chosen = self.answers.choices.get(&id);
            if let Some(path) = chosen.filter(|it| self.sample.field(it).is_some()) {
                self.fill(field, vec![path.clone()]);
                continue;
            }
            let empty = match self
                .sample
                .object
                .fields
                .iter()
                .all(|it| it.samples.is_empty())
            {
                true => " No sampled record has any value: bring some that have.",
                false => "",
            };
            let question = Question {
                id,
                question: format!(
                    "Which field of the source is `{}`{}? A record without it is quarantined. \
                     Where no field has it, map the object with one value for all, {} in POST \
                     /api/v1/dcl/mappings/{{connection}}/{{object}}.{empty}",
                    field.name,
                    match field.doc.trim_end_matches('.') {
                        "" => String::new(),
                        doc => format!(" ({doc})"),
                    },
                    constant(&field.name),
                ),
                choices: self.choices(field),
            };
            self.questions.push(question);
        }
    }

    /// The likeliest fields, then those that most records have.
    fn choices(&self, field: &Field) -> Vec<QuestionChoice> {
        let proposed = self.proposed(&field.name).into_iter();
        let likely = proposed.flat_map(|it| {
            let others = it.alternatives.iter().map(|it| it.source.as_str());
            std::iter::once(it.source.as_str()).chain(others)
        });
        let mut fields: Vec<_> = self.sample.object.fields.iter().collect();
        fields.sort_by_key(|it| it.nulls);
        let mut paths: Vec<&str> = Vec::new();
        for path in likely.chain(fields.iter().map(|it| it.path.as_str())) {
            if !paths.contains(&path) && paths.len() < CHOICES {
                paths.push(path);
            }
        }
        let example = |path: &str| {
            let field = self.sample.field(path);
            let first = field.and_then(|it| it.samples.first());
            first.map_or("no value in the sample".to_owned(), |it| {
                format!("such as {it:?}")
            })
        };
        paths
            .iter()
            .map(|it| choice(&plain(it), &example(it)))
            .collect()
    }

    fn mapping(&self) -> Mapping {
        let in_order = self.entity.fields.iter();
        Mapping {
            entity: self.entity.kind.to_string(),
            fields: in_order
                .filter_map(|it| self.filled.get(&*it.name).cloned())
                .collect(),
        }
    }

    /// What of the sample the mapping would quarantine.
    fn try_out(&self) -> Result<Vec<Unfit>> {
        if !self.questions.is_empty() {
            return Ok(vec![]);
        }
        let plan = Plan::compile_for(self.entities, &self.mapping())?;
        let mut unfit: Vec<Unfit> = Vec::new();
        for record in self.unmapped.records {
            let Err(error) = plan.canonicalise(record) else {
                continue;
            };
            match unfit.iter_mut().find(|it| it.field == error.field) {
                Some(known) => known.records += 1,
                None => unfit.push(Unfit {
                    field: error.field,
                    records: 1,
                    reason: error.reason,
                }),
            }
        }
        Ok(unfit)
    }

    /// Leaves out the fields whose values do not fit but for a few, and says whether there were any.
    fn leave_out(&mut self, unfit: &[Unfit]) -> bool {
        let mut some = false;
        for it in unfit {
            let Some(field) = it.field.as_deref().and_then(|it| self.entity.field(it)) else {
                continue;
            };
            let said = self.answers.fields.contains_key(&*field.name) || self.answered(&field.name);
            let is_small = it.records * QUARANTINED <= self.unmapped.records.len() as u64;
            if field.required || said || is_small || self.filled.remove(&*field.name).is_none() {
                continue;
            }
            let against = format!(
                "{} of {} sampled values do not fit: {}",
                it.records,
                self.unmapped.records.len(),
                it.reason
            );
            self.against.insert(field.name.to_string(), against);
            some = true;
        }
        some
    }

    /// Whether a person said how the field's values are read: what does not fit is quarantined.
    fn answered(&self, target: &str) -> bool {
        let sources = self.filled.get(target).map(|it| it.sources.as_slice());
        let mut sources = sources.unwrap_or_default().iter();
        sources.any(|it| {
            let id = format!("format:{it}");
            self.answers.choices.contains_key(&id)
        })
    }

    fn tell(self, unfit: Vec<Unfit>) -> Proposal {
        let whole = self.questions.is_empty();
        let mapping = whole.then(|| self.mapping());
        let records = mapping.as_ref().map(|it| self.records(it));
        let used: BTreeSet<_> = self.filled.values().flat_map(|it| &it.sources).collect();
        let fields = self.sample.object.fields.iter().map(|it| &it.path);
        let unused = fields.filter(|it| !used.contains(it)).cloned().collect();
        let entities = self.proposed.entities.iter().map(|it| EntityProposal {
            entity: it.kind.clone(),
            probability: it.probability,
        });
        Proposal {
            object: self.unmapped.object.to_owned(),
            system: self.unmapped.system.to_owned(),
            shape: self.shape.as_ref().map(ShapeProposal::of),
            records_sampled: self.unmapped.records.len(),
            fields_skipped: self.sample.skipped.len(),
            entities: entities.collect(),
            entity: (!self.entity.is_unmapped()).then(|| self.entity.kind.to_string()),
            keys: self.keys(),
            fields: self
                .proposed
                .fields
                .iter()
                .map(|it| self.field(it))
                .collect(),
            left_out: self.left_out(),
            unused,
            formats: self.sample.formats(),
            questions: self.questions,
            mapping,
            unfit,
            records: records.unwrap_or_default(),
        }
    }

    /// What would be filled in but for something against it.
    fn left_out(&self) -> Vec<LeftOut> {
        let left_out = self.against.iter().filter_map(|(target, reason)| {
            Some(LeftOut {
                target: target.clone(),
                source: self.proposed(target)?.source.clone(),
                reason: reason.clone(),
            })
        });
        left_out.collect()
    }

    /// The keys, the one that is taken first.
    fn keys(&self) -> Vec<KeyProposal> {
        let taken = id_field(&self.entity).and_then(|it| self.filled.get(&*it.name));
        if let [_, _, ..] = &*self.entity.key
            && !self.asked.contains(KEY)
        {
            return self.own_key().into_iter().collect();
        }
        let taken = taken.map(|it| &it.sources);
        let all = self.proposed.keys.iter().map(|it| KeyProposal {
            fields: it.paths.clone(),
            records: it.rows,
            collisions: it.collisions,
            empty: it.empty,
            reason: it.reason.clone(),
        });
        let mut keys: Vec<_> = all.collect();
        keys.sort_by_key(|it| Some(&it.fields) != taken);
        keys
    }

    fn field(&self, proposed: &Proposed) -> FieldProposal {
        let filled = self.filled.get(&proposed.target);
        let source = filled.and_then(|it| it.sources.first());
        let against = self.against.get(&proposed.target).cloned();
        FieldProposal {
            target: proposed.target.clone(),
            source: source.unwrap_or(&proposed.source).clone(),
            probability: probability_of(proposed, source),
            margin: proposed.margin,
            filled_in: filled.is_some(),
            transforms: filled.map(|it| it.transforms.clone()).unwrap_or_default(),
            note: self.notes.get(&proposed.target).cloned(),
            reasons_against: proposed.vetoes.iter().cloned().chain(against).collect(),
            factors: proposed.factors.iter().cloned().map(Into::into).collect(),
            alternatives: proposed
                .alternatives
                .iter()
                .map(|it| AlternativeProposal {
                    source: it.source.clone(),
                    probability: it.probability,
                })
                .collect(),
        }
    }

    fn records(&self, mapping: &Mapping) -> Vec<SampledRecord> {
        let Ok(plan) = Plan::compile_for(self.entities, mapping) else {
            return vec![];
        };
        let sampled = self.unmapped.records.iter().filter_map(|raw| {
            let record = plan.canonicalise(raw).ok()?;
            Some(SampledRecord {
                source_id: record.source_id().into_owned(),
                record: serde_json::to_value(&record).ok()?,
                raw: RawValue::from_string(raw.clone()).ok()?,
            })
        });
        sampled.take(SHOWN).collect()
    }
}

/// The row of a mapping that gives every record one value.
fn constant(target: &str) -> String {
    let constant = json!({"kind": "constant", "value": "…"});
    let row = json!({"target": target, "sources": [], "transforms": [constant]});
    format!("`{row}`")
}

/// How likely a pair is, which need not be the likeliest one of the target.
fn probability_of(proposed: &Proposed, source: Option<&String>) -> f64 {
    let Some(source) = source.filter(|it| **it != proposed.source) else {
        return proposed.probability;
    };
    let mut others = proposed.alternatives.iter();
    let same = others.find(|it| it.source == *source);
    same.map_or(0.0, |it| it.probability)
}
