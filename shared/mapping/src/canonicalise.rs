//! One record through a plan: collect the named values, keep the rest, then fill the columns.

use std::borrow::Cow;
use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use schema::entity::{Field, Kind};

use crate::{
    Cell, Plan, Record, RecordError, coerce, extended_json,
    json::{self, Key},
    json_limits::{Keys, check, check_depth, twice},
    json_text::{not_single, text_of},
    path::Node,
    plan::{Column, Origin},
    reason::quoted_value,
    record::VERSION,
    transforms::{Room, Step, UNLISTED, trimmed},
};

impl Plan {
    /// The source id of a record of which only the key needs to be there: a delete.
    pub fn source_id(&self, json: &str) -> Result<String, RecordError> {
        if self.is_unmapped() {
            let reason = "no mapping says which field is the record's id: map the object first";
            return Err(RecordError::whole(reason));
        }
        Ok(key(self, json)?.source_id().into_owned())
    }

    /// The source id of a record that may be wrong in other fields, and its version where it has
    /// one. None where the id cannot be read.
    pub fn identify(&self, json: &str) -> Option<(String, Option<DateTime<Utc>>)> {
        if self.is_unmapped() {
            return None;
        }
        let record = key_and_version(self, json);
        let record = record.or_else(|_| key(self, json)).ok()?;
        Some((record.source_id().into_owned(), record.version()))
    }

    /// The source id of a record that [`Plan::canonicalise`] takes; one that it rejects may have one
    /// as well. Nothing behind what tells the id is looked at.
    pub fn guess_source_id(&self, json: &str) -> Option<String> {
        guess_source_id(self, json)
    }

    /// The words of a record that an `enum` or a `lookup` of the mapping refuses as it does not list
    /// them, each with the canonical field. None where the record cannot be read.
    pub fn unlisted_words(&self, json: &str) -> Vec<(&str, String)> {
        unlisted_words(self, json)
    }

    /// Reads one JSON object into a canonical record, which borrows from both.
    pub fn canonicalise<'a>(&'a self, json: &'a str) -> Result<Record<'a>, RecordError> {
        canonicalise(self, json)
    }

    /// The same, from bytes that may turn out not to be UTF-8.
    pub fn canonicalise_bytes<'a>(&'a self, json: &'a [u8]) -> Result<Record<'a>, RecordError> {
        match std::str::from_utf8(json) {
            Ok(json) => self.canonicalise(json),
            Err(err) => Err(RecordError::whole(format!(
                "not UTF-8 from byte {}",
                err.valid_up_to()
            ))),
        }
    }
}

fn canonicalise<'a>(plan: &'a Plan, json: &'a str) -> Result<Record<'a>, RecordError> {
    fill(plan, json, |_| true)
}

/// The record with the cells of its key alone.
fn key<'a>(plan: &'a Plan, json: &'a str) -> Result<Record<'a>, RecordError> {
    fill(plan, json, |field| plan.entity.is_key(&field.name))
}

/// The same with the cell of its version.
fn key_and_version<'a>(plan: &'a Plan, json: &'a str) -> Result<Record<'a>, RecordError> {
    fill(plan, json, |field| {
        plan.entity.is_key(&field.name) || field.name == VERSION
    })
}

/// The source id as far as the values of the key tell it, whatever else is in the record.
fn guess_source_id(plan: &Plan, json: &str) -> Option<String> {
    if plan.is_unmapped() {
        return None;
    }
    let is_key = |field: &Field| plan.entity.is_key(&field.name);
    let columns = plan.columns.iter().flatten();
    let key: Vec<_> = columns.filter(|it| is_key(&it.field)).collect();
    let mut found = Found {
        slots: vec![Slot::Absent; plan.slots],
        extras: String::new(),
        json,
    };
    found.seek(&plan.root, json, &key);
    let record = found.record(plan, is_key).ok()?;
    Some(record.source_id().into_owned())
}

fn unlisted_words<'p>(plan: &'p Plan, json: &str) -> Vec<(&'p str, String)> {
    let Ok(found) = Found::in_record(plan, json) else {
        return vec![];
    };
    let word = |column: &'p Column| {
        let reason = column.cell(&found.slots, found.json).err()?;
        let is_unlisted = UNLISTED.iter().any(|it| reason.contains(it));
        let word = quoted_value(&reason).filter(|_| is_unlisted)?;
        Some((column.field.name.as_ref(), word))
    };
    plan.columns.iter().flatten().filter_map(word).collect()
}

fn fill<'a>(
    plan: &'a Plan,
    json: &'a str,
    wanted: impl Fn(&Field) -> bool,
) -> Result<Record<'a>, RecordError> {
    Found::in_record(plan, json)?.record(plan, wanted)
}

/// What was met at a source path.
#[derive(Clone, Copy)]
enum Slot<'a> {
    Absent,
    /// An object that was entered, so it has no value of its own.
    Entered,
    Value(&'a str),
}

struct Found<'a> {
    slots: Vec<Slot<'a>>,
    extras: String,
    /// The whole record.
    json: &'a str,
}

