//! MongoDB's Extended JSON (version 2, canonical and relaxed, and the older form of dates and
//! binaries): values that JSON has no type for, as an object with one `$` key.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::quote::quoted;

/// Whether the text of an object is such a value rather than an object with fields.
pub(super) fn is_value(raw: &str) -> bool {
    raw.strip_prefix('{')
        .is_some_and(|it| it.trim_start().starts_with("\"$"))
}

/// The plain text of such a value; none for its kind of null.
///
/// A date becomes RFC 3339, a UUID its usual form, another binary its base64.
pub(super) fn text(raw: &str) -> Result<Option<Cow<'static, str>>, String> {
    let wrong = || format!("{} is not a single value", quoted(raw));
    let object: Map<String, Value> = serde_json::from_str(raw).map_err(|_| wrong())?;
    let text = match (object.len(), object.iter().next()) {
        (1, Some((key, value))) if key == "$undefined" => {
            return if *value == true {
                Ok(None)
            } else {
                Err(wrong())
            };
        }
        (1, Some((key, value))) => one(key, value),
        (2, _) => older_binary(&object),
        _ => None,
    };
    text.map(|it| Some(it.into())).ok_or_else(wrong)
}

fn one(key: &str, value: &Value) -> Option<String> {
    match key {
        "$numberLong" => whole::<i64>(value),
        "$numberInt" => whole::<i32>(value),
        "$numberDouble" => digits(value, is_finite),
        // `Decimal` reads what is no number of it.
        "$numberDecimal" => digits(value, is_finite),
        "$date" => date(value),
        "$timestamp" => seconds(value["t"].as_i64()?),
        "$oid" => object_id(value.as_str()?),
        "$symbol" => text_of(value).filter(|it| !it.is_empty()),
        "$uuid" => Uuid::try_parse(value.as_str()?)
            .ok()
            .map(|it| it.to_string()),
        "$binary" => binary(value["base64"].as_str()?, value["subType"].as_str()?),
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|it| !it.contains('\0'))
        .map(str::to_owned)
}

/// An id of 12 bytes, in one spelling.
fn object_id(text: &str) -> Option<String> {
    let is_hex = text.len() == 24 && text.bytes().all(|it| it.is_ascii_hexdigit());
    is_hex.then(|| text.to_ascii_lowercase())
}

/// A whole number, in one spelling.
fn whole<T: std::str::FromStr + ToString>(value: &Value) -> Option<String> {
    let digits = digits(value, |it| it.parse::<T>().is_ok())?;
    digits.parse::<T>().ok().map(|it| it.to_string())
}

fn digits(value: &Value, is_number: impl Fn(&str) -> bool) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    is_number(&text).then_some(text)
}

fn is_finite(text: &str) -> bool {
    let is_digit = |it: u8| it.is_ascii_digit() || matches!(it, b'+' | b'-' | b'.' | b'e' | b'E');
    text.bytes().all(is_digit) && text.parse::<f64>().is_ok()
}

fn date(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|_| text.clone()),
        Value::Number(number) => millis(number.as_i64()?),
        Value::Object(inner) if inner.len() == 1 => {
            millis(digits(inner.get("$numberLong")?, |_| true)?.parse().ok()?)
        }
        _ => None,
    }
}

