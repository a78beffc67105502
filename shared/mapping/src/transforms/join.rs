//! All sources that have a value, with a separator between them.

use std::borrow::Cow;

use super::{Combination, Compiled, Fault, MAX_TEXT, no_nul, too_long};

#[derive(Debug)]
struct Join {
    separator: String,
}

pub(super) fn compile(separator: &str) -> Result<Compiled, Fault> {
    no_nul("/separator", separator)?;
    Ok(Compiled::Combination(Box::new(Join {
        separator: separator.to_owned(),
    })))
}

impl Combination for Join {
    fn combine<'a>(
        &'a self,
        values: Vec<Option<Cow<'a, str>>>,
    ) -> Result<Option<Cow<'a, str>>, String> {
        joined(values.into_iter().flatten(), &self.separator)
    }
}

/// The texts with the separator between them; none where there are none.
pub(super) fn joined<'a>(
    mut texts: impl Iterator<Item = Cow<'a, str>>,
    separator: &str,
) -> Result<Option<Cow<'a, str>>, String> {
    let Some(mut all) = texts.next() else {
        return Ok(None);
    };
    for text in texts {
        if all.len() + separator.len() + text.len() > MAX_TEXT {
            return Err(too_long());
        }
        let all = all.to_mut();
        all.push_str(separator);
        all.push_str(&text);
    }
    Ok(Some(all))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::transforms::testing::check_combined;

    #[test]
    fn what_is_missing_is_left_out() {
        check_combined(
            &json!({"kind": "join", "separator": ", "}),
            &[
                (&["x", "y"], "x, y"),
                (&["-", "y"], "y"),
                (&["-", "-"], "null"),
            ],
        );
    }

    #[test]
    fn what_it_makes_is_bounded() {
        let half = "x".repeat(MAX_TEXT / 2 + 1);
        let texts = [Cow::Borrowed(&*half), Cow::Borrowed(&*half)];
        assert_eq!(
            joined(texts.into_iter(), ""),
            Err("what the mapping makes of it is longer than 64 KiB: let its transforms put in less".to_owned())
        );
    }
}
