//! What the platform takes an object for: its entity, its key, its fields and their formats, each
//! with how sure that is. A person accepts it, corrects it, or says no.
//!
//! A proposal is computed when it is asked for, from what is stored, and stored nowhere: the same
//! records and the same earlier decisions always give the same one.

mod accept;
mod draft;
mod questions;
mod sample;
mod wire;

use std::collections::BTreeMap;

use mapping::matcher::{Memory, TargetEntity, propose};
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
    let targets: Vec<_> = entities.iter().map(|it| TargetEntity::of(it)).collect();
    let asked = answers.entity.as_deref();
    if let Some(kind) = asked
        && entities.find(kind).is_none()
    {
        let detail = format!("no such entity: send one of {}", entities.kinds());
        return Err(Error::invalid("/entity", detail));
    }
    let paths: Vec<_> = sample.object.fields.iter().map(|it| &*it.path).collect();
    let shape = shipped::recognise(unmapped.system, &paths);
    let shape = shape.filter(|it| asked.is_none_or(|kind| kind == it.mapping.entity));
    let asked = asked.or(shape.as_ref().map(|it| it.mapping.entity.as_str()));
    let proposed = propose(&sample.object, &targets, asked, memory);
    let draft = Draft::new(
        unmapped,
        &sample,
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
    let (name, answers) = (object.name.to_owned(), answers.clone());
    // It may take a second of a processor, which others need meanwhile.
    let work = tokio::task::spawn_blocking(move || {
        let unmapped = Unmapped {
            object: &name,
            system: &known.system,
            records: &records,
            schema: schema.as_ref(),
        };
        propose_records(unmapped, (&entities, &memory), &answers)
    });
    Ok(work.await.map_err(|err| Error::Internal(err.into()))??)
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
