//! What comments of a manifest say: whether an entry stands there for a reason.

/// So many words above an entry are a reason; fewer are a heading.
const SENTENCE: usize = 4;

/// The comment of a line, without its sign. A `#` within quotes begins none.
fn comment(line: &str) -> Option<&str> {
    let mut quote = None;
    for (at, it) in line.char_indices() {
        match (it, quote) {
            ('#', None) => return Some(line[at + 1..].trim()),
            ('"' | '\'', None) => quote = Some(it),
            (it, Some(open)) if it == open => quote = None,
            _ => {}
        }
    }
    None
}

/// The words of a comment, unless it is an entry that was switched off, or an ignore of this tool, which
/// is counted elsewhere.
fn words(comment: &str) -> usize {
    let is_key = |it: char| it.is_alphanumeric() || "-_.\"[]".contains(it);
    let rest = comment.trim_start_matches(is_key).trim_start();
    if rest.starts_with('=') || rest.is_empty() || comment.starts_with("structure-lint:") {
        return 0;
    }
    let words = comment.split_whitespace();
    words.filter(|it| it.contains(char::is_alphabetic)).count()
}

/// Whether a comment at the end of a line (from 1), or the ones directly above it, give a reason.
pub(super) fn is_explained(text: &str, line: u32) -> bool {
    let lines: Vec<&str> = text.lines().take(line as usize).collect();
    let Some((entry, above)) = lines.split_last() else {
        return false;
    };
    let block = above.iter().rev();
    let block = block.map_while(|it| it.trim_start().strip_prefix('#'));
    comment(entry).is_some_and(|it| words(it) > 1)
        || block.map(|it| words(it.trim())).sum::<usize>() >= SENTENCE
}

/// Whether a sentence in any comment has the word.
pub(super) fn speak_of(text: &str, word: &str) -> bool {
    let mut comments = text.lines().filter_map(comment);
    comments.any(|it| words(it) >= SENTENCE && it.to_lowercase().contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_a_reason_and_a_heading_is_none() {
        let check = |text: &str, expected: bool| {
            let line = text.lines().count() as u32;
            assert_eq!(is_explained(text, line), expected, "{text}");
        };
        check("a = \"1\" # the newer one breaks on musl", true);
        check(
            "# Keep at one, the newer\n# breaks on musl.\na = \"1\"",
            true,
        );
        check("# our crates\na = \"1\"", false);
        check("# The newer one breaks on musl.\n\na = \"1\"", false);
        check(
            "# The newer one breaks on musl.\nb = \"1\"\na = \"1\"",
            false,
        );
        check("# b = { path = \"../b\" } was here\na = \"1\"", false);
        check(
            "a = \"1\" # structure-lint: allow(SL023) reason=\"x y\"",
            false,
        );
        check("a = \"http://x#one two\"", false);
        check("a = \"1\"", false);
    }

    #[test]
    fn a_word_counts_in_a_sentence_alone() {
        assert!(speak_of(
            "# The lints of the workspace are too strict.\n",
            "lint"
        ));
        assert!(!speak_of("# lints\n[lints]\n", "lint"));
    }
}
