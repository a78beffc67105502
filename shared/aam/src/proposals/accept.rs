//! Accepting a proposal: its mapping comes into force, and what was decided is remembered.

use platform::Caller;
use schema::mapping::Mapping;
use schema::source::ObjectKey;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answers, LeftOut, Proposal, accepted, propose_object};
use crate::db::Connection;
use crate::db::mapping_decisions::{Decided, remember};
use crate::mappings::{InForce, adopt_and_replay};

/// What was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The mapping that is in force now.
    pub mapping: Mapping,
    /// Its fields, and how sure each was.
    pub fields: Vec<AcceptedField>,
    /// What was likely and is not mapped.
    pub left_out: Vec<LeftOut>,
    /// Its version, and the job to announce after the commit.
    pub in_force: InForce,
}

/// A field that is mapped now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AcceptedField {
    /// The canonical field.
    pub target: String,
    /// Where it comes from.
    pub sources: Vec<String>,
    /// How often such a pair was right; null where a person or the source itself says so.
    pub probability: Option<f64>,
}

/// Makes what is proposed for an object its mapping, with the answers of a person.
///
/// # Errors
/// [`Error::Invalid`](schema::Error::Invalid) with what is still to be answered, and as of
/// [`propose_object`].
pub async fn accept(
    conn: &mut Connection,
    caller: &Caller,
    object: ObjectKey<'_>,
    answers: &Answers,
    reason: &str,
) -> platform::Result<Accepted> {
    let proposal = propose_object(conn, caller.tenant, object, answers).await?;
    let mapping = accepted(&proposal)?.clone();
    let in_force = adopt_and_replay(conn, caller, object, (&mapping, reason)).await?;
    let decided = decided(&proposal, &mapping, answers);
    let of = (proposal.system.as_str(), mapping.entity.as_str());
    remember(conn, caller.tenant, of, &decided, platform::now()).await?;
    let fields = mapping.fields.iter().map(|it| AcceptedField {
        target: it.target.clone(),
        sources: it.sources.clone(),
        probability: probability(&proposal, answers, &it.target),
    });
    Ok(Accepted {
        fields: fields.collect(),
        left_out: proposal.left_out.clone(),
        in_force,
        mapping,
    })
}

/// From here on a pair is filled in without a person.
const LIKELY: f64 = 0.6;

fn probability(proposal: &Proposal, answers: &Answers, target: &str) -> Option<f64> {
    let said = answers.fields.contains_key(target);
    let field = proposal.fields.iter().find(|it| it.target == target)?;
    // What is less likely is mapped only because a person or the source says so.
    (!said && field.filled_in && LIKELY <= field.probability).then_some(field.probability)
}

/// What the acceptance says of each pair that was proposed.
fn decided<'a>(
    proposal: &'a Proposal,
    mapping: &'a Mapping,
    answers: &Answers,
) -> Vec<Decided<'a>> {
    let chosen = |target: &str| mapping.fields.iter().find(|it| it.target == target);
    let mut decided = Vec::new();
    for field in &mapping.fields {
        decided.extend(field.sources.iter().map(|it| Decided {
            source: it,
            target: &field.target,
            accepted: true,
            transforms: &field.transforms,
        }));
    }
    for field in &proposal.fields {
        let taken = chosen(&field.target).is_some_and(|it| it.sources.contains(&field.source));
        let refused = answers
            .fields
            .get(&field.target)
            .is_some_and(Option::is_none);
        if !taken && (field.filled_in || refused) {
            decided.push(Decided {
                source: &field.source,
                target: &field.target,
                accepted: false,
                transforms: &[],
            });
        }
    }
    decided
}
