//! One record's JSON text, without building it and without reading its values.
//!
//! Every record that is ingested comes through here, most of them shaped like the one before. So
//! a key is compared with the one that stood there last time, and a value is skipped by its first
//! byte. That takes half the time of serde's fastest walk over the same text, by keys and
//! `RawValue`s.
//!
//! **Invariant:** no text, however broken, makes it panic or recurse deeper than [`MAX_DEPTH`].
//! It finds fewer faults than a parser does; it stops at those it finds.

mod scan;

use schema::source::{SourceType, SourceTypes};

use super::MAX_DEPTH;
use super::tree::{Id, ROOT, Tree};
use scan::Scan;

/// Counts a record. None if it is not a JSON object.
pub(super) fn record(tree: &mut Tree, json: &[u8]) -> Option<()> {
    let mut walk = Walk {
        tree,
        text: Scan::new(json),
    };
    if walk.text.peek()? != b'{' {
        return None;
    }
    walk.object(ROOT, 0)?;
    walk.text.is_at_end().then_some(())
}

struct Walk<'t, 'j> {
    tree: &'t mut Tree,
    text: Scan<'j>,
}

impl Walk<'_, '_> {
    /// Counts a value at its place, which is `depth` objects and arrays deep.
    fn value(&mut self, at: Id, depth: u8) -> Option<()> {
        let of = match self.text.peek()? {
            b'n' => {
                self.tree.count_null(at);
                return self.text.skip_literal(b"null");
            }
            // Always text: whether a text reads as a date is up to its value, and a structure
            // that depends on values would drift with them.
            b'"' => SourceType::Text,
            b't' | b'f' => SourceType::Boolean,
            b'{' => SourceType::Object,
            b'[' => SourceType::Array,
            _ => match self.text.skip_number()? {
                scan::Number::Integer => SourceType::Integer,
                scan::Number::Decimal => SourceType::Decimal,
            },
        };
        self.tree.count_values(at, SourceTypes::of(of), 1);
        match of {
            SourceType::Object if depth < MAX_DEPTH => self.object(at, depth),
            SourceType::Array if depth < MAX_DEPTH => self.array(at, depth),
            SourceType::Integer | SourceType::Decimal => Some(()),
            _ => self.text.skip_value(),
        }
    }

    fn object(&mut self, at: Id, depth: u8) -> Option<()> {
        self.tree.count_objects(at, 1);
        self.text.skip(b'{')?;
        if self.text.peek()? == b'}' {
            return self.text.skip(b'}');
        }
        let mut previous = at;
        loop {
            let child = self.key(at, previous)?;
            self.text.skip(b':')?;
            match child {
                Child::Known(child) => {
                    self.value(child, depth + 1)?;
                    previous = child;
                }
                Child::NoRoom => self.text.skip_value()?,
            }
            if self.text.skip_either(b',', b'}')? == b'}' {
                return Some(());
            }
        }
    }

    fn array(&mut self, at: Id, depth: u8) -> Option<()> {
        let Some(elements) = self.tree.elements(at) else {
            return self.text.skip_value();
        };
        self.text.skip(b'[')?;
        if self.text.peek()? == b']' {
            return self.text.skip(b']');
        }
        loop {
            self.value(elements, depth + 1)?;
            if self.text.skip_either(b',', b']')? == b']' {
                return Some(());
            }
        }
    }

    /// The field that the key at hand names in the object at `parent`.
    fn key(&mut self, parent: Id, previous: Id) -> Option<Child> {
        if let Some((guess, key)) = self.tree.guess(parent, previous)
            && self.text.skip_text(key)
        {
            return Some(Child::Known(guess));
        }
        let raw = self.text.string()?;
        let child = if raw.contains(&b'\\') {
            let key: String = serde_json::from_slice(raw).ok()?;
            self.tree.child(parent, &key, previous)
        } else {
            let key = std::str::from_utf8(&raw[1..raw.len() - 1]).ok()?;
            self.tree.child(parent, key, previous)
        };
        Some(child.map_or(Child::NoRoom, Child::Known))
    }
}

enum Child {
    Known(Id),
    NoRoom,
}

#[cfg(test)]
mod tests;
