//! A name as written becomes lower-case words without accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most characters of a name that are read: a longer one is no name.
const MAX_NAME: usize = 200;

/// The start of the name that is read.
pub(super) fn shortened(name: &str) -> &str {
    let end = name.char_indices().nth(MAX_NAME);
    end.map_or(name, |(end, _)| &name[..end])
}

/// The words of a piece of a name: split at punctuation, at changes of case (`createDate`,
/// `HTMLPage`) and between letters and digits.
pub(super) fn words(piece: &str) -> Vec<String> {
    let text: Vec<char> = folded(piece).chars().collect();
    let cased = !is_upper(&text);
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, &letter) in text.iter().enumerate() {
        let starts = at > 0 && is_boundary(text[at - 1], letter, text.get(at + 1), cased);
        if !letter.is_alphanumeric() || starts {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

fn is_boundary(before: char, letter: char, after: Option<&char>, cased: bool) -> bool {
    let humps = cased
        && letter.is_ascii_uppercase()
        && (before.is_ascii_lowercase()
            || before.is_ascii_digit()
            || before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase));
    let digits = before.is_ascii_alphabetic() && letter.is_ascii_digit()
        || before.is_ascii_digit() && letter.is_ascii_alphabetic();
    humps || digits
}

/// Whether it has upper-case letters and no lower-case ones: then case separates no words.
fn is_upper(text: &[char]) -> bool {
    text.iter().any(|it| it.is_uppercase()) && !text.iter().any(|it| it.is_lowercase())
}

/// Without accents, and with `%` and `#` spelt out.
fn folded(piece: &str) -> String {
    let text = piece
        .replace("'s ", " ")
        .replace('%', " percent ")
        .replace('#', " number ");
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|it| !is_combining_mark(*it)) {
        match letter {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'Ø' => folded.push('O'),
            'ł' => folded.push('l'),
            'Ł' => folded.push('L'),
            _ => folded.push(letter),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_split_where_a_reader_sees_words() {
        let cases = [
            ("createDate", "create date"),
            ("HTMLPage", "html page"),
            ("ACCOUNT_ID", "account id"),
            ("address1", "address 1"),
            ("Größe (m²)", "grosse m 2"),
            ("Discount %", "discount percent"),
            ("Order #", "order number"),
            ("Company's name", "company name"),
            ("Beløb", "belob"),
            ("Дата создания", "дата создания"),
            ("取引先", "取引先"),
            ("__-- ", ""),
        ];
        for (name, want) in cases {
            assert_eq!(words(name).join(" "), want, "{name:?}");
        }
    }
}
