//! Cases as the files have them: one JSON object a line.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use mapping::matcher::{Field, Question, Task};
use schema::source::SourceType;
use serde::Deserialize;
use serde_json::Value;

/// A line.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    /// `map`, `map-drop`, `canonical`, `drift`, `values`; where it is absent, see [`Case::task`].
    pub(crate) task: Option<String>,
    #[serde(default)]
    pub(crate) family: String,
    entity: Option<String>,
    entity_hint: Option<String>,
    #[serde(default)]
    aligned: bool,
    pub(crate) source: Side,
    #[serde(default)]
    pub(crate) target: Side,
    /// Pairs of source and target.
    #[serde(default)]
    pub(crate) truth: Vec<(String, String)>,
    /// By target: sources that are as right.
    #[serde(default)]
    pub(crate) alt: BTreeMap<String, Vec<String>>,
    /// Targets that have no source.
    #[serde(default)]
    pub(crate) nulls: Vec<String>,
    /// The targets that are asked for; all, where it is absent.
    ask: Option<Vec<String>>,
}

/// One side's fields.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Side {
    pub(crate) fields: Vec<CaseField>,
}

/// A field as a case has it.
#[derive(Debug, Deserialize)]
pub(crate) struct CaseField {
    pub(crate) name: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    label: Option<String>,
    #[serde(default)]
    samples: Vec<Value>,
    #[serde(default)]
    rows: u64,
    #[serde(default)]
    nulls: u64,
}

/// What the matcher is asked about a case.
pub(crate) struct Asked {
    pub(crate) task: Task,
    /// Whether the values of the fields tell more than their names.
    pub(crate) by_values: bool,
    pub(crate) sources: Vec<Field>,
    pub(crate) targets: Vec<Field>,
    words: Vec<String>,
}

impl Asked {
    pub(crate) fn question(&self) -> Question<'_> {
        Question {
            task: self.task,
            sources: &self.sources,
            targets: &self.targets,
            entity_words: &self.words,
        }
    }
}

/// Reads a file of cases.
pub(crate) fn read(path: &str) -> anyhow::Result<Vec<Case>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?;
    let mut cases: Vec<Case> = Vec::new();
    let mut ids = BTreeSet::new();
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|it| !it.1.trim().is_empty())
    {
        let case = serde_json::from_str(line);
        let case: Case = case.with_context(|| format!("{path}: line {} is no case", at + 1))?;
        if !ids.insert(case.id.clone()) {
            bail!("{path}: line {}: the id {} occurs twice", at + 1, case.id);
        }
        cases.push(case);
    }
    Ok(cases)
}

impl Case {
    /// By the case's word. Without one: drift where targets are asked for, canonical where all
    /// targets are fields of the case's canonical entity, a mapping otherwise.
    pub(crate) fn task(&self) -> Task {
        let drift = Task::Drift {
            aligned: self.aligned,
        };
        match self.task.as_deref() {
            Some("drift") => drift,
            Some("canonical") => Task::Canonical,
            _ if self.is_canonical() => Task::Canonical,
            None if self.ask.is_some() => drift,
            _ => Task::Mapping,
        }
    }

    /// The canonical entity that its targets are fields of.
    pub(crate) fn canonical_entity(&self) -> Option<&'static schema::entity::Entity> {
        let named = self.entity.as_ref().or(self.entity_hint.as_ref());
        named.and_then(|it| schema::entity::find(it))
    }

    fn is_canonical(&self) -> bool {
        let fields = &self.target.fields;
        let all = |it: &schema::entity::Entity| fields.iter().all(|f| it.field(&f.name).is_some());
        self.canonical_entity().is_some_and(all)
    }

    /// What the matcher is asked.
    pub(crate) fn asked(&self) -> Asked {
        let task = self.task();
        let entity = match task {
            Task::Canonical => self.canonical_entity(),
            _ => None,
        };
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        let names = |side: &Side| -> BTreeSet<String> {
            side.fields.iter().map(|it| it.name.clone()).collect()
        };
        let (of_source, of_target) = (names(&self.source), names(&self.target));
        let drift = matches!(task, Task::Drift { .. });
        for it in &self.source.fields {
            // What both shapes have was not renamed.
            if !drift || !of_target.contains(&it.name) {
                sources.push(it.field(&[]));
            }
        }
        for it in &self.target.fields {
            let asked = match &self.ask {
                Some(ask) => ask.contains(&it.name),
                None => !drift || !of_source.contains(&it.name),
            };
            if asked {
                let aliases = entity.map(|of| mapping::matcher::aliases(&of.kind, &it.name));
                targets.push(it.field(aliases.unwrap_or_default()));
            }
        }
        Asked {
            task,
            by_values: matches!(self.task.as_deref(), Some("values" | "gdc")),
            sources,
            targets,
            words: self.entity_words(entity.map(|it| &*it.kind)),
        }
    }

    /// Words for the record: the entity's, or those of the hint and of the call in the id.
    fn entity_words(&self, entity: Option<&str>) -> Vec<String> {
        if let Some(words) = entity.and_then(mapping::matcher::entity_words) {
            return words.to_vec();
        }
        let hint = self.entity_hint.as_deref().unwrap_or_default();
        // What a call returns is no word for a record.
        let hint = match hint {
            "output" | "item" | "items" => "",
            _ => without_suffix(hint),
        };
        let mut words = vec![hint.to_owned()];
        let parts: Vec<_> = self.id.split('/').collect();
        if parts.len() >= 3 {
            words.push(without_verb(parts[parts.len() - 2]).to_owned());
        }
        words
    }
}

fn without_suffix(hint: &str) -> &str {
    const SUFFIXES: [&str; 8] = [
        "Output", "Item", "Model", "Schema", "Record", "Response", "Unified", "Standard",
    ];
    let one = hint.strip_suffix('s').unwrap_or(hint);
    let cut = |of: &str| {
        SUFFIXES
            .iter()
            .find(|it| of.ends_with(**it))
            .map(|it| of.len() - it.len())
    };
    let length = cut(hint).or_else(|| cut(one));
    length.map_or(hint, |it| &hint[..it])
}

fn without_verb(call: &str) -> &str {
    const VERBS: [&str; 11] = [
        "get-", "list-", "create-", "update-", "delete-", "search-", "add-", "fetch-", "find-",
        "bulk-", "batch-",
    ];
    let verbs = VERBS.iter().chain(&["sync-"]);
    verbs
        .filter_map(|it| call.strip_prefix(it))
        .next()
        .unwrap_or(call)
}

impl CaseField {
    fn field(&self, aliases: &[String]) -> Field {
        Field {
            name: self.name.clone(),
            aliases: self.label.iter().chain(aliases).cloned().collect(),
            kind: self.kind.as_deref().and_then(kind),
            samples: self.samples.iter().filter_map(text).collect(),
            rows: self.rows,
            nulls: self.nulls,
            any_values: self.name == "owner_id",
        }
    }
}

fn kind(word: &str) -> Option<SourceType> {
    Some(match word {
        "string" | "text" => SourceType::Text,
        "integer" => SourceType::Integer,
        "number" | "decimal" => SourceType::Decimal,
        "boolean" => SourceType::Boolean,
        "timestamp" | "datetime" => SourceType::Timestamp,
        "date" => SourceType::Date,
        "array" => SourceType::Array,
        "object" => SourceType::Object,
        _ => return None,
    })
}

fn text(sample: &Value) -> Option<String> {
    match sample {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
