//! What a tenant decided before, as evidence for what it is asked now.

use std::collections::BTreeMap;

use schema::mapping::Transform;

use super::normal_form;
use super::path_of_name::NameParts;

/// What a person said of a proposed pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The source feeds the target.
    Accepted,
    /// It does not.
    Rejected,
}

/// A decision of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The system of the source.
    pub system: String,
    /// The source field's path.
    pub source: String,
    /// The entity it was mapped to; empty for a repair.
    pub entity: String,
    /// The target field.
    pub target: String,
    /// How it was read, where it was accepted.
    pub transforms: Vec<Transform>,
    /// What was decided.
    pub verdict: Verdict,
    /// How often.
    pub count: u32,
}

/// The decisions of one tenant. They are never shared with another.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// By entity, target and name: the sum of what was said.
    exact: BTreeMap<(String, String, String), Said>,
    /// By entity, target and normal form.
    alike: BTreeMap<(String, String, String), Said>,
    /// By system, entity, target and name: how the field was read.
    transforms: BTreeMap<[String; 4], Vec<Transform>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Said {
    accepted: f64,
    rejected: f64,
}

/// How much decisions about the very name and about names of the same meaning count. Unanimous
/// approvals of the same name were right 38 times of 39.
const WEIGHT: (f64, f64) = (3.0, 1.5);
/// No number of decisions counts for more.
const MOST: f64 = 6.0;

impl Memory {
    /// In any order; of several that say how one field of a system is read, the first counts.
    pub fn new(decisions: impl IntoIterator<Item = Remembered>) -> Memory {
        let mut memory = Memory::default();
        for it in decisions {
            let name = super::sample::readable(&it.source);
            if it.verdict == Verdict::Accepted && !it.transforms.is_empty() {
                let (system, entity, target) = (&it.system, &it.entity, &it.target);
                let key = [system.clone(), entity.clone(), target.clone(), exact(&name)];
                memory.transforms.entry(key).or_insert(it.transforms);
            }
            let key = |name: String| (it.entity.clone(), it.target.clone(), name);
            for said in [
                memory.exact.entry(key(exact(&name))).or_default(),
                memory.alike.entry(key(meaning(&name))).or_default(),
            ] {
                match it.verdict {
                    Verdict::Accepted => said.accepted += f64::from(it.count),
                    Verdict::Rejected => said.rejected += f64::from(it.count),
                }
            }
        }
        memory
    }

    /// Whether people said that the source of that very path feeds the target, and nobody said no.
    pub fn is_accepted(&self, entity: &str, target: &str, path: &str) -> bool {
        let said = self.said(entity, target, path);
        0.0 < said.accepted && said.rejected == 0.0
    }

    /// Whether people said that the source of that very path does not feed the target, and nobody
    /// said that it does.
    pub fn is_rejected(&self, entity: &str, target: &str, path: &str) -> bool {
        let said = self.said(entity, target, path);
        0.0 < said.rejected && said.accepted == 0.0
    }

    /// How people had the source of that very path read, for that target, in that system.
    pub fn transforms(
        &self,
        (system, entity): (&str, &str),
        target: &str,
        path: &str,
    ) -> Option<&[Transform]> {
        let name = exact(&super::sample::readable(path));
        let key = [
            system.to_owned(),
            entity.to_owned(),
            target.to_owned(),
            name,
        ];
        self.transforms.get(&key).map(Vec::as_slice)
    }

    fn said(&self, entity: &str, target: &str, path: &str) -> Said {
        let name = exact(&super::sample::readable(path));
        let key = (entity.to_owned(), target.to_owned(), name);
        self.exact.get(&key).copied().unwrap_or_default()
    }

    /// What the decisions add to the logit of a pair, where any speaks of it.
    ///
    /// The odds of acceptance, with half a decision of each kind added (Jeffreys' prior), to the
    /// power of the weight.
    pub(super) fn evidence(&self, entity: &str, target: &str, name: &str) -> f64 {
        if self.exact.is_empty() {
            return 0.0;
        }
        let key = |name: String| (entity.to_owned(), target.to_owned(), name);
        let said = self.exact.get(&key(exact(name))).map(|it| (it, WEIGHT.0));
        let said = said.or_else(|| {
            let alike = self.alike.get(&key(meaning(name)));
            alike.map(|it| (it, WEIGHT.1))
        });
        said.map_or(0.0, |(said, weight)| {
            let odds = (said.accepted + 0.5) / (said.rejected + 0.5);
            (weight * odds.ln()).clamp(-MOST, MOST)
        })
    }
}

fn exact(name: &str) -> String {
    name.trim().to_lowercase()
}

fn meaning(name: &str) -> String {
    let parts = NameParts::of(name);
    let words: Vec<_> = parts.parent.into_iter().chain(parts.last).collect();
    let mut concepts = normal_form::concepts(&words);
    concepts.sort_unstable();
    concepts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(source: &str, verdict: Verdict, count: u32) -> Remembered {
        Remembered {
            system: "crm".to_owned(),
            transforms: vec![],
            source: source.to_owned(),
            entity: "account".to_owned(),
            target: "name".to_owned(),
            verdict,
            count,
        }
    }

    #[test]
    fn the_very_name_counts_before_names_of_the_same_meaning() {
        let memory = Memory::new([
            said("Firma", Verdict::Accepted, 2),
            said("Company Label", Verdict::Rejected, 1),
        ]);
        let evidence = |name| memory.evidence("account", "name", name);
        assert!((evidence("firma ") - 3.0 * 5f64.ln()).abs() < 1e-9);
        assert!((evidence("company") - 1.5 * 5f64.ln()).abs() < 1e-9);
        assert!((evidence("company_label") - 1.5 * (1.0 / 3.0f64).ln()).abs() < 1e-9);
        assert!(memory.is_accepted("account", "name", "Firma"));
        assert!(!memory.is_accepted("account", "name", "Company Label"));
        assert!(!memory.is_accepted("contact", "name", "Firma"));
        assert_eq!(evidence("street"), 0.0);
        assert_eq!(memory.evidence("contact", "name", "Firma"), 0.0);
        assert_eq!(Memory::default().evidence("account", "name", "Firma"), 0.0);
    }

    #[test]
    fn contradicting_decisions_cancel_out() {
        let memory = Memory::new([
            said("Firma", Verdict::Accepted, 2),
            said("Firma", Verdict::Rejected, 2),
        ]);
        assert_eq!(memory.evidence("account", "name", "Firma"), 0.0);
        let often = Memory::new([said("Firma", Verdict::Accepted, u32::MAX)]);
        assert_eq!(often.evidence("account", "name", "Firma"), MOST);
    }
}
