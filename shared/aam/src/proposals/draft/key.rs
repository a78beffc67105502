//! What makes a record's id.

use std::collections::HashSet;

use mapping::Plan;
use schema::entity::{Entity, Field, Kind};
use schema::mapping::{FieldMapping, Transform};

use super::Draft;
use crate::proposals::questions::{KEY, NO_KEY, choice, key_choice, key_question};
use crate::proposals::{KeyProposal, Question};

/// The field that is a record's id, or that tells apart what the rest of the key does not; none
/// where the key leaves nothing open.
pub(super) fn id_field(entity: &Entity) -> Option<&Field> {
    let field = entity.field(entity.key.last()?)?;
    let is_open = entity.key.len() == 1 || !field.required && field.kind == Kind::Text;
    is_open.then_some(field)
}

impl Draft<'_> {
    /// The record's id: as a person says, else what is called like it and unique, else the source's
    /// own key. Otherwise it is asked for. Where the entity has a key of several fields, what tells
    /// its records apart is asked for only if the others do not.
    pub(super) fn fill_key(&mut self) {
        let entity = self.entity.clone();
        let Some(field) = id_field(&entity) else {
            return;
        };
        if let Some(key) = &self.answers.key {
            self.fill(field, key.clone());
            return;
        }
        if self.answers.fields.contains_key(&*field.name) {
            return;
        }
        match entity.key.len() {
            1 if self.is_identified(field) => return,
            1 => {}
            _ if self.own_key().is_none_or(|it| it.collisions == 0) => return,
            _ => {}
        }
        self.asked.insert(KEY.to_owned());
        if self.answers.choices.get(KEY).is_some_and(|it| it == NO_KEY) {
            self.fill_by_content(field);
        } else if let Some(key) = self.chosen_key() {
            self.fill(field, key);
        } else {
            let why = self.own_key().map(|it| it.reason);
            self.filled.remove(&*field.name);
            self.ask(key_question(why.as_deref(), &self.proposed.keys));
        }
    }

    /// When what a record is about begins, where that is a part of its key: without it what a later
    /// file says of the next month takes the place of this one.
    pub(super) fn ask_for_period(&mut self) {
        let entity = self.entity.clone();
        let is_period = |it: &&Field| {
            let is_time = matches!(it.kind, Kind::Date | Kind::Timestamp);
            is_time && !it.required && entity.key.contains(&it.name)
        };
        let Some(field) = entity.fields.iter().find(is_period) else {
            return;
        };
        let is_said = self.answers.fields.contains_key(&*field.name) || self.answers.key.is_some();
        if is_said || self.filled.contains_key(&*field.name) {
            return;
        }
        let id = format!("field:{}", field.name);
        self.asked.insert(id.clone());
        match self.answers.choices.get(&id).cloned() {
            Some(chosen) if chosen == NO_KEY => {}
            Some(path) if self.sample.field(&path).is_some() => self.fill(field, vec![path]),
            _ => {
                let none = "No field: a later file replaces the lines that it has in common.";
                let choices = self.choices(field).into_iter();
                let question = Question {
                    question: format!(
                        "Which field of the source is `{}` ({})? Without it a line of the next \
                         period takes the place of this one's.",
                        field.name,
                        field.doc.trim_end_matches('.')
                    ),
                    choices: choices.chain([choice(NO_KEY, none)]).collect(),
                    id,
                };
                self.ask(question);
            }
        }
    }

    /// Whether what is filled in is unique, or the source says what its key is.
    fn is_identified(&mut self, field: &Field) -> bool {
        // What describes a record is unique by chance, and never taken unasked.
        let is_key = |paths: &[String]| {
            let mut keys = self.proposed.keys.iter();
            keys.any(|it| it.paths == paths && it.is_unique() && !it.descriptive)
        };
        let likely = self.filled.get(&*field.name).map(|it| it.sources.clone());
        if likely.is_some_and(|it| is_key(&it)) {
            return true;
        }
        let declared = self.declared_key();
        if let Some(key) = &declared {
            self.fill(field, key.clone());
        }
        declared.is_some()
    }

    /// How the sampled records share the key of several fields; none where a field that each needs
    /// is open.
    pub(super) fn own_key(&self) -> Option<KeyProposal> {
        if self.entity.key.len() < 2 {
            return None;
        }
        let plan = Plan::compile_for(self.entities, &self.mapping()).ok()?;
        let records = self.unmapped.records.iter();
        let ids = records.filter_map(|it| plan.source_id(it).ok());
        let ids: Vec<_> = ids.collect();
        let records = ids.len() as u64;
        let distinct = ids.into_iter().collect::<HashSet<_>>().len() as u64;
        let collisions = records - distinct;
        let of_key = |it: &&schema::entity::Text| self.filled.get(&***it);
        let sources = self.entity.key.iter().filter_map(|it| of_key(&it));
        let names = self.entity.key.join(", ");
        Some(KeyProposal {
            fields: sources.flat_map(|it| it.sources.clone()).collect(),
            records,
            collisions,
            empty: 0,
            reason: match collisions {
                0 => format!("No two of {records} sampled records share all of {names}."),
                _ => format!(
                    "{collisions} of {records} sampled records have {names} of another one."
                ),
            },
        })
    }

    fn fill_by_content(&mut self, field: &Field) {
        let filled = FieldMapping {
            target: field.name.to_string(),
            sources: vec![],
            transforms: vec![Transform::ContentHash {}],
        };
        self.filled.insert(field.name.to_string(), filled);
    }

    /// What the source itself says tells its records apart.
    fn declared_key(&self) -> Option<Vec<String>> {
        let fields = &self.unmapped.schema?.fields;
        let key = fields.iter().filter(|it| it.1.key).map(|it| it.0.clone());
        let key: Vec<_> = key.collect();
        let is_there = |it: &String| self.sample.field(it).is_some();
        (!key.is_empty() && key.iter().all(is_there)).then_some(key)
    }

    fn chosen_key(&self) -> Option<Vec<String>> {
        let chosen = self.answers.choices.get(KEY)?;
        let mut keys = self.proposed.keys.iter();
        let key = keys.find(|it| key_choice(&it.paths) == *chosen)?;
        Some(key.paths.clone())
    }
}
