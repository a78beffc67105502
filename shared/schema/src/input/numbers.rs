//! Whole numbers that are written as fractions: `62.0`.

/// Up to here each whole number is a float of its own.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The text with each such number written as a whole one; none where it has no such number.
pub(super) fn whole(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(first) = rest.first() {
        let length = match first {
            b'"' => string(rest),
            b'-' | b'0'..=b'9' => number(rest),
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        match as_whole(token) {
            Some(number) => {
                out.extend(number.to_string().into_bytes());
                changed = true;
            }
            None => out.extend_from_slice(token),
        }
        rest = after;
    }
    changed.then_some(out)
}

/// How long the string is that the text begins with.
fn string(text: &[u8]) -> usize {
    let mut escaped = true; // As is its first quote.
    let end = text.iter().position(|it| match it {
        b'"' if !escaped => true,
        it => {
            escaped = *it == b'\\' && !escaped;
            false
        }
    });
    end.map_or(text.len(), |it| it + 1)
}

/// How long the number is that the text begins with.
fn number(text: &[u8]) -> usize {
    let is_part = |it: &u8| it.is_ascii_digit() || b"+-.eE".contains(it);
    let end = text.iter().position(|it| !is_part(it));
    end.unwrap_or(text.len())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it is a whole number that fits"
)]
fn as_whole(token: &[u8]) -> Option<i64> {
    if !token.iter().any(|it| b".eE".contains(it)) || token.starts_with(b"\"") {
        return None;
    }
    let number: f64 = std::str::from_utf8(token).ok()?.parse().ok()?;
    (number.fract() == 0.0 && number.abs() <= MAX_EXACT).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = whole(text.as_bytes());
        let found = found.map(|it| String::from_utf8(it).unwrap());
        assert_eq!(found.as_deref().unwrap_or(text), expected);
        assert_eq!(found.is_some(), text != expected, "{text}");
    }

    #[test]
    fn whole_numbers_are_written_as_such() {
        check("62.0", "62");
        check("[-1.0,1e2, 1.5e1 ,-0.0]", "[-1,100, 15 ,0]");
        check(r#"{"a\"1.0":2.0,"1.0":"\\"}"#, r#"{"a\"1.0":2,"1.0":"\\"}"#);
    }

    #[test]
    fn everything_else_stays_to_the_letter() {
        for text in [
            "",
            "7",
            "1.5",
            "1e-1",
            "9007199254740994.0",
            "1e999",
            "-",
            "1.2.0",
            r#""62.0""#,
            r#"["\\","1.0","\"2.0"]"#,
            r#""3.0"#,
            "[true,null]",
        ] {
            check(text, text);
        }
    }
}
