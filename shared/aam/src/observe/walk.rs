//! One pass over a JSON text, without building it.

use std::fmt;

use schema::source::{SourceType, SourceTypes};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::MAX_DEPTH;
use super::tree::{Id, ROOT, Tree};

/// The visit of one value.
pub(super) struct Walk<'t> {
    tree: &'t mut Tree,
    /// Where the value stands.
    at: Id,
    /// How many objects and arrays are around it.
    depth: u8,
}

impl Walk<'_> {
    /// The visit of a whole record.
    pub(super) fn record(tree: &mut Tree) -> Walk<'_> {
        Walk {
            tree,
            at: ROOT,
            depth: 0,
        }
    }

    fn value<E: Error>(self, of: SourceType) -> Result<(), E> {
        if self.at == ROOT {
            return Err(E::custom("a record is an object"));
        }
        self.tree.count_values(self.at, SourceTypes::of(of), 1);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.value(SourceType::Boolean)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.value(SourceType::Integer)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.value(SourceType::Integer)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.value(SourceType::Decimal)
    }

    /// Always text: whether a text reads as a date is up to its value, and a structure that
    /// depends on values would drift with them.
    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.value(SourceType::Text)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.at == ROOT {
            return Err(E::custom("a record is an object"));
        }
        self.tree.count_null(self.at);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Walk { tree, at, depth } = self;
        tree.count_values(at, SourceTypes::of(SourceType::Object), 1);
        if depth == MAX_DEPTH {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
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
                    map.next_value_seed(Walk {
                        tree: &mut *tree,
                        at: child,
                        depth: depth + 1,
                    })?;
                    previous = child;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Walk { tree, at, depth } = self;
        Walk {
            tree: &mut *tree,
            at,
            depth,
        }
        .value::<A::Error>(SourceType::Array)?;
        let elements = if depth < MAX_DEPTH {
            tree.elements(at)
        } else {
            None
        };
        let Some(elements) = elements else {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        let mut next = || {
            seq.next_element_seed(Walk {
                tree,
                at: elements,
                depth: depth + 1,
            })
        };
        while next()?.is_some() {}
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

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Option<Id>, D::Error> {
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
