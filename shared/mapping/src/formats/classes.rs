//! Values that are known by what they are rather than by their shape.

use super::scan::{MAX_SCANNED, Scan};

/// A class of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Email,
    Url,
    Uuid,
    /// A telephone number with `+` and country code.
    Phone,
}

pub(super) const CLASSES: [Class; 4] = [Class::Email, Class::Url, Class::Uuid, Class::Phone];

/// The class of a value, if it has one. Cheap: most values are told apart by one byte.
pub(super) fn of(text: &str, scan: Option<&Scan>) -> Option<Class> {
    let bytes = text.as_bytes();
    if scan.is_none_or(|it| it.has_at) && is_email(text) {
        return Some(Class::Email);
    }
    match bytes.first()? {
        b'h' | b'H' | b'w' | b'W' if is_url(text) => Some(Class::Url),
        b'+' if is_phone(text) => Some(Class::Phone),
        it if bytes.len() == 36 && it.is_ascii_hexdigit() && is_uuid(bytes) => Some(Class::Uuid),
        _ => None,
    }
}

/// Whether a text looks like one address; `email` reads it exactly.
fn is_email(text: &str) -> bool {
    if text.len() > 254 {
        return false;
    }
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_part = |it: char| it.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(it);
    !local.is_empty()
        && local.chars().all(is_part)
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && domain
            .chars()
            .all(|it| it.is_alphanumeric() || it == '.' || it == '-')
}

fn is_url(text: &str) -> bool {
    let begins = |with: &str| {
        text.get(..with.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(with))
    };
    ["http://", "https://", "www."].iter().any(|it| begins(it))
        && !text.contains(char::is_whitespace)
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(index, it)| match index {
        8 | 13 | 18 | 23 => *it == b'-',
        _ => it.is_ascii_hexdigit(),
    })
}

fn is_phone(text: &str) -> bool {
    text.len() <= MAX_SCANNED
        && text[1..]
            .chars()
            .all(|it| it.is_ascii_digit() || it.is_whitespace() || "-./()".contains(it))
        && (7..=15).contains(&text.bytes().filter(u8::is_ascii_digit).count())
}
