//! Single values of JSON as text.

use std::borrow::Cow;

use crate::{extended_json, json, quote::quoted};

/// The text of a string, number or boolean in JSON; null and the empty string are no value.
pub(super) fn text_of(raw: &str) -> Result<Option<Cow<'_, str>>, String> {
    match raw.as_bytes()[0] {
        b'n' => Ok(None),
        b'"' => Ok(Some(json::unquote(raw)?).filter(|it| !it.is_empty())),
        b'{' if extended_json::is_value(raw) => extended_json::text(raw),
        b'{' | b'[' => Err(not_single(raw)),
        _ => Ok(Some(Cow::Borrowed(raw))),
    }
}

pub(super) fn not_single(raw: &str) -> String {
    format!("{} is not a single value", quoted(raw))
}
