//! The words of columns: for no value, for yes and no, and those of a name that hint at dates.

use std::collections::BTreeMap;

use crate::boolean;

/// Words that are told apart in a column.
const MAX_WORDS: usize = 64;
/// The longest of them in bytes.
const MAX_WORD: usize = 40;

/// What stands for no value wherever it stands.
const NULLS: [&str; 26] = [
    "N/A", "n/a", "N/a", "#N/A", "#n/a", "#NV", "#NA", "NA/NA", "NULL", "(null)", "<NULL>",
    "<null>", "\\N", "-", "--", "---", "–", "—", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NULL!",
    "k.A.", "k. A.", "(blank)",
];

/// What stands for no value among numbers, dates and booleans; in a text it may be a name.
const NULLS_OF_TYPED: [&str; 22] = [
    "null",
    "Null",
    "None",
    "none",
    "NONE",
    "nil",
    "NaN",
    "nan",
    "NA",
    "na",
    "unknown",
    "Unknown",
    "undefined",
    "n.a.",
    "N.A.",
    "tbd",
    "TBD",
    "?",
    ".",
    "x.x.",
    "keine",
    "s.d.",
];

pub(super) fn is_null(word: &str) -> bool {
    word.len() <= 8 && NULLS.contains(&word)
}

pub(super) fn is_null_of_typed(word: &str) -> bool {
    is_null(word) || NULLS_OF_TYPED.contains(&word) || is_zero_date(word)
}

/// `0000-00-00`, `00/00/0000`, each with or without a time of zeros: no day has such a number.
pub(super) fn is_zero_date(text: &str) -> bool {
    let Some((date, time)) = text.split_at_checked(10) else {
        return false;
    };
    let parts: Vec<_> = date.split(['-', '/', '.']).collect();
    let is_date = matches!(parts[..], ["0000", "00", "00"] | ["00", "00", "0000"]);
    is_date && time.bytes().all(|it| b"0:. TZ+-".contains(&it))
}

/// Pairs for yes and no, in small letters, besides those of spreadsheets.
const BOOLEANS: [(&str, &str); 14] = [
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("on", "off"),
    ("ja", "nein"),
    ("j", "n"),
    ("ja", "nee"),
    ("oui", "non"),
    ("o", "n"),
    ("sí", "no"),
    ("si", "no"),
    ("sì", "no"),
    ("sim", "não"),
    ("s", "n"),
];

/// What marks a cell for yes where the others are blank.
pub(super) const MARKS: [&str; 4] = ["x", "✓", "✔", "☑"];

/// What a word means among yes and no.
pub(super) fn truth(word: &str) -> Option<bool> {
    let folded = word.to_lowercase();
    if let Some(truth) = boolean::word(word) {
        return Some(truth);
    }
    BOOLEANS.iter().find_map(|(yes, no)| {
        if *yes == folded {
            Some(true)
        } else {
            (*no == folded).then_some(false)
        }
    })
}

/// The words of a column, each with its count, until they are too many.
#[derive(Debug, Default)]
pub(super) struct WordCounts {
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) is_full: bool,
}

impl WordCounts {
    pub(super) fn add(&mut self, word: &str) {
        if let Some(count) = self.counts.get_mut(word) {
            *count += 1;
        } else if word.len() > MAX_WORD || self.counts.len() >= MAX_WORDS {
            self.is_full = true;
        } else {
            self.counts.insert(word.to_owned(), 1);
        }
    }
}

/// Parts of names of columns with dates, in the seven languages.
const DATES: [&str; 45] = [
    "date",
    "datum",
    "fecha",
    "data",
    "time",
    "zeit",
    "hora",
    "heure",
    "ora",
    "tijd",
    "timestamp",
    "ts",
    "at",
    "on",
    "created",
    "updated",
    "modified",
    "closed",
    "changed",
    "erstellt",
    "geändert",
    "angelegt",
    "geschlossen",
    "abschluss",
    "creado",
    "creación",
    "modificado",
    "créé",
    "création",
    "modifié",
    "cierre",
    "clôture",
    "creato",
    "creazione",
    "modifica",
    "chiusura",
    "aangemaakt",
    "gewijzigd",
    "criado",
    "criação",
    "modificação",
    "start",
    "end",
    "birthday",
    "epoch",
];

const PHONES: [&str; 12] = [
    "phone",
    "telephone",
    "tel",
    "mobile",
    "fax",
    "telefon",
    "mobil",
    "handy",
    "téléphone",
    "teléfono",
    "telefono",
    "telefone",
];

const COUNTRIES: [&str; 9] = [
    "country", "land", "pays", "país", "pais", "paese", "nation", "länder", "staat",
];

pub(super) fn hints_at_date(name: &str) -> bool {
    has_part(name, &DATES)
}

pub(super) fn hints_at_phone(name: &str) -> bool {
    has_part(name, &PHONES)
}

pub(super) fn hints_at_country(name: &str) -> bool {
    has_part(name, &COUNTRIES)
}

/// Whether a name has one of the parts, or ends with a long one (`Abschlussdatum`, `createdate`).
fn has_part(name: &str, parts: &[&str]) -> bool {
    let words = words_of(name);
    words.iter().any(|word| {
        parts
            .iter()
            .any(|it| word == it || it.len() >= 4 && word.ends_with(it))
    })
}

/// `createdAt`, `created_at` and `Created At` are the words created and at.
fn words_of(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut was_small = false;
    for it in name.chars().take(100) {
        let begins = it.is_uppercase() && was_small;
        if (begins || !it.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if it.is_alphanumeric() {
            word.extend(it.to_lowercase());
        }
        was_small = it.is_lowercase();
    }
    words.push(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_hints_by_its_parts() {
        for name in [
            "createdAt",
            "close_date",
            "Abschlussdatum",
            "Erstellt am",
            "createdate",
            "Fecha de cierre",
        ] {
            assert!(hints_at_date(name), "{name}");
        }
        for name in ["status", "amount", "category", "zip", ""] {
            assert!(!hints_at_date(name), "{name}");
        }
        assert!(hints_at_phone("Mobile Phone Number"));
        assert!(hints_at_country("Land") && !hints_at_country("Landscape_"));
    }
}
