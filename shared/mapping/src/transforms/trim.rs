//! Removes white space at both ends.

use std::borrow::Cow;

/// The text without white space at its ends.
pub(crate) fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_of_any_script_is_removed_at_the_ends() {
        for (text, want) in [(" a b\t", "a b"), ("\u{a0}a\u{3000}", "a"), ("  ", "")] {
            assert_eq!(trimmed(Cow::Borrowed(text)), want);
            assert_eq!(trimmed(Cow::Owned(text.to_owned())), want);
        }
    }
}
