//! The first record of a run that was quarantined, with what its user needs to see why.

use std::fmt;

use mapping::Plan;
use schema::run::FirstRejection;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

/// Longest name that is shown, in bytes.
const MAX_NAME: usize = 200;

/// Describes the rejection of that payload. It may be any text.
pub(super) fn first_rejection(
    plan: &Plan,
    (field, reason): (Option<&str>, &str),
    payload: &[u8],
) -> FirstRejection {
    FirstRejection {
        field: field.map(storable),
        reason: storable(reason),
        expected_fields: expected_fields(plan),
        present_fields: present_fields(payload),
    }
}

fn expected_fields(plan: &Plan) -> Vec<String> {
    let mut sources: Vec<_> = plan.sources().collect();
    sources.sort_by_key(|(path, of)| (std::cmp::Reverse(of.demand), *path));
    let paths = sources.into_iter().map(|(path, _)| storable(path));
    paths.take(FirstRejection::MAX_FIELDS).collect()
}

/// The names of a JSON object's members, as far as it can be read.
fn present_fields(payload: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(payload);
    // An error is what the record may have been rejected for: what comes before it is there.
    let _ = reader.deserialize_map(Names(&mut names));
    names
}

struct Names<'a>(&'a mut Vec<String>);

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while self.0.len() < FirstRejection::MAX_FIELDS {
            let Some(name) = map.next_key::<String>()? else {
                break;
            };
            self.0.push(storable(&name));
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// PostgreSQL's JSON has no NUL.
fn storable(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_NAME)].replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(payload: &str, expected: &[&str]) {
        assert_eq!(present_fields(payload.as_bytes()), expected, "{payload}");
    }

    #[test]
    fn the_names_of_an_object_are_read_as_far_as_it_can_be() {
        check(r#"{"a":1,"b":{"c":[]},"a":2}"#, &["a", "b", "a"]);
        check(r#"{"a":1,"b":"#, &["a", "b"]);
        check(r#"{"a\u0000":1}"#, &["a\u{fffd}"]);
        for none in ["", "7", "a;b;c", "[{}]"] {
            check(none, &[]);
        }
    }

    #[test]
    fn so_many_names_are_shown_and_so_much_of_each() {
        let members: Vec<_> = (0..99).map(|it| format!("\"{it:0>300}\":0")).collect();
        let names = present_fields(format!("{{{}}}", members.join(",")).as_bytes());
        assert_eq!(names.len(), FirstRejection::MAX_FIELDS);
        assert!(names.iter().all(|it| it.len() == MAX_NAME));
    }
}
