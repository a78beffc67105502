//! Reading JSON text piece by piece: serde_json checks the grammar, the pieces stay text.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{RecordError, quote::quoted};

/// Calls `each` with every key and the text of its value. The text must be one object.
pub(super) fn entries<'a>(
    json: &'a str,
    each: impl FnMut(Key<'a>, &'a str) -> Result<(), RecordError>,
) -> Result<(), RecordError> {
    let mut from = serde_json::Deserializer::from_str(json);
    let mut rejected = None;
    let read = from
        .deserialize_map(Entries {
            each,
            rejected: &mut rejected,
        })
        .and_then(|()| from.end());
    match (rejected, read) {
        (Some(reject), _) => Err(reject),
        (None, Err(err)) => Err(RecordError::whole(format!("not a JSON object: {err}"))),
        (None, Ok(())) => Ok(()),
    }
}

/// The same until `each` has seen enough and returns true, or the text turns out not to be an
/// object.
pub(super) fn entries_until<'a>(json: &'a str, mut each: impl FnMut(Key<'a>, &'a str) -> bool) {
    let _ = entries(json, |key, value| match each(key, value) {
        true => Err(RecordError::whole("")),
        false => Ok(()),
    });
}

/// The items of a list, each as text.
pub(super) fn items(json: &str) -> Result<Vec<&str>, RecordError> {
    serde_json::Deserializer::from_str(json)
        .deserialize_seq(Items)
        .map_err(|err| RecordError::whole(format!("not a JSON list: {err}")))
}

/// The characters of a JSON string, which is given with its quotes.
pub(super) fn unquote(raw: &str) -> Result<Cow<'_, str>, String> {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(&raw[1..raw.len() - 1]));
    }
    let text: String = serde_json::from_str(raw)
        .map_err(|_| format!("{} has an unpaired surrogate", quoted(raw)))?;
    without_nul(&text)?;
    Ok(Cow::Owned(text))
}

fn without_nul(text: &str) -> Result<(), String> {
    if text.contains('\0') {
        return Err(format!(
            "{} contains NUL, which cannot be stored",
            quoted(text)
        ));
    }
    Ok(())
}

/// A key, borrowed unless it is written with escapes.
pub(super) struct Key<'a>(Cow<'a, str>);

impl<'a> Key<'a> {
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn into_text(self) -> Cow<'a, str> {
        self.0
    }

    /// Appends it as a JSON string.
    pub(super) fn push_to(&self, out: &mut String) {
        match &self.0 {
            Cow::Borrowed(key) => {
                out.push('"');
                out.push_str(key);
                out.push('"');
            }
            Cow::Owned(key) => out.push_str(&serde_json::Value::from(key.as_str()).to_string()),
        }
    }

    fn without_nul(&self) -> Result<(), RecordError> {
        match &self.0 {
            Cow::Borrowed(_) => Ok(()),
            Cow::Owned(key) => without_nul(key).map_err(RecordError::whole),
        }
    }
}

struct Entries<'r, F> {
    each: F,
    rejected: &'r mut Option<RecordError>,
}

impl<'a, F: FnMut(Key<'a>, &'a str) -> Result<(), RecordError>> Visitor<'a> for Entries<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key<'a>>()? {
            let value = map.next_value::<&'a RawValue>()?;
            let each = key
                .without_nul()
                .and_then(|()| (self.each)(key, value.get()));
            if let Err(reject) = each {
                *self.rejected = Some(reject);
                return Err(A::Error::custom("rejected"));
            }
        }
        Ok(())
    }
}

impl<'a> Deserialize<'a> for Key<'a> {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Key<'a>, D::Error> {
        from.deserialize_str(KeyText)
    }
}

struct KeyText;

impl<'a> Visitor<'a> for KeyText {
    type Value = Key<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'a str) -> Result<Key<'a>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'a>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

struct Items;

impl<'a> Visitor<'a> for Items {
    type Value = Vec<&'a str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Vec<&'a str>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<&'a RawValue>()? {
            items.push(item.get());
        }
        Ok(items)
    }
}
