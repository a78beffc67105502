//! Words become concepts: glued words are taken apart, abbreviations and foreign words are spelt
//! out, phrases and synonyms are replaced by one word for all of them.

use super::dictionary::{Dictionary, dictionary};

/// What a word of a glued name costs besides its own rarity, so that few parts are preferred.
const COST_OF_A_PART: f64 = 2.5;
/// Words of two letters that may be part of a glued name.
const SHORT_PARTS: [&str; 12] = [
    "at", "by", "on", "id", "is", "no", "ip", "to", "of", "in", "hs", "sf",
];
const LONGEST_PART: usize = 16;
/// The longest word that is taken apart.
const LONGEST_GLUED: usize = 60;

/// The concepts that the words stand for, each once, in their order.
pub(super) fn concepts(words: &[String]) -> Vec<String> {
    let dictionary = dictionary();
    let mut spelt = Vec::new();
    for word in words
        .iter()
        .filter(|it| !dictionary.drop_words.contains(*it))
    {
        for part in parts(dictionary, word) {
            match dictionary.expansion(&part) {
                Some(expansion) => spelt.extend(expansion.iter().cloned()),
                None => spelt.push(part),
            }
        }
    }
    let stems: Vec<_> = replace_phrases(dictionary, spelt, 1)
        .iter()
        .map(|it| stem(dictionary, it))
        .collect();
    let mut concepts: Vec<String> = Vec::new();
    for word in replace_phrases(dictionary, stems, 2) {
        let concept = stem(dictionary, &word);
        if !concepts.contains(&concept) {
            concepts.push(concept);
        }
    }
    concepts
}

/// Replaces phrases of at least that many words, the longest first.
fn replace_phrases(dictionary: &Dictionary, words: Vec<String>, least: usize) -> Vec<String> {
    let mut replaced = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let longest = dictionary.longest_phrase.min(words.len() - at);
        let found = (least..=longest).rev().find_map(|length| {
            let phrase = dictionary.phrase(&words[at..at + length]);
            phrase.map(|it| (length, it))
        });
        match found {
            Some((length, phrase)) => {
                replaced.extend(phrase.iter().cloned());
                at += length;
            }
            None => {
                replaced.push(words[at].clone());
                at += 1;
            }
        }
    }
    replaced
}

/// The parts of a glued word (`numberofemployees`), by the cheapest way to write it as known
/// words; the word itself where it is known or no way is found.
fn parts(dictionary: &Dictionary, word: &str) -> Vec<String> {
    let glued = (6..=LONGEST_GLUED).contains(&word.len());
    if !glued || dictionary.knows(word) || !word.bytes().all(|it| it.is_ascii_lowercase()) {
        return vec![word.to_owned()];
    }
    let found = cheapest(dictionary, word).filter(|it| {
        let short = it.iter().filter(|part| part.len() <= 2).count();
        it.len() <= 5 && short <= 2
    });
    found.unwrap_or_else(|| vec![word.to_owned()])
}

fn cheapest(dictionary: &Dictionary, word: &str) -> Option<Vec<String>> {
    // For each end: the least cost to write the word up to there, and where its last part begins.
    let mut best = vec![(f64::INFINITY, 0); word.len() + 1];
    best[0].0 = 0.0;
    for end in 1..=word.len() {
        for start in end.saturating_sub(LONGEST_PART)..end {
            let part = &word[start..end];
            let allowed = match part.len() {
                1 => part == "e",
                2 => SHORT_PARTS.contains(&part),
                _ => true,
            };
            if !allowed || best[start].0.is_infinite() {
                continue;
            }
            let Some(cost) = dictionary.cost(part) else {
                continue;
            };
            let cost = best[start].0 + (cost + COST_OF_A_PART);
            if cost < best[end].0 {
                best[end] = (cost, start);
            }
        }
    }
    let mut end = word.len();
    let mut parts = Vec::new();
    while end > 0 {
        let (cost, start) = best[end];
        if cost.is_infinite() {
            return None;
        }
        parts.push(word[start..end].to_owned());
        end = start;
    }
    parts.reverse();
    Some(parts)
}

/// The first word of the group of synonyms, of the word or of what is left without its ending.
fn stem(dictionary: &Dictionary, word: &str) -> String {
    const ENDINGS: [(&str, &str); 10] = [
        ("ies", "y"),
        ("sses", "ss"),
        ("es", "e"),
        ("es", ""),
        ("s", ""),
        ("ied", "y"),
        ("ed", "e"),
        ("ed", ""),
        ("ing", "e"),
        ("ing", ""),
    ];
    if let Some(first) = dictionary.synonyms.get(word) {
        return first.clone();
    }
    for (ending, instead) in ENDINGS.into_iter().chain([("ation", "e")]) {
        let Some(root) = word.strip_suffix(ending) else {
            continue;
        };
        if root.chars().count() < 3 {
            continue;
        }
        let base = format!("{root}{instead}");
        if let Some(first) = dictionary.synonyms.get(&base) {
            return first.clone();
        }
        let plural = matches!(ending, "s" | "es" | "ies");
        if plural && dictionary.is_common(&base) {
            return base;
        }
    }
    let plural = word.ends_with('s') && !word.ends_with("ss") && word.chars().count() > 4;
    let length = word.len() - usize::from(plural);
    word[..length].to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tokens;
    use super::*;

    #[test]
    fn names_of_one_meaning_have_one_normal_form() {
        let groups: [&[&str]; 7] = [
            &[
                "createdate",
                "Create Date",
                "creation_date",
                "Date Created",
                "Erstellt am",
            ],
            &[
                "lastmodifieddate",
                "Last Modified Date",
                "updated date",
                "modification_date",
            ],
            &["numberofemployees", "Number of Employees", "employee_count"],
            &["e-mail", "Email", "E-Mail-Adresse", "mail"],
            &["zip", "Zip Code", "postal code", "PLZ"],
            &["Vorname", "first name", "given name", "prénom"],
            &["Betrag", "amount"],
        ];
        let form = |name: &str| {
            let mut concepts = concepts(&tokens::words(name));
            concepts.sort();
            concepts.join(" ")
        };
        for group in groups {
            for name in group {
                assert_eq!(form(name), form(group[0]), "{name}");
            }
        }
    }

    #[test]
    fn what_no_list_knows_stays_as_it_is() {
        let form = |name: &str| concepts(&tokens::words(name)).join(" ");
        assert_eq!(form("zzyzzxplorq"), "zzyzzxplorq");
        assert_eq!(form("клиент"), "клиент");
        assert_eq!(form("the of"), "");
    }
}
