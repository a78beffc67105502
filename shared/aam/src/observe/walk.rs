//! One record's JSON text, without building it.
//!
//! A value is skipped as raw text, which is several times faster than reading it, and its first
//! byte tells its type. Only objects and arrays are then looked into.

use std::fmt;

use schema::source::{SourceType, SourceTypes};
use serde::de::{
    DeserializeSeed, Deserializer as _, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::MAX_DEPTH;
use super::tree::{Id, ROOT, Tree};

/// Counts a record.
pub(super) fn record(tree: &mut Tree, json: &[u8]) -> serde_json::Result<()> {
    // Once for all: from bytes, each piece would be checked by itself.
    let json = std::str::from_utf8(json).map_err(serde_json::Error::custom)?;
    let mut text = Deserializer::from_str(json);
    text.deserialize_map(Inside {
        tree,
        at: ROOT,
        depth: 0,
    })?;
    text.end()
}

/// Counts a value at its place, which is `depth` objects and arrays deep.
fn value(tree: &mut Tree, at: Id, depth: u8, raw: &RawValue) -> serde_json::Result<()> {
    let raw = raw.get();
    let of = match raw.as_bytes().first() {
        Some(b'n') => {
            tree.count_null(at);
            return Ok(());
        }
        // Always text: whether a text reads as a date is up to its value, and a structure that
        // depends on values would drift with them.
        Some(b'"') => SourceType::Text,
        Some(b't' | b'f') => SourceType::Boolean,
        Some(b'{') => SourceType::Object,
        Some(b'[') => SourceType::Array,
        _ if raw.contains(['.', 'e', 'E']) => SourceType::Decimal,
        _ => SourceType::Integer,
    };
    tree.count_values(at, SourceTypes::of(of), 1);
    if depth == MAX_DEPTH {
        return Ok(());
    }
    let inside = Inside { tree, at, depth };
    match of {
        SourceType::Object => Deserializer::from_str(raw).deserialize_map(inside),
        SourceType::Array => Deserializer::from_str(raw).deserialize_seq(inside),
        _ => Ok(()),
    }
}

/// The visit of what is in an object or array.
struct Inside<'t> {
    tree: &'t mut Tree,
    at: Id,
    depth: u8,
}

impl<'de> Visitor<'de> for Inside<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Inside { tree, at, depth } = self;
        tree.count_objects(at, 1);
        let mut previous = at;
        while let Some(child) = map.next_key_seed(Key {
            tree: &mut *tree,
            parent: at,
            previous,
        })? {
            match child {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(child) => {
                    value(tree, child, depth + 1, map.next_value()?).map_err(A::Error::custom)?;
                    previous = child;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Inside { tree, at, depth } = self;
        let Some(elements) = tree.elements(at) else {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        while let Some(element) = seq.next_element()? {
            value(tree, elements, depth + 1, element).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// The visit of one key.
struct Key<'t> {
    tree: &'t mut Tree,
    parent: Id,
    previous: Id,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<Id>;

    fn deserialize<D: serde::Deserializer<'de>>(self, key: D) -> Result<Option<Id>, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<Id>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Option<Id>, E> {
        Ok(self.tree.child(self.parent, key, self.previous))
    }
}
