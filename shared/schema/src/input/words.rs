//! What serde says of a wrong value, in words of JSON instead of Rust's.

/// The sentence without names of Rust types: a client knows no `i32` and no struct.
pub fn in_words(text: &str) -> String {
    let Some((what, expected)) = text.rsplit_once(", expected ") else {
        return match text {
            "invalid digit found in string" | "cannot parse integer from empty string" => {
                "is not a whole number".to_owned()
            }
            "number too large to fit in target type" => "is too large".to_owned(),
            "number too small to fit in target type" => "is too small".to_owned(),
            other => other.to_owned(),
        };
    };
    let what = match what {
        "invalid type: sequence" => "invalid type: a list",
        "invalid type: map" => "invalid type: an object",
        // A struct is looked for in a list, too, and finds it too short.
        what if what.starts_with("invalid length") && expected.starts_with("struct ") => {
            "invalid type: a list"
        }
        what => what,
    };
    format!("{what}, expected {}", type_in_words(expected))
}

/// The field that is missing, where that is what the sentence says.
pub(super) fn missing(text: &str) -> Option<&str> {
    text.strip_prefix("missing field `")?.strip_suffix('`')
}

fn type_in_words(expected: &str) -> String {
    let range = |least: i64, most: u64| format!("a whole number from {least} to {most}");
    let begins = |words: &[&str]| words.iter().any(|it| expected.starts_with(it));
    match expected {
        "u8" => range(0, u8::MAX.into()),
        "u16" => range(0, u16::MAX.into()),
        "u32" => range(0, u32::MAX.into()),
        "u64" | "usize" => range(0, u64::MAX),
        "i8" => range(i8::MIN.into(), i8::MAX.unsigned_abs().into()),
        "i16" => range(i16::MIN.into(), i16::MAX.unsigned_abs().into()),
        "i32" => range(i32::MIN.into(), i32::MAX.unsigned_abs().into()),
        "i64" | "isize" => range(i64::MIN, i64::MAX.unsigned_abs()),
        "f32" | "f64" => "a number".to_owned(),
        "a map" => "an object".to_owned(),
        "a sequence" => "a list".to_owned(),
        "unit" => "null".to_owned(),
        _ if begins(&["struct ", "internally tagged", "adjacently tagged"]) => {
            "an object".to_owned()
        }
        _ if begins(&["tuple", "a tuple"]) => "a list".to_owned(),
        _ if begins(&["enum ", "unit variant", "variant identifier"]) => "a text".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        count: i32,
    }

    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Step {
        Trim,
    }

    #[track_caller]
    fn check<T: DeserializeOwned + std::fmt::Debug>(json: &str, expected: &str) {
        let error = serde_json::from_str::<T>(json).unwrap_err().to_string();
        let error = error.split(" at line ").next().unwrap();
        assert_eq!(in_words(error), expected);
    }

    #[test]
    fn a_wrong_value_is_described_in_words_of_json() {
        let right: Thing = serde_json::from_str(r#"{"count":1}"#).unwrap();
        assert_eq!(right, Thing { count: 1 });
        let object = "invalid type: a list, expected an object";
        check::<Thing>("[]", object);
        check::<BTreeMap<String, bool>>("[]", object);
        check::<Thing>("\"x\"", "invalid type: string \"x\", expected an object");
        check::<Thing>(
            r#"{"count":"many"}"#,
            "invalid type: string \"many\", expected a whole number from -2147483648 to 2147483647",
        );
        check::<Thing>(
            r#"{"count":3000000000}"#,
            "invalid value: integer `3000000000`, expected a whole number from -2147483648 to 2147483647",
        );
        check::<Vec<u8>>("{}", "invalid type: an object, expected a list");
        check::<(u8, u8)>("{}", "invalid type: an object, expected a list");
        check::<f64>("\"1\"", "invalid type: string \"1\", expected a number");
        check::<Step>("7", "invalid type: integer `7`, expected an object");
        check::<Thing>(
            r#"{"colour":1}"#,
            "unknown field `colour`, expected `count`",
        );
        // What a client sent is shown as it is.
        check::<Thing>(
            "\"a, expected i32\"",
            "invalid type: string \"a, expected i32\", expected an object",
        );
    }

    #[test]
    fn a_parameter_that_is_no_number_is_described_as_such() {
        for (text, expected) in [
            ("abc", "is not a whole number"),
            ("", "is not a whole number"),
            ("3000000000", "is too large"),
            ("-3000000000", "is too small"),
        ] {
            let error = text.parse::<i32>().unwrap_err().to_string();
            assert_eq!(in_words(&error), expected, "{text}");
        }
    }
}
