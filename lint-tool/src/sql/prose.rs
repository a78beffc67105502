//! What is written like English, although a grammar of SQL would take it.

/// Words before a noun: no table is called so.
const ARTICLES: [&str; 27] = [
    "the", "a", "an", "this", "that", "these", "those", "your", "our", "its", "their", "his",
    "her", "my", "all", "any", "each", "every", "some", "no", "another", "which", "what", "one",
    "it", "them", "you",
];

/// Two words in a row that only a statement has.
const PAIRS: [(&str, &str); 16] = [
    ("for", "update"),
    ("for", "share"),
    ("order", "by"),
    ("group", "by"),
    ("is", "null"),
    ("is", "not"),
    ("left", "join"),
    ("inner", "join"),
    ("cross", "join"),
    ("current", "of"),
    ("union", "all"),
    ("restart", "identity"),
    ("default", "values"),
    ("as", "select"),
    ("on", "true"),
    ("where", "true"),
];

/// Whether a text begins as a sentence does: `Select a file`. SQL is `select` or `SELECT`.
pub(super) fn is_sentence(text: &str) -> bool {
    let mut start = text.trim_start().chars();
    let is_title = start.next().is_some_and(char::is_uppercase);
    is_title && start.next().is_some_and(char::is_lowercase)
}

/// Whether the word stands before a noun.
pub(super) fn is_article(word: &str) -> bool {
    ARTICLES.contains(&word)
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|it| it.trim_end_matches(',').to_ascii_lowercase())
        .collect()
}

/// Whether the text has what prose has not: operators, brackets, or a verb in capitals. What was put at
/// the end of a fragment is no sign, so that a fragment has to have one before it.
pub(super) fn has_signs(text: &str, completed: Option<usize>) -> bool {
    let own = &text[..completed.unwrap_or(text.len())];
    let words = words(own);
    let first = own
        .trim_start_matches(|it: char| !it.is_alphabetic())
        .split(|it: char| !it.is_alphabetic())
        .next();
    first.is_some_and(|it| it.len() > 1 && it.chars().all(char::is_uppercase))
        || own.contains(|it| "(*=$?;\"`[<>".contains(it))
        || ["--", " '", " E'"].iter().any(|it| own.contains(it))
        || own.contains("/*")
        || own.contains(super::fragment::HOLE)
        || words.windows(2).any(|it| PAIRS.contains(&(&it[0], &it[1])))
}

/// `select a, b from t`, `delete from t` and `truncate table t`, with nothing more.
pub(super) fn is_plain_statement(text: &str) -> bool {
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["delete", "from", _] | ["truncate", "table", _] => true,
        ["truncate", names @ ..] => names.len() > 1 && text.matches(',').count() + 1 == names.len(),
        ["select", rest @ ..] => {
            // Each name but the last of a list had its comma.
            let names = rest.iter().filter(|it| **it != "from").count();
            names + 1 == rest.len() && text.matches(',').count() + 2 == names
        }
        _ => false,
    }
}