impl<'a> Found<'a> {
    fn in_record(plan: &Plan, json: &'a str) -> Result<Found<'a>, RecordError> {
        let mut found = Found {
            slots: vec![Slot::Absent; plan.slots],
            extras: String::with_capacity(json.len()),
            json,
        };
        found.extras.push('{');
        found.object(&plan.root, json, 1)?;
        found.extras.push('}');
        Ok(found)
    }

    /// Fills the wanted columns from what was found.
    fn record(
        self,
        plan: &'a Plan,
        wanted: impl Fn(&Field) -> bool,
    ) -> Result<Record<'a>, RecordError> {
        let mut cells = Vec::with_capacity(plan.columns.len());
        for column in &plan.columns {
            cells.push(match column {
                Some(column) if wanted(&column.field) => column
                    .cell(&self.slots, self.json)
                    .map_err(|reason| RecordError::at(&column.field.name, reason))?,
                _ => Cell::Null,
            });
        }
        Ok(Record {
            entity: &plan.entity,
            cells,
            extras: self.extras,
        })
    }

    /// Looks for the values of these columns, and no further. Says whether all are known.
    fn seek(&mut self, node: &Node, json: &'a str, columns: &[&Column]) -> bool {
        let mut known = false;
        json::entries_until(json, |key, value| {
            let Some(child) = node.child(key.text()) else {
                return false;
            };
            let enter = value.starts_with('{') && !child.is_leaf();
            known = if enter && !(child.is_source && extended_json::is_value(value)) {
                self.slots[child.slot] = Slot::Entered;
                self.seek(child, value, columns)
            } else {
                self.slots[child.slot] = Slot::Value(value);
                columns.iter().all(|it| it.is_known(&self.slots))
            };
            known
        });
        known
    }

    fn object(&mut self, node: &Node, json: &'a str, depth: usize) -> Result<(), RecordError> {
        check_depth(depth)?;
        let mut unnamed = Keys::with_room();
        json::entries(json, |key, value| match node.child(key.text()) {
            Some(child) if self.has(child) => Err(twice(key.text())),
            Some(child) => self
                .named(child, &key, value, depth + 1)
                .map_err(|it| it.below(key.text())),
            None => {
                self.keep(&key, value, depth + 1)
                    .map_err(|it| it.below(key.text()))?;
                unnamed.insert(key.into_text())
            }
        })
    }

    fn has(&self, node: &Node) -> bool {
        !matches!(self.slots[node.slot], Slot::Absent)
    }

    fn named(
        &mut self,
        node: &Node,
        key: &Key<'_>,
        value: &'a str,
        depth: usize,
    ) -> Result<(), RecordError> {
        let is_value = || node.is_source && extended_json::is_value(value);
        if value.starts_with('{') && !node.is_leaf() && !is_value() {
            self.slots[node.slot] = Slot::Entered;
            self.remainder(node, key, value, depth)?;
            return self.check_entered(node, value);
        }
        self.slots[node.slot] = Slot::Value(value);
        if node.is_source {
            return check(value, depth);
        }
        self.keep(key, value, depth)
    }

    /// Where a single value is expected, an object that has none of the named ones is no null.
    fn check_entered(&self, node: &Node, value: &str) -> Result<(), RecordError> {
        if node.is_source && !node.any_below(&|it| self.has(it)) {
            return Err(RecordError::whole(not_single(value)));
        }
        Ok(())
    }

    /// What the mapping does not name within an object stays within that object.
    fn remainder(
        &mut self,
        node: &Node,
        key: &Key<'_>,
        value: &'a str,
        depth: usize,
    ) -> Result<(), RecordError> {
        let before = self.extras.len();
        self.push_key(key);
        self.extras.push('{');
        let opened = self.extras.len();
        self.object(node, value, depth)?;
        if self.extras.len() == opened {
            self.extras.truncate(before);
        } else {
            self.extras.push('}');
        }
        Ok(())
    }

    fn keep(&mut self, key: &Key<'_>, value: &str, depth: usize) -> Result<(), RecordError> {
        self.push_key(key);
        self.extras.push_str(value);
        check(value, depth)
    }

    fn push_key(&mut self, key: &Key<'_>) {
        // A value never ends with an opening brace, so this is the first key of its object.
        if !self.extras.ends_with('{') {
            self.extras.push(',');
        }
        key.push_to(&mut self.extras);
        self.extras.push(':');
    }
}

