//! Which passwords are taken: long ones that nobody guesses first (NIST SP 800-63B, 3.1.1.2).
//!
//! There is no rule about kinds of characters: length is what makes a guess expensive.

const SHORTEST: usize = 12;
// In bytes: room for any sentence, not for a document to be hashed.
const MAX_PASSWORD: usize = 1024;

/// Words that open lists of leaked passwords, bare: digits around them make them no better.
const COMMON: &str = include_str!("common.txt");

/// Of each keyboard its name, the digits' row without and with shift, and the three rows of letters.
/// A row is right of the one above it by less than a key.
const KEYBOARDS: &str = include_str!("keyboards.txt");

/// What is wrong with a password that is short, common, a pattern, or made of what everybody knows:
/// the account's own words, such as the mailbox and the organisation's name.
pub(super) fn complaint(password: &str, own_words: &[&str]) -> Option<&'static str> {
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
    if known {
        return Some("contains your e-mail address or organisation: choose another");
    }
    // Fewer than 10^10 guesses: it knows lists of leaked passwords, of names and of words, and dates.
    let guessable = zxcvbn::zxcvbn(password, own_words).score() < zxcvbn::Score::Four;
    guessable.then_some("is easy to guess: choose another, such as four words that are unrelated")
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

/// Whether two of three characters are on keys beside the ones before, on one keyboard.
fn follows_keyboard(text: &str) -> bool {
    let chars: Vec<_> = text.chars().collect();
    KEYBOARDS.split("\n\n").any(|keyboard| {
        let places: Vec<_> = chars.iter().map(|it| place(keyboard, *it)).collect();
        let steps = places.windows(2).filter(|it| are_beside(it[0], it[1]));
        steps.count() * 3 >= (chars.len() - 1) * 2
    })
}

/// A key's row and column.
fn place(keyboard: &str, key: char) -> Option<(usize, usize)> {
    let rows = keyboard.lines().skip(1).enumerate();
    rows.filter_map(|(line, keys)| Some((line.max(1), keys.chars().position(|it| it == key)?)))
        .next()
}

fn are_beside(one: Option<(usize, usize)>, other: Option<(usize, usize)>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return false;
    };
    let ((upper, left), (lower, right)) = (one.min(other), one.max(other));
    match lower - upper {
        0 => right - left <= 1,
        1 => right == left || right + 1 == left,
        _ => false,
    }
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
                "!QAZ2wsx#EDC",
                "qwertzuiop12",
                "yxcvbnm,.-12",
                "azertyuiopqs",
                "йцукенгшщзхъ",
                "ЯЧСМИТЬбю.12",
                "aoeuidhtns12",
                "qwfpgjluy;12",
                "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ12",
            ],
            "pattern",
        );
    }

    #[test]
    fn what_lists_and_dates_lead_to_is_refused() {
        check_all(
            &[
                "elizabeth1985",
                "jennifer19871987",
                "Jessica20191",
                "newcastle1977!",
                "P4trick2024!!",
                "mynameisjohnsmith",
                "ilovemywife1",
            ],
            "easy to guess",
        );
    }

    #[test]
    fn every_keyboard_has_its_five_rows() {
        for keyboard in KEYBOARDS.split("\n\n") {
            let rows: Vec<_> = keyboard.lines().skip(1).collect();
            assert_eq!(rows.len(), 5, "{keyboard}");
            for row in rows {
                let mut keys: Vec<_> = row.chars().collect();
                keys.sort_unstable();
                keys.dedup();
                assert!(keys.len() >= 8, "{row}");
            }
        }
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
