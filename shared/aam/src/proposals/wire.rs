//! A proposal as it is told.

use mapping::matcher::{Decision, Factor};
use mapping::shipped::Recognised;
use schema::FieldError;
use schema::format::ColumnFormat;
use schema::mapping::{Mapping, Transform};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// What the platform takes an object for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Proposal {
    /// The object.
    pub object: String,
    /// The system that it is of.
    pub system: String,
    /// The form of records in which the system is known to hand them out, where they have one: the
    /// mapping starts from it.
    pub shape: Option<ShapeProposal>,
    /// How many of its records were looked at.
    pub records_sampled: usize,
    /// How many of their fields were not looked at: beyond the first 2,000.
    pub fields_skipped: usize,
    /// What its records may be, the likeliest first.
    pub entities: Vec<EntityProposal>,
    /// What they are taken for here; null where that is asked: nothing is likelier than all others
    /// together.
    pub entity: Option<String>,
    /// What may identify a record, the best first, and what nearly does, the worst last. The first
    /// one is taken, unless `key` is asked.
    pub keys: Vec<KeyProposal>,
    /// Where each canonical field may come from.
    pub fields: Vec<FieldProposal>,
    /// Canonical fields that have a likely source and are left out all the same, and why.
    pub left_out: Vec<LeftOut>,
    /// Source fields that no canonical one takes: they are kept in `extras`.
    pub unused: Vec<String>,
    /// How each field writes its values, where it has any format.
    pub formats: Vec<ColumnFormat>,
    /// What has to be answered first; nothing, where the mapping is whole.
    pub questions: Vec<Question>,
    /// The mapping, ready to be accepted; null while a question is open.
    pub mapping: Option<Mapping>,
    /// Sampled records that the mapping would quarantine, by field and with one reason each.
    pub unfit: Vec<Unfit>,
    /// The first sampled records as the mapping makes them, at most 20.
    pub records: Vec<SampledRecord>,
}

/// A form of records that is known.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShapeProposal {
    /// Whose: `hubspot`.
    pub system: &'static str,
    /// Which: `api`, `export`, or `export.de` for an export in German.
    pub name: &'static str,
}

/// An entity that records may be.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntityProposal {
    /// `account`.
    pub entity: String,
    /// How likely, 0 to 1, among all entities.
    pub probability: f64,
}

/// Source fields that may identify a record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KeyProposal {
    /// One field, or several together.
    pub fields: Vec<String>,
    /// How many records were compared: all that are stored, unless that takes too long.
    pub records: u64,
    /// How many of them have the value of an earlier one. Of rows that came in files, within a file:
    /// in a later file it is a later version of the record.
    pub collisions: u64,
    /// How many of them have no value.
    pub empty: u64,
    /// Why it is named.
    pub reason: String,
}

/// The source field that a canonical one may come from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldProposal {
    /// The canonical field.
    pub target: String,
    /// The source field: a path into the record.
    pub source: String,
    /// How often such a pair was right, 0 to 1.
    pub probability: f64,
    /// How far that is above the best rival.
    pub margin: f64,
    /// Whether the mapping has it: it is likely enough and its values fit, or somebody said so.
    pub filled_in: bool,
    /// What is done to the value, as its column shows. While a question about the column is open,
    /// it is what the first choice would do, and waits for the answer.
    pub transforms: Vec<Transform>,
    /// What to know of how it is read; null where that is plain.
    pub note: Option<String>,
    /// What speaks against it.
    pub reasons_against: Vec<String>,
    /// What speaks for and against it, in logits. They add up to the score of the pair by itself;
    /// the probability is calibrated, so that their sum is not its logit.
    pub factors: Vec<Evidence>,
    /// Other source fields, the best first.
    pub alternatives: Vec<AlternativeProposal>,
}

/// A canonical field that is not mapped though a source field is likely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LeftOut {
    /// The canonical field.
    pub target: String,
    /// The source field.
    pub source: String,
    /// Why; name the field in `fields` to have it all the same, and what does not fit quarantined.
    pub reason: String,
}

/// A part of the evidence for a pair.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProposalEvidence)]
pub struct Evidence {
    /// What it is.
    pub evidence: String,
    /// By how much it raises (or lowers) the logit; all together make it up.
    pub logit: f64,
}

/// Another source field that a canonical one may come from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlternativeProposal {
    /// The source field.
    pub source: String,
    /// How often such a pair was right, 0 to 1.
    pub probability: f64,
}

/// What only a person knows.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProposalQuestion)]
pub struct Question {
    /// Send the answer under this name.
    pub id: String,
    /// What is asked.
    pub question: String,
    /// What can be answered.
    pub choices: Vec<QuestionChoice>,
}

/// One answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuestionChoice {
    /// Send this.
    pub id: String,
    /// What it means.
    pub meaning: String,
}

/// Sampled records that a mapping would quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unfit {
    /// The canonical field that is wrong; null where the whole record is.
    pub field: Option<String>,
    /// How many.
    pub records: u64,
    /// What is wrong with the first one.
    pub reason: String,
}

/// A sampled record as a mapping makes it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampledRecord {
    /// Its id.
    pub source_id: String,
    /// The canonical record.
    pub record: Value,
    /// The record as it came.
    #[schema(value_type = Object)]
    pub raw: Box<RawValue>,
}

impl Question {
    pub(super) fn unanswered(&self) -> FieldError {
        let choices: Vec<_> = self
            .choices
            .iter()
            .map(|it| format!("`{}` ({})", it.id, it.meaning.trim_end_matches('.')))
            .collect();
        FieldError {
            pointer: format!("/answers/{}", self.id),
            detail: format!("{} Send one of {}.", self.question, choices.join(", ")),
        }
    }
}

impl ShapeProposal {
    pub(super) fn of(shape: &Recognised) -> ShapeProposal {
        ShapeProposal {
            system: shape.system,
            name: shape.shape,
        }
    }
}

impl From<Factor> for Evidence {
    fn from(factor: Factor) -> Evidence {
        Evidence {
            evidence: factor.evidence.to_owned(),
            logit: factor.logit,
        }
    }
}

/// Whether a pair is likely enough to be filled in before a person looks.
pub(super) fn is_likely(decision: Decision) -> bool {
    Decision::Review <= decision
}
