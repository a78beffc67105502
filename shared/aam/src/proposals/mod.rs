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
use std::time::{Duration, Instant};

use mapping::matcher::{KeyCount, Memory, TargetEntity, key_fields, propose};
use mapping::shipped;
use schema::entity::Entities;
use schema::mapping::Mapping;
use schema::source::{ObjectKey, SourceSchema, child_path};
use schema::{Error, TenantId};

use crate::db::{
    Connection, custom_entities, mapping_decisions, payloads, snapshots, source_objects,
    stored_records,
};
pub use accept::{Accepted, AcceptedField, accept};
use draft::Draft;
use sample::Sample;
pub use wire::{
    AlternativeProposal, EntityProposal, Evidence, FieldProposal, KeyProposal, LeftOut, Proposal,
    Question, QuestionChoice, SampledRecord, ShapeProposal, Unfit,
};

/// How many stored records the matcher looks at.
pub const SAMPLE: i64 = 1_000;
/// How long stored records are read to decide how their values are written.
const TO_OBSERVE: Duration = Duration::from_secs(3);

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

    /// With a column's path where a person wrote its name as it stands in the file.
    fn with_paths(mut self, sample: &Sample) -> Answers {
        let path = |it: &str| {
            let escaped = child_path("", it);
            let is_name = sample.field(it).is_none() && sample.field(&escaped).is_some();
            if is_name { escaped } else { it.to_owned() }
        };
        for it in self.key.iter_mut().flatten() {
            *it = path(it);
        }
        for it in self.fields.values_mut().flatten() {
            *it = path(it);
        }
        let choice = |(id, chosen): (String, String)| match id.split_once(':') {
            Some(("format", column)) => (format!("format:{}", path(column)), chosen),
            Some(("field", _)) => (id, path(&chosen)),
            _ => (id, chosen),
        };
        self.choices = self.choices.into_iter().map(choice).collect();
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
    let mut sample = sample::of(unmapped);
    sample.observe(unmapped.records);
    sample.decide_formats();
    propose_sampled((unmapped, &sample), (entities, memory), answers, None)
}

/// Proposes what a sample is of; its keys by what was counted, where that was done.
fn propose_sampled(
    (unmapped, sample): (Unmapped<'_>, &Sample),
    (entities, memory): (&Entities, &Memory),
    answers: &Answers,
    counts: Option<Vec<KeyCount>>,
) -> schema::Result<Proposal> {
    let answers = &answers.clone().with_paths(sample);
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
    let mut proposed = propose(&sample.read, &targets, asked, memory);
    let best = proposed.entities.first();
    let best = best.and_then(|it| entities.find(&it.kind));
    let id = best.as_ref().and_then(|it| Some(&**it.key.first()?));
    proposed.judge_keys(&sample.object, counts, id);
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
    let records = payloads::sample(conn, tenant, object, SAMPLE).await?;
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
    let sample = observe(conn, tenant, object, sample).await?;
    let counts = keys::count(conn, tenant, object, key_fields(&sample.object)).await?;
    let answers = answers.clone().or(known.said_entity, known.said_key);
    let proposal = blocking(move || {
        let sampled = (stored.unmapped(), &sample);
        propose_sampled(sampled, (&entities, &memory), &answers, Some(counts))
    });
    Ok(proposal.await??)
}

/// Decides the formats by all that is stored, as far as it can be read in time.
async fn observe(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    mut sample: Sample,
) -> platform::Result<Sample> {
    let end = Instant::now() + TO_OBSERVE;
    let mut after = String::new();
    while Instant::now() < end {
        let slice = stored_records::Slice {
            object,
            after: &after,
        };
        let page = payloads::list(conn, tenant, slice).await?;
        let (places, payloads): (Vec<_>, Vec<_>) = page.into_iter().unzip();
        let Some(last) = places.into_iter().next_back() else {
            break;
        };
        after = last;
        sample = blocking(move || {
            sample.observe(&payloads);
            sample
        })
        .await?;
    }
    let decided = blocking(move || {
        sample.decide_formats();
        sample
    });
    Ok(decided.await?)
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
