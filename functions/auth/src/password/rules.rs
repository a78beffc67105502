//! Which passwords are taken: long ones that nobody guesses first (NIST SP 800-63B, 3.1.1.2).
//!
//! There is no rule about kinds of characters: length is what makes a guess expensive.

use schema::{Error, Result};

const SHORTEST: usize = 12;
// In bytes: room for any sentence, not for a document to be hashed.
const MAX_PASSWORD: usize = 1024;

/// Words that open lists of leaked passwords, bare: digits around them make them no better.
const COMMON: &str = include_str!("common.txt");

const KEYBOARD: [&str; 6] = [
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "qazwsxedcrfvtgbyhnujmikolp",
];

/// Refuses a password that is short, common, a pattern, or made of what everybody knows: the
/// account's own words, such as the mailbox and the organisation's name.
pub(crate) fn check(password: &str, own_words: &[&str]) -> Result<()> {
    match complaint(password, own_words) {
        Some(detail) => Err(Error::invalid("/password", detail)),
        None => Ok(()),
    }
}

fn complaint(password: &str, own_words: &[&str]) -> Option<&'static str> {
    if password.contains('\0') {
        return Some("must not contain a NUL character");
    }
    if password.chars().count() < SHORTEST {
        return Some("must have at least 12 characters");
    }
    if password.len() > MAX_PASSWORD {
        return Some("must have at most 1024 bytes");
    }
    let lower = password.to_lowercase();
    if is_common(&lower) {
        return Some("is one of the most common passwords: choose another");
    }
    if repeats(&lower) || counts(&lower) || follows_keyboard(&lower) {
        return Some("is a common pattern: choose another");
    }
    let squeeze = |it: &str| it.to_lowercase().replace(char::is_whitespace, "");
    let squeezed = squeeze(password);
    let known = own_words
        .iter()
        .map(|it| squeeze(it))
        .any(|it| it.chars().count() >= 4 && squeezed.contains(&it));
    known.then_some("contains your e-mail address or organisation: choose another")
}

/// Whether nothing but a common word is left without digits and signs around it, as typed or
/// with the letters put back that people replace.
fn is_common(lower: &str) -> bool {
    let is_edge = |it: char| !it.is_alphabetic();
    let typed = lower.trim_matches(is_edge);
    let spelt: String = lower
        .trim_end_matches(is_edge)
        .chars()
        .map(unleet)
        .collect();
    [typed, spelt.trim_matches(is_edge)].iter().any(|word| {
        let word: String = word.chars().filter(|it| it.is_alphanumeric()).collect();
        COMMON.lines().any(|it| it == word)
    })
}

fn unleet(it: char) -> char {
    match it {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// Whether it is one part over and over, or made of four characters or fewer.
fn repeats(text: &str) -> bool {
    let chars: Vec<_> = text.chars().collect();
    let mut distinct = chars.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let period = (1..=chars.len() / 2).any(|it| {
        chars
            .iter()
            .zip(&chars[it..])
            .all(|(one, next)| one == next)
    });
    distinct.len() <= 4 || period
}

/// Whether three of four characters are neighbours of the ones before: `abcdef123456`.
fn counts(text: &str) -> bool {
    let codes: Vec<_> = text.chars().map(u32::from).collect();
    let steps = codes
        .windows(2)
        .filter(|it| it[0].abs_diff(it[1]) <= 1)
        .count();
    steps * 4 >= (codes.len() - 1) * 3
}

/// Whether two thirds of it run along the keyboard in one go.
fn follows_keyboard(text: &str) -> bool {
    let chars: Vec<_> = text.chars().collect();
    let run = (chars.len() * 2).div_ceil(3);
    chars.windows(run).any(|window| {
        let forward: String = window.iter().collect();
        let backward: String = window.iter().rev().collect();
        KEYBOARD
            .iter()
            .any(|row| row.contains(&forward) || row.contains(&backward))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_all(passwords: &[&str], expected: &str) {
        for password in passwords {
            let found = complaint(password, &["ada.lovelace", "Analytical Engines", "al"]);
            assert!(
                found.unwrap_or("taken").contains(expected),
                "{password:?}: {found:?}"
            );
        }
    }

    #[test]
    fn a_long_password_that_nobody_guesses_is_taken() {
        let longest = "nine tall ships, ".repeat(59) + "and a dog";
        check_all(
            &[
                "nine tall ships",
                "xK9#mQ2$vL5p",
                "tr0mbone-in-july",
                "seventeen salal berries",
                "корабли и облака",
                "password manager made this one",
                &longest,
            ],
            "taken",
        );
    }

    #[test]
    fn length_is_bounded() {
        let long = "é".repeat(513);
        check_all(&["", "123", "elevenchars", "ééééééééééé"], "at least 12");
        check_all(&[&long], "at most 1024 bytes");
        check_all(&["nine tall\0 ships"], "NUL");
    }

    #[test]
    fn common_passwords_are_refused() {
        check_all(
            &[
                "password1234",
                "Password123!",
                "P@ssw0rd2026!",
                "12345password",
                "correcthorsebatterystaple",
                "correct horse battery staple",
                "iloveyou2024!!",
                "administrator",
                "Welcome12345",
                "changeme!!!!",
                "ThisIsMyPassword1",
                "1234password5678",
            ],
            "most common",
        );
    }

    #[test]
    fn patterns_are_refused() {
        check_all(
            &[
                "zzzzzzzzzzzz",
                "abababababab",
                "tangotangotango",
                "1212211211221",
                "zyxwvutsrqpo",
                "123456789012",
                "abcdef123456",
                "wertyuiopasd1",
                "1qaz2wsx3edc4rfv",
                "poiuytrewq99",
            ],
            "pattern",
        );
    }

    #[test]
    fn what_everybody_knows_is_refused() {
        check_all(
            &[
                "my ADA.lovelace x9",
                "analyticalengines!7x",
                "Analytical Engines rule",
            ],
            "contains your",
        );
        check_all(&["salal berries in jars"], "taken");
    }
}
