//! What the grammar of JSON allows and a record may not have: NUL, unpaired surrogates, duplicate
//! keys, endless nesting, endless numbers.
//!
//! **Invariant:** each byte is looked at a constant number of times, however values are nested.

use std::{borrow::Cow, collections::HashSet};

use crate::{RecordError, json::unquote, quote::quoted};

/// How deep objects and lists may be nested.
const MAX_DEPTH: usize = 64;

/// `jsonb` keeps numbers as `numeric`, which ends near 131,000 digits; nothing real comes close.
const MAX_DIGITS: usize = 1000;

/// Checks a value whose grammar was checked before; `depth` is that of an object or list here.
pub(super) fn check(raw: &str, depth: usize) -> Result<(), RecordError> {
    match raw.as_bytes()[0] {
        b'"' => unquote(raw).map(drop).map_err(RecordError::whole),
        b'-' | b'0'..=b'9' => check_number(raw),
        b'{' | b'[' => walk(raw, depth),
        _ => Ok(()),
    }
}

pub(super) fn check_depth(depth: usize) -> Result<(), RecordError> {
    if depth > MAX_DEPTH {
        return Err(RecordError::whole("nested deeper than 64"));
    }
    Ok(())
}

pub(super) fn twice(key: &str) -> RecordError {
    RecordError::whole(format!("key {} appears twice", quoted(key)))
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

    pub(super) fn with_room() -> Keys<'a> {
        Keys {
            few: Vec::with_capacity(Self::FEW),
            many: HashSet::new(),
        }
    }

    pub(super) fn insert(&mut self, key: Cow<'a, str>) -> Result<(), RecordError> {
        if self.few.contains(&key) || self.many.contains(&key) {
            return Err(twice(&key));
        }
        if self.few.len() < Self::FEW {
            self.few.push(key);
        } else {
            self.many.insert(key);
        }
        Ok(())
    }
}

/// One pass over an object or a list with all that is in it.
fn walk(raw: &str, depth: usize) -> Result<(), RecordError> {
    let bytes = raw.as_bytes();
    // Open objects have their keys here, open lists nothing.
    let mut open: Vec<Option<Keys<'_>>> = Vec::new();
    let mut key_next = false;
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            begin @ (b'{' | b'[') => {
                check_depth(depth + open.len())?;
                key_next = begin == b'{';
                open.push(key_next.then(Keys::default));
            }
            b'}' | b']' => {
                open.pop();
                key_next = false;
            }
            b',' => key_next = matches!(open.last(), Some(Some(_))),
            b'"' => {
                at = string_end(bytes, at);
                let text = unquote(&raw[start..at]).map_err(RecordError::whole)?;
                if let Some(Some(keys)) = open.last_mut().filter(|_| key_next) {
                    keys.insert(text)?;
                    key_next = false;
                }
            }
            b'-' | b'0'..=b'9' => {
                at = number_end(bytes, at);
                check_number(&raw[start..at])?;
            }
            // White space, colons, and the letters of true, false and null.
            _ => {}
        }
    }
    Ok(())
}

/// Where the string ends that `at` is within.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn number_end(bytes: &[u8], at: usize) -> usize {
    let within = |it: &u8| matches!(it, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    at + bytes[at..].iter().take_while(|it| within(it)).count()
}

fn check_number(raw: &str) -> Result<(), RecordError> {
    let (digits, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let exponent: usize = exponent
        .trim_start_matches(['+', '-'])
        .parse()
        .unwrap_or(usize::MAX);
    if digits.len().saturating_add(exponent) > MAX_DIGITS {
        return Err(RecordError::whole(format!(
            "{} is too long a number",
            quoted(raw)
        )));
    }
    Ok(())
}
