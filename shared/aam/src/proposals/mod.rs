//! What the platform takes an object for: its entity, its key, its fields and their formats, each
//! with how sure that is. A person accepts it, corrects it, or says no.
//!
//! A proposal is computed when it is asked for, from what is stored, and stored nowhere: the same
//! records and the same earlier decisions always give the same one.

mod accept;
mod draft;
mod keys;
mod questions;
mod sample;
mod wire;

use std::collections::BTreeMap;

use mapping::matcher::{KeyCount, Memory, TargetEntity, key_fields, propose};
use mapping::shipped;
use schema::entity::Entities;
use schema::mapping::Mapping;
use schema::source::{ObjectKey, SourceSchema};
use schema::{Error, TenantId};

use crate::db::{
    Connection, custom_entities, mapping_decisions, snapshots, source_objects, stored_records,
};
pub use accept::{Accepted, AcceptedField, accept};
use draft::Draft;
use sample::Sample;
pub use wire::{
    AlternativeProposal, EntityProposal, Evidence, FieldProposal, KeyProposal, Proposal, Question,
    QuestionChoice, SampledRecord, ShapeProposal, Unfit,
};

/// How many stored records are looked at.
pub const SAMPLE: i64 = 1_000;

/// What a person says of a proposal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// The entity, where it is another one than the likeliest.
    pub entity: Option<String>,
    /// The source fields of the record's id, where they are others.
    pub key: Option<Vec<String>>,
    /// The source field of a canonical one, or that it has none.
    pub fields: BTreeMap<String, Option<String>>,
    /// The choice for each question, by the question's id.
    pub choices: BTreeMap<String, String>,
}

impl Answers {
    /// What was said of the object before, where these say nothing.
    fn or(mut self, entity: Option<String>, key: Option<Vec<String>>) -> Answers {
        let chosen = self.choices.contains_key(questions::ENTITY);
        if self.entity.is_none() && !chosen {
            self.entity = entity;
        }
        if self.key.is_none() && !self.choices.contains_key(questions::KEY) {
            self.key = key;
        }
        self
    }
}

/// Records that nobody has mapped, and what is known of them.
#[derive(Debug, Clone, Copy)]
pub struct Unmapped<'a> {
    /// The object's name.
    pub object: &'a str,
    /// Its system.
    pub system: &'a str,
    /// JSON objects, in any order.
    pub records: &'a [String],
    /// Their structure, where it was seen or declared.
    pub schema: Option<&'a SourceSchema>,
}

/// Proposes what records are that are at hand.
///
/// # Errors
/// [`Error::Invalid`] where an answer names what is not there.
pub fn propose_records(
    unmapped: Unmapped<'_>,
    (entities, memory): (&Entities, &Memory),
    answers: &Answers,
) -> schema::Result<Proposal> {
    let sample = sample::of(unmapped);
    propose_sampled((unmapped, &sample), (entities, memory), answers, None)
}

/// Proposes what a sample is of; its keys by what was counted, where that was done.
fn propose_sampled(
    (unmapped, sample): (Unmapped<'_>, &Sample),
    (entities, memory): (&Entities, &Memory),
    answers: &Answers,
    counts: Option<Vec<KeyCount>>,
) -> schema::Result<Proposal> {
    let targets: Vec<_> = entities.iter().map(|it| TargetEntity::of(it)).collect();
    let chosen = answers.choices.get(questions::ENTITY);
    let asked = answers.entity.as_ref().or(chosen).map(String::as_str);
    if let Some(kind) = asked
        && entities.find(kind).is_none()
    {
        let detail = format!("no such entity: send one of {}", entities.kinds());
        let pointer = match answers.entity {
            Some(_) => "/entity",
            None => "/answers/entity",
        };
        return Err(Error::invalid(pointer, detail));
    }
    let paths: Vec<_> = sample.object.fields.iter().map(|it| &*it.path).collect();
    let shape = shipped::recognise(unmapped.system, &paths);
    let shape = shape.filter(|it| asked.is_none_or(|kind| kind == it.mapping.entity));
    let asked = asked.or(shape.as_ref().map(|it| it.mapping.entity.as_str()));
    let mut proposed = propose(&sample.object, &targets, asked, memory);
    if let Some(counts) = counts {
        let best = proposed.entities.first();
        let best = best.and_then(|it| entities.find(&it.kind));
        let id = best.as_ref().and_then(|it| Some(&**it.key.first()?));
        proposed.judge_keys(&sample.object, counts, id);
    }
    let draft = Draft::new(
        unmapped,
        sample,
        (shape, proposed),
        (entities, memory, answers),
    )?;
    draft.finish()
}

/// Proposes what an object is, from what is stored of it.
///
/// # Errors
/// [`Error::NotFound`] where there is no such object; [`Error::Invalid`] where an answer names what
/// is not there.
pub async fn propose_object(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    answers: &Answers,
) -> platform::Result<Proposal> {
    let known = source_objects::find(conn, tenant, object).await?;
    let known = known.ok_or(Error::NotFound {
        what: "source object",
    })?;
    let records = stored_records::sample(conn, tenant, object, SAMPLE).await?;
    let latest = snapshots::find_latest_and_baseline(conn, tenant, object).await?;
    let memory = mapping_decisions::memory(conn, tenant).await?;
    let entities = custom_entities::entities(conn, tenant).await?;
    let schema = latest.map(|it| it.0.schema.0);
    let stored = StoredSample {
        object: object.name.to_owned(),
        system: known.system,
        records,
        schema,
    };
    // Each may take a second of a processor, which others need meanwhile.
    let (stored, sample) = blocking(move || {
        let sample = sample::of(stored.unmapped());
        (stored, sample)
    })
    .await?;
    let counts = keys::count(conn, tenant, object, key_fields(&sample.object)).await?;
    let answers = answers.clone().or(known.said_entity, known.said_key);
    let proposal = blocking(move || {
        let sampled = (stored.unmapped(), &sample);
        propose_sampled(sampled, (&entities, &memory), &answers, Some(counts))
    });
    Ok(proposal.await??)
}

/// A sample of what is stored.
struct StoredSample {
    object: String,
    system: String,
    records: Vec<String>,
    schema: Option<SourceSchema>,
}

impl StoredSample {
    fn unmapped(&self) -> Unmapped<'_> {
        Unmapped {
            object: &self.object,
            system: &self.system,
            records: &self.records,
            schema: self.schema.as_ref(),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> schema::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|err| Error::Internal(err.into()))
}

/// The mapping of a proposal that leaves nothing open.
///
/// # Errors
/// [`Error::Invalid`] with what is still to be answered.
pub fn accepted(proposal: &Proposal) -> schema::Result<&Mapping> {
    match &proposal.mapping {
        Some(mapping) => Ok(mapping),
        None => Err(Error::Invalid(
            proposal
                .questions
                .iter()
                .map(Question::unanswered)
                .collect(),
        )),
    }
}
