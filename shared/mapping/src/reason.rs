//! Reasons without what they quote: what many records were rejected for alike.

/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 300;

/// Words after which a number is the platform's own and not the record's: `64 bits`, `2 KiB`.
const CONSTANT_AFTER: [&str; 7] = ["as", "ISO", "into", "than", "to", "within", "years"];

/// The reason with `…` for each text that it quotes and `#` for each number of the record, so that
/// two records with the same fault have the same. At most 300 bytes; linear.
pub fn pattern(reason: &str) -> String {
    let mut pattern = String::with_capacity(reason.len().min(MAX_PATTERN));
    let mut rest = reason;
    while let Some(first) = rest.chars().next() {
        if pattern.len() >= MAX_PATTERN {
            break;
        }
        let end = match first {
            '"' => {
                pattern.push('…');
                quoted(rest)
            }
            '`' => {
                pattern.push('…');
                rest[1..].find('`').map_or(rest.len(), |it| it + 2)
            }
            '0'..='9' | '-' if starts_number(&pattern, rest) => match is_constant(&pattern) {
                true => {
                    let end = constant(&pattern, rest);
                    pattern.push_str(&rest[..end]);
                    end
                }
                false => {
                    pattern.push('#');
                    number(rest)
                }
            },
            other => {
                pattern.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[end..];
    }
    pattern.truncate(pattern.floor_char_boundary(MAX_PATTERN));
    pattern
}

/// The first text that a reason quotes, as it was; none where there is none, or it was cut.
pub fn quoted_value(reason: &str) -> Option<String> {
    let start = reason.find('"')?;
    let text = &reason[start..];
    let end = quoted(text);
    let cut = text[..end].ends_with('…');
    // It is written by `{:?}`, which is JSON but for rare escapes.
    serde_json::from_str(&text[..end]).ok().filter(|_| !cut)
}

/// The length of the quoted text that this begins with, its mark of being cut included.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let mut end = text.len();
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                end = at + 1;
                break;
            }
            _ => {}
        }
    }
    match text[end..].starts_with('…') {
        true => end + '…'.len_utf8(),
        false => end,
    }
}

/// Whether a number begins here, and not in the middle of a word.
fn starts_number(before: &str, rest: &str) -> bool {
    // `UTF-8` is a word, too.
    let word = before.trim_end_matches('-');
    let in_word = word.ends_with(|it: char| it.is_alphanumeric() || it == '_');
    let digit = rest
        .trim_start_matches('-')
        .starts_with(|it: char| it.is_ascii_digit());
    !in_word && digit
}

fn number(text: &str) -> usize {
    let is_part = |it: char| it.is_ascii_digit() || matches!(it, '.' | '-');
    let end = text.find(|it| !is_part(it)).unwrap_or(text.len());
    // A full stop or a hyphen after it is not of it.
    text[..end].trim_end_matches(['.', '-']).len()
}

fn is_constant(before: &str) -> bool {
    let last = before.trim_end().rsplit(' ').next();
    last.is_some_and(|it| CONSTANT_AFTER.contains(&it))
}

/// The length of a number of the platform's own. One that is an example ends where the sentence goes
/// on, as it may have signs and spaces in it.
fn constant(before: &str, text: &str) -> usize {
    if !before.ends_with("such as ") {
        return number(text);
    }
    let ends = [": ", ", "].iter().filter_map(|it| text.find(it));
    ends.min().unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::quote::quoted as as_quoted;

    #[track_caller]
    fn check(reason: &str, expected: &str) {
        assert_eq!(pattern(reason), expected, "{reason}");
    }

    #[test]
    fn what_a_reason_quotes_is_not_in_its_pattern() {
        let date = "… is not a date of the years 0001 to 9999, such as 2024-01-31";
        for (reason, expected) in [
            ("missing", "missing"),
            (
                r#""7,5" is not a number such as 1 234 567,89: correct it at the source"#,
                "… is not a number such as 1 234 567,89: correct it at the source",
            ),
            (r#""12,5" is not a decimal"#, "… is not a decimal"),
            (r#""a \"b\" \\" is not an integer"#, "… is not an integer"),
            (
                r#""31/01/2024" is not a date of the years 0001 to 9999, such as 2024-01-31"#,
                date,
            ),
            (r#""x"… is not a boolean"#, "… is not a boolean"),
            (r#"{"a": 1}"#, "{…: #}"),
            (r#""open"#, "…"),
            ("12.5 is not within 0 to 100", "# is not within 0 to 100"),
            ("-3 is not within -1 to 100", "# is not within -1 to 100"),
            (
                r#""1e9" does not fit into 64 bits"#,
                "… does not fit into 64 bits",
            ),
            (
                r#""7" has more than 38 digits"#,
                "… has more than 38 digits",
            ),
            (
                r#""ab" is not an ISO 4217 currency code"#,
                "… is not an ISO 4217 currency code",
            ),
            ("is longer than 2 KiB", "is longer than 2 KiB"),
            ("not UTF-8 from byte 17", "not UTF-8 from byte #"),
            (
                "row has 1 cell where the header has 12",
                "row has # cell where the header has #",
            ),
            (
                "not a JSON object: expected value at line 1 column 25",
                "not a JSON object: expected value at line # column #",
            ),
            (
                r#"its id `7` is also that of the row with the key ["7"]: two rows cannot be one record"#,
                "its id … is also that of the row with the key […]: two rows cannot be one record",
            ),
            ("", ""),
        ] {
            check(reason, expected);
        }
    }

    #[test]
    fn a_value_is_read_from_its_reason() {
        let value = |it: &str| quoted_value(it);
        assert_eq!(
            value(r#""a \"b\"" is not one"#).as_deref(),
            Some(r#"a "b""#)
        );
        assert_eq!(value("missing"), None);
        assert_eq!(value(&format!("{} is", as_quoted(&"x".repeat(81)))), None);
    }

    proptest! {
        #[test]
        fn whatever_is_quoted_the_pattern_is_the_same(value in ".*") {
            let reason = format!("{} is not a decimal", as_quoted(&value));
            prop_assert_eq!(pattern(&reason), "… is not a decimal");
        }

        #[test]
        fn a_pattern_is_short_and_of_any_text(text in "(\"|`|\\\\|[0-9.-]|…|.){0,2000}") {
            prop_assert!(pattern(&text).len() <= MAX_PATTERN);
        }
    }
}