impl Column {
    /// Whether its value is among what was found already: more of the record changes nothing.
    fn is_known(&self, slots: &[Slot<'_>]) -> bool {
        let has_text = |it: usize| text(slots[it]).is_ok_and(|it| it.is_some());
        match &self.origin {
            Origin::Constant(_) => true,
            Origin::First(sources) | Origin::ContentHash(sources) => {
                sources.first().is_some_and(|it| has_text(*it))
            }
            Origin::Combined(sources, _) => sources.iter().all(|it| has_text(*it)),
            Origin::Items(..) => false,
        }
    }

    fn cell<'a>(&'a self, slots: &[Slot<'a>], json: &str) -> Result<Cell<'a>, String> {
        let cell = match (&self.origin, self.field.kind) {
            (Origin::Items(sources, items), _) => {
                self.finish_items(items.take(sources.iter().filter_map(|it| {
                    match slots[*it] {
                        Slot::Value(raw) => Some(raw),
                        Slot::Absent | Slot::Entered => None,
                    }
                }))?)?
            }
            (Origin::First(sources), Kind::TextList) => {
                let cell = list(sources, slots)?;
                coerce::within(&self.field, &cell)?;
                cell
            }
            _ => self.finish(self.value(slots, json)?, &self.steps)?,
        };
        if self.field.required && cell.is_null() {
            return Err("missing".to_owned());
        }
        Ok(cell)
    }

    /// Applies the steps and reads what comes out as the field's type.
    #[inline]
    pub(super) fn finish<'a>(
        &'a self,
        value: Option<Cow<'a, str>>,
        steps: &'a [Step],
    ) -> Result<Cell<'a>, String> {
        match (steps, value) {
            ([], value) => self.read(value),
            ([Step::Trim], value) => self.read(value.map(trimmed)),
            (steps, value) => self.finish_steps(value, steps),
        }
    }

    /// The same for all steps; most columns have none but `trim`.
    #[inline(never)]
    fn finish_steps<'a>(
        &'a self,
        mut value: Option<Cow<'a, str>>,
        steps: &'a [Step],
    ) -> Result<Cell<'a>, String> {
        let mut room = Room::of(value.as_deref());
        for (index, step) in steps.iter().enumerate() {
            let made = match (step, value.take().filter(|it| !it.is_empty())) {
                (Step::Trim, text) => {
                    value = text.map(trimmed);
                    continue;
                }
                (Step::Other(step), Some(text)) => step.run(text)?,
                (Step::Other(step), None) => step.run_missing(),
            };
            value = match made {
                Cell::Text(text) => {
                    if let Cow::Owned(made) = &text {
                        room.take(made)?;
                    }
                    Some(text)
                }
                Cell::Null => None,
                typed if index + 1 == steps.len() => {
                    return coerce::fit(&self.field, typed, self.reading);
                }
                typed => Some(Cow::Owned(typed.text().into_owned())),
            };
        }
        self.read(value)
    }

    #[inline]
    fn read<'a>(&self, value: Option<Cow<'a, str>>) -> Result<Cell<'a>, String> {
        match value {
            Some(text) if !text.is_empty() => coerce::read(&self.field, text, self.reading),
            _ => Ok(Cell::Null),
        }
    }

    fn finish_items<'a>(&'a self, taken: Cell<'a>) -> Result<Cell<'a>, String> {
        match taken {
            Cell::Text(text) => self.finish(Some(text), &self.steps),
            Cell::Null => self.finish(None, &self.steps),
            list => coerce::fit(&self.field, list, self.reading),
        }
    }

    fn value<'a>(&'a self, slots: &[Slot<'a>], json: &str) -> Result<Option<Cow<'a, str>>, String> {
        match &self.origin {
            Origin::Constant(text) => Ok(Some(Cow::Borrowed(text))),
            Origin::First(sources) => first(sources, slots),
            Origin::ContentHash(sources) => {
                let hash = || Cow::Owned(content_hash(json));
                Ok(Some(first(sources, slots)?.unwrap_or_else(hash)))
            }
            Origin::Combined(sources, combination) => {
                let values = sources.iter().map(|it| text(slots[*it]));
                combination.combine(values.collect::<Result<_, _>>()?)
            }
            Origin::Items(..) => unreachable!("a column takes items itself"),
        }
    }
}

fn first<'a>(sources: &[usize], slots: &[Slot<'a>]) -> Result<Option<Cow<'a, str>>, String> {
    let mut values = sources.iter().map(|it| text(slots[*it]));
    values.find_map(Result::transpose).transpose()
}

/// `sha256:` and the hash of the text in hexadecimal.
fn content_hash(json: &str) -> String {
    let hash = digest(&SHA256, json.as_bytes());
    let mut text = String::from("sha256:");
    for byte in hash.as_ref() {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

/// A list is read from a list of scalars, or from one scalar.
fn list<'a>(sources: &[usize], slots: &[Slot<'a>]) -> Result<Cell<'a>, String> {
    for source in sources {
        let texts = match slots[*source] {
            Slot::Value(raw) if raw.starts_with('[') => json::items(raw)
                .map_err(|it| it.reason)?
                .into_iter()
                .filter_map(|it| text_of(it).transpose())
                .collect::<Result<Vec<_>, _>>()?,
            slot => text(slot)?.into_iter().collect(),
        };
        if !texts.is_empty() {
            return Ok(Cell::TextList(texts));
        }
    }
    Ok(Cell::Null)
}

/// The text of a string, number or boolean; null and the empty string are no value.
fn text(slot: Slot<'_>) -> Result<Option<Cow<'_, str>>, String> {
    match slot {
        Slot::Value(raw) => text_of(raw),
        Slot::Absent | Slot::Entered => Ok(None),
    }
}
