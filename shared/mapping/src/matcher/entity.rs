//! Which entity an object feeds.

use std::collections::BTreeMap;

use super::answer::Match;
use super::dictionary::dictionary;
use super::normal_form::concepts;
use super::sample::{ObjectSample, TargetEntity};
use super::tokens::words;

/// An entity and how likely the object is one of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RankedEntity {
    /// `account`.
    pub kind: String,
    /// The evidence: see `rank`.
    pub score: f64,
    /// The score as a share of all entities' ones, 0 to 1.
    pub probability: f64,
}

/// From this probability on a field counts as found.
const FOUND: f64 = 0.5;
/// How much a field counts that no other entity has.
const OWN: f64 = 0.6;
/// How much it counts that field names contain words for the entity, where all do.
const HINTS: f64 = 1.5;
/// How much it counts that the object is called like the entity.
const NAME: f64 = 1.0;
/// How sharply scores are told apart.
const SHARPNESS: f64 = 2.0;

/// The positions of the entities with their evidence, the best first: the sum of the
/// probabilities of the fields that were found, in relation to the number of fields; those that
/// only this entity has once more; words for the entity in the names of fields and of the object.
pub(super) fn rank(
    object: &ObjectSample,
    entities: &[&TargetEntity],
    answers: &[Vec<Match>],
) -> Vec<(usize, RankedEntity)> {
    let mut has = BTreeMap::<&str, usize>::new();
    for field in entities.iter().flat_map(|it| &it.fields) {
        *has.entry(&field.name).or_default() += 1;
    }
    let generic = &dictionary().generic_heads;
    let is_own = |name: &str| has[name] == 1 && !generic.contains(name);
    let score = |(entity, matches): (&&TargetEntity, &Vec<Match>)| {
        let found = matches.iter().filter(|it| it.probability >= FOUND);
        let (mut all, mut own) = (0.0, 0.0);
        for it in found {
            all += it.probability;
            if is_own(&entity.fields[it.target].name) {
                own += it.probability;
            }
        }
        let size = (entity.fields.len() as f64).powf(0.35).max(1.0);
        all / size + OWN * own + hints(object, entity)
    };
    let scores: Vec<f64> = entities.iter().zip(answers).map(score).collect();
    let best = scores.iter().copied().fold(0.0, f64::max);
    let mass: f64 = scores
        .iter()
        .map(|it| (SHARPNESS * (it - best)).exp())
        .sum();
    let ranked = |(at, score): (usize, &f64)| {
        let ranked = RankedEntity {
            kind: entities[at].kind.clone(),
            score: *score,
            probability: (SHARPNESS * (score - best)).exp() / mass,
        };
        (at, ranked)
    };
    let mut ranked: Vec<_> = scores.iter().enumerate().map(ranked).collect();
    ranked.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    ranked
}

/// Words for the entity in the names of fields and of the object.
fn hints(object: &ObjectSample, entity: &TargetEntity) -> f64 {
    // The first two are the entity's own; the others may be another's as well.
    let own: Vec<_> = entity
        .words
        .iter()
        .take(2)
        .flat_map(|it| concepts(&words(it)))
        .collect();
    let says = |name: &str| concepts(&words(name)).iter().any(|it| own.contains(it));
    let fields = object.fields.iter().filter(|it| says(&it.path)).count();
    let share = fields as f64 / object.fields.len().max(1) as f64;
    let name = if says(&object.name) { NAME } else { 0.0 };
    HINTS * share + name
}