fn millis(at: i64) -> Option<String> {
    let at = DateTime::from_timestamp_millis(at)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn seconds(at: i64) -> Option<String> {
    let at = DateTime::from_timestamp(at, 0)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn older_binary(object: &Map<String, Value>) -> Option<String> {
    binary(
        object.get("$binary")?.as_str()?,
        object.get("$type")?.as_str()?,
    )
}

/// Subtype 4 is a UUID; the older 3 is one too, in a byte order that is not told.
fn binary(base64: &str, subtype: &str) -> Option<String> {
    let bytes = STANDARD.decode(base64).ok()?;
    let is_uuid = u8::from_str_radix(subtype, 16).ok()? == 4;
    match Uuid::from_slice(&bytes) {
        Ok(uuid) if is_uuid => Some(uuid.to_string()),
        Err(_) if is_uuid => None,
        _ => Some(base64.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_its_text() {
        let check = |raw: &str, want: &str| {
            assert!(is_value(raw), "{raw}");
            assert_eq!(
                text(raw).as_ref().map(|it| it.as_deref()),
                Ok(Some(want)),
                "{raw}"
            );
        };
        check(r#"{"$numberLong": "12"}"#, "12");
        check(
            r#"{ "$numberLong":"-9223372036854775808"}"#,
            "-9223372036854775808",
        );
        check(r#"{"$numberLong": 12}"#, "12");
        check(r#"{"$numberInt": "-7"}"#, "-7");
        check(r#"{"$numberDouble": "12.50"}"#, "12.50");
        check(r#"{"$numberDouble": "1.0E+3"}"#, "1.0E+3");
        check(r#"{"$numberDecimal": "0.10"}"#, "0.10");
        check(
            r#"{"$date": "2024-10-20T14:30:00Z"}"#,
            "2024-10-20T14:30:00Z",
        );
        check(
            r#"{"$date": {"$numberLong": "1729434600123"}}"#,
            "2024-10-20T14:30:00.123Z",
        );
        check(
            r#"{"$date": {"$numberLong": "-1"}}"#,
            "1969-12-31T23:59:59.999Z",
        );
        check(r#"{"$date": 1729434600000}"#, "2024-10-20T14:30:00.000Z");
        check(
            r#"{"$timestamp": {"t": 1729434600, "i": 1}}"#,
            "2024-10-20T14:30:00Z",
        );
        check(
            r#"{"$oid": "507f1f77bcf86cd799439011"}"#,
            "507f1f77bcf86cd799439011",
        );
        check(
            r#"{"$oid": "507F1F77BCF86CD799439011"}"#,
            "507f1f77bcf86cd799439011",
        );
        check(r#"{"$numberLong": "007"}"#, "7");
        check(r#"{"$symbol": "x"}"#, "x");
        let uuid = "00112233-4455-6677-8899-aabbccddeeff";
        check(r#"{"$uuid": "00112233-4455-6677-8899-AABBCCDDEEFF"}"#, uuid);
        let base64 = "ABEiM0RVZneImaq7zN3u/w==";
        let canonical =
            |kind| format!(r#"{{"$binary": {{"base64": "{base64}", "subType": "{kind}"}}}}"#);
        check(&canonical("04"), uuid);
        check(&canonical("00"), base64);
        check(
            &format!(r#"{{"$binary": "{base64}", "$type": "04"}}"#),
            uuid,
        );
    }

    #[test]
    fn what_is_no_single_value_is_refused() {
        for raw in [
            r#"{"$numberDouble": "NaN"}"#,
            r#"{"$numberDouble": "-Infinity"}"#,
            r#"{"$numberDecimal": "Infinity"}"#,
            r#"{"$numberLong": "9223372036854775808"}"#,
            r#"{"$numberInt": "2147483648"}"#,
            r#"{"$numberLong": "1.5"}"#,
            r#"{"$numberLong": {}}"#,
            r#"{"$numberLong": null}"#,
            r#"{"$numberLong": "1", "x": 2}"#,
            r#"{"$date": "yesterday"}"#,
            r#"{"$date": {"$numberLong": "99999999999999999"}}"#,
            r#"{"$oid": ""}"#,
            r#"{"$oid": "a\u0000"}"#,
            r#"{"$oid": "xyz"}"#,
            r#"{"$oid": "507f1f77bcf86cd79943901"}"#,
            r#"{"$oid": {"id": 1}}"#,
            r#"{"$uuid": "1"}"#,
            r#"{"$binary": {"base64": "*", "subType": "00"}}"#,
            r#"{"$binary": {"base64": "AA==", "subType": "04"}}"#,
            r#"{"$minKey": 1}"#,
            r#"{"$regularExpression": {"pattern": "a", "options": ""}}"#,
            r#"{"$ref": "a", "$id": "b"}"#,
        ] {
            let reason = text(raw).unwrap_err();
            assert!(reason.ends_with("is not a single value"), "{raw}: {reason}");
        }
        assert_eq!(text(r#"{"$undefined": true}"#), Ok(None));
        assert!(!is_value(r#"{"amount": 1}"#));
        assert!(!is_value("{}"));
    }
}
