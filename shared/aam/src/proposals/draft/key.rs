//! What makes a record's id.

use schema::entity::Field;
use schema::mapping::{FieldMapping, Transform};

use super::Draft;
use crate::proposals::questions::{KEY, NO_KEY, key_question};

impl Draft<'_> {
    /// The record's id, where the entity has one of its own: as a person says, else what is called
    /// like it and unique, else the source's own key. Otherwise it is asked for.
    pub(super) fn fill_key(&mut self) {
        let entity = self.entity.clone();
        let [target] = &*entity.key else { return };
        let Some(field) = entity.field(target) else {
            return;
        };
        if let Some(key) = &self.answers.key {
            self.fill(field, key.clone());
            return;
        }
        // What describes a record is unique by chance, and never taken unasked.
        let is_key = |paths: &[String]| {
            let mut keys = self.proposed.keys.iter();
            keys.any(|it| it.paths == paths && it.is_unique() && !it.descriptive)
        };
        let likely = self.filled.get(&**target).map(|it| it.sources.clone());
        if self.answers.fields.contains_key(&**target) || likely.is_some_and(|it| is_key(&it)) {
            return;
        }
        if let Some(key) = self.declared_key() {
            self.fill(field, key);
            return;
        }
        self.asked.insert(KEY.to_owned());
        if self.answers.choices.get(KEY).is_some_and(|it| it == NO_KEY) {
            self.fill_by_content(field);
        } else if let Some(key) = self.chosen_key() {
            self.fill(field, key);
        } else {
            self.filled.remove(&**target);
            self.ask(key_question(&self.proposed.keys));
        }
    }

    fn fill_by_content(&mut self, field: &Field) {
        let filled = FieldMapping {
            target: field.name.to_string(),
            sources: vec![],
            transforms: vec![Transform::ContentHash],
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
        let chosen: usize = self.answers.choices.get(KEY)?.parse().ok()?;
        let key = self.proposed.keys.get(chosen.checked_sub(1)?)?;
        Some(key.paths.clone())
    }
}
