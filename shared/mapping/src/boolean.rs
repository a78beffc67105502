//! How sources write a boolean.

/// What spreadsheets write for true and false, by the language that they are in.
const WORDS: [(&str, &str); 21] = [
    ("true", "false"),
    ("wahr", "falsch"),
    ("vrai", "faux"),
    ("verdadero", "falso"),
    ("vero", "falso"),
    ("verdadeiro", "falso"),
    ("waar", "onwaar"),
    ("sant", "falskt"),
    ("sand", "falsk"),
    ("sann", "usann"),
    ("tosi", "epätosi"),
    ("prawda", "fałsz"),
    ("pravda", "nepravda"),
    ("igaz", "hamis"),
    ("adevărat", "fals"),
    ("doğru", "yanlış"),
    // Capitals of these two fold to other small letters.
    ("doğru", "yanliş"),
    ("αληθησ", "ψευδησ"),
    ("αληθής", "ψευδής"),
    ("истина", "ложь"),
    ("істина", "хибність"),
];

/// The boolean that a word of a spreadsheet means.
pub fn word(text: &str) -> Option<bool> {
    // No other length is worth a look.
    if !(4..=16).contains(&text.len()) {
        return None;
    }
    let same = |word: &str| {
        word.len() == text.len() && word.eq_ignore_ascii_case(text)
            || !text.is_ascii() && folds_to(text, word)
    };
    WORDS.iter().find_map(|(yes, no)| {
        if same(yes) {
            Some(true)
        } else {
            same(no).then_some(false)
        }
    })
}

fn folds_to(text: &str, word: &str) -> bool {
    text.chars().flat_map(char::to_lowercase).eq(word.chars())
}

/// The boolean that a text means: such a word, or 1, 0, yes or no.
pub fn read(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("yes") => Some(true),
        _ if text.eq_ignore_ascii_case("no") => Some(false),
        _ => word(text),
    }
}
