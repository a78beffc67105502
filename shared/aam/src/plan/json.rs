//! Reading JSON text piece by piece: serde_json checks the grammar, the pieces stay text.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, value::RawValue};

use super::{Reject, record::quoted};

/// How deep objects and lists may be nested.
const DEEPEST: usize = 64;

/// `jsonb` keeps numbers as `numeric`, which ends near 131,000 digits; nothing real comes close.
const MOST_DIGITS: usize = 1000;

/// Calls `each` with every key, still quoted, and its value. The text must be one object.
pub(super) fn entries<'a>(
    json: &'a str,
    each: impl FnMut(&'a str, &'a str) -> Result<(), Reject>,
) -> Result<(), Reject> {
    let mut from = Deserializer::from_str(json);
    let mut rejected = None;
    let read = from
        .deserialize_map(Entries {
            each,
            rejected: &mut rejected,
        })
        .and_then(|()| from.end());
    match (rejected, read) {
        (Some(reject), _) => Err(reject),
        (None, Err(err)) => Err(Reject::whole(format!("not a JSON object: {err}"))),
        (None, Ok(())) => Ok(()),
    }
}

/// The items of a list, each as text.
pub(super) fn items(json: &str) -> Result<Vec<&str>, Reject> {
    Deserializer::from_str(json)
        .deserialize_seq(Items)
        .map_err(|err| Reject::whole(format!("not a JSON list: {err}")))
}

/// The characters of a JSON string, which is given with its quotes.
pub(super) fn unquote(raw: &str) -> Result<Cow<'_, str>, String> {
    if !raw.contains('\\') {
        return Ok(Cow::Borrowed(&raw[1..raw.len() - 1]));
    }
    let text: String = serde_json::from_str(raw)
        .map_err(|_| format!("{} has an unpaired surrogate", quoted(raw)))?;
    if text.contains('\0') {
        return Err(format!(
            "{} contains NUL, which cannot be stored",
            quoted(&text)
        ));
    }
    Ok(Cow::Owned(text))
}

/// Checks what the grammar does not: NUL, surrogates, duplicate keys, depth, size of numbers.
pub(super) fn check(raw: &str, depth: usize) -> Result<(), Reject> {
    match raw.as_bytes()[0] {
        b'"' => unquote(raw).map(drop).map_err(Reject::whole),
        b'{' => {
            check_depth(depth)?;
            let mut keys = Keys::default();
            entries(raw, |key, value| {
                let key = unquote(key).map_err(Reject::whole)?;
                check(value, depth + 1)?;
                keys.insert(key)
            })
        }
        b'[' => {
            check_depth(depth)?;
            items(raw)?
                .into_iter()
                .try_for_each(|it| check(it, depth + 1))
        }
        b'0'..=b'9' | b'-' => check_number(raw),
        _ => Ok(()),
    }
}

pub(super) fn check_depth(depth: usize) -> Result<(), Reject> {
    if depth > DEEPEST {
        return Err(Reject::whole("nested deeper than 64"));
    }
    Ok(())
}

fn check_number(raw: &str) -> Result<(), Reject> {
    let (digits, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let exponent: usize = exponent
        .trim_start_matches(['+', '-'])
        .parse()
        .unwrap_or(usize::MAX);
    if digits.len().saturating_add(exponent) > MOST_DIGITS {
        return Err(Reject::whole(format!(
            "{} is too long a number",
            quoted(raw)
        )));
    }
    Ok(())
}

/// The keys of one object, to notice one that comes twice.
#[derive(Default)]
pub(super) struct Keys<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    /// Comparing beats hashing up to about here.
    const FEW: usize = 32;

    pub(super) fn insert(&mut self, key: Cow<'a, str>) -> Result<(), Reject> {
        if self.few.contains(&key) || self.many.contains(&key) {
            return Err(twice(&quoted(&key)));
        }
        if self.few.len() < Self::FEW {
            self.few.push(key);
        } else {
            self.many.insert(key);
        }
        Ok(())
    }
}

/// The fault of a key that comes again, given as it is written.
pub(super) fn twice(raw_key: &str) -> Reject {
    Reject::whole(format!("key {raw_key} appears twice"))
}

struct Entries<'r, F> {
    each: F,
    rejected: &'r mut Option<Reject>,
}

impl<'a, F: FnMut(&'a str, &'a str) -> Result<(), Reject>> Visitor<'a> for Entries<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<&'a RawValue>()? {
            let value = map.next_value::<&'a RawValue>()?;
            if let Err(reject) = (self.each)(key.get(), value.get()) {
                *self.rejected = Some(reject);
                return Err(A::Error::custom("rejected"));
            }
        }
        Ok(())
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
