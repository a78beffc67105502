//! JSON that somebody else wrote, read strictly: what is wrong with it is pointed at, in words of
//! JSON.

mod numbers;
mod words;

pub use words::in_words;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::{Error, Result, pointer};

/// A longer value makes no example.
const MAX_EXAMPLE: usize = 100;

/// Reads a JSON text.
///
/// # Errors
/// [`Error::BadRequest`] where it is not JSON, [`Error::Invalid`] with the field's pointer where it
/// is another JSON than asked for.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let refused = match read_literally(text) {
        Err(refused @ Error::Invalid(_)) => refused,
        other => return other,
    };
    // To JSON Schema, and to clients that know one kind of number, `62.0` is a whole one.
    match numbers::whole(text) {
        Some(text) => read_literally(&text),
        None => Err(refused),
    }
}

/// Reads a JSON value.
///
/// # Errors
/// As [`read`].
pub fn read_value<T: DeserializeOwned>(value: &Value) -> Result<T> {
    read(value.to_string().as_bytes())
}

/// Where a JSON text is no `T`: a pointer; none where it is one, or no JSON.
pub fn fault<'a, T: Deserialize<'a>>(text: &'a str) -> Option<String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let err = serde_path_to_error::deserialize::<_, T>(&mut reader).err()?;
    let pointer = pointer::of_path(err.path());
    let detail = without_place(&err.inner().to_string());
    Some(match words::missing(&detail) {
        Some(name) => below(&pointer, name),
        None => pointer,
    })
}

fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", pointer::escape(name))
}

fn read_literally<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|err| {
        let pointer = pointer::of_path(err.path());
        if err.inner().is_data() {
            let detail = without_place(&err.inner().to_string());
            let list = detail.ends_with(", expected a sequence");
            let list = list.then(|| list_of_one::<T>(text, &pointer)).flatten();
            refuse(pointer, &detail, list)
        } else if is_other_type(err.inner(), text) {
            Error::invalid(pointer, "has the wrong type")
        } else {
            Error::BadRequest(format!("the body is not JSON: {}", err.inner()))
        }
    })?;
    reader
        .end()
        .map_err(|err| Error::BadRequest(format!("the body is not JSON: {err}")))?;
    Ok(value)
}

/// A field that is missing is pointed at, and not the object that lacks it.
fn refuse(pointer: String, detail: &str, list: Option<String>) -> Error {
    if let Some(name) = words::missing(detail) {
        return Error::invalid(below(&pointer, name), "is missing");
    }
    let mut detail = in_words(detail);
    if let Some(list) = list {
        detail += &format!(", such as {list}");
    }
    Error::invalid(pointer, detail)
}

/// The value there as a list of one, where such a list would be taken: serde does not say what the
/// list is of.
fn list_of_one<T: DeserializeOwned>(text: &[u8], pointer: &str) -> Option<String> {
    let mut value: Value = serde_json::from_slice(text).ok()?;
    let place = value.pointer_mut(pointer)?;
    *place = Value::Array(vec![place.take()]);
    let list = place.to_string();
    let text = value.to_string();
    let mut reader = serde_json::Deserializer::from_str(&text);
    let refused = serde_path_to_error::deserialize::<_, T>(&mut reader).err();
    // Another field may be wrong as well.
    let is_taken = refused.is_none_or(|it| !pointer::of_path(it.path()).starts_with(pointer));
    (is_taken && list.len() <= MAX_EXAMPLE).then_some(list)
}

/// serde_json calls it bad syntax when an enum's word is, say, a number.
fn is_other_type(err: &serde_json::Error, text: &[u8]) -> bool {
    err.to_string().starts_with("expected value at")
        && serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

fn without_place(text: &str) -> String {
    text.split(" at line ").next().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Job {
        every: i32,
        tags: BTreeMap<String, Vec<u8>>,
        free: Option<Value>,
    }

    /// The pointer and the words of a refusal.
    #[track_caller]
    fn check(text: &str, expected: (&str, &str)) {
        let Err(Error::Invalid(errors)) = read::<Job>(text.as_bytes()) else {
            panic!("{text} is no wrong field");
        };
        let found = (errors[0].pointer.as_str(), errors[0].detail.as_str());
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        check(r#"{"tags":{}}"#, ("/every", "is missing"));
        check(r#"{"every":1}"#, ("/tags", "is missing"));
        let list = "invalid type: integer `7`, expected a list, such as [7]";
        check(r#"{"every":1,"tags":{"a/b":7}}"#, ("/tags/a~1b", list));
        // A list of that would be refused as well.
        let list = r#"invalid type: string "x", expected a list"#;
        check(r#"{"every":1,"tags":{"a":"x"}}"#, ("/tags/a", list));
        let byte = "invalid value: integer `256`, expected a whole number from 0 to 255";
        check(r#"{"every":1,"tags":{"a":[1,256]}}"#, ("/tags/a/1", byte));
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let job: Job = read(br#"{"every":62.0,"tags":{"a":[1e0,2,3.00]},"free":[4.0]}"#).unwrap();
        assert_eq!((job.every, &job.tags["a"][..]), (62, &[1, 2, 3][..]));
        // What is taken as it comes the first time stays as it came.
        let job: Job = read(br#"{"every":62,"tags":{},"free":[4.0]}"#).unwrap();
        assert_eq!(job.free.unwrap().to_string(), "[4.0]");
        let half = "invalid type: floating point `62.5`, expected a whole number from -2147483648 \
                    to 2147483647";
        check(r#"{"every":62.5,"tags":{}}"#, ("/every", half));
        // What is wrong beside it is what is said.
        check(r#"{"every":62.0}"#, ("/tags", "is missing"));
        let job: Job = read_value(&json!({"every": 7.0, "tags": {}})).unwrap();
        assert_eq!(job.every, 7);
    }
}
