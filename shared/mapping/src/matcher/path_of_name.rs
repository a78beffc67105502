//! The parts of a field's name: its last segment, the one before, and how deep it stands.

use super::dictionary::dictionary;
use super::normal_form::concepts;
use super::tokens::words;

/// A name, taken apart.
#[derive(Debug)]
pub(super) struct NameParts {
    /// The words of the last segment, without what vendors put around them.
    pub(super) last: Vec<String>,
    /// The words of the segment before; none at the top.
    pub(super) parent: Vec<String>,
    /// Whether it is within a list.
    pub(super) in_list: bool,
    /// How many segments come before the last.
    pub(super) depth: usize,
}

impl NameParts {
    pub(super) fn of(name: &str) -> NameParts {
        let dictionary = dictionary();
        let plain = without_notes(&name.replace("[]", ""));
        let plain = if plain.is_empty() { name } else { &plain };
        let segments = segments(plain);
        let mut core: Vec<&str> = Vec::new();
        for (at, segment) in segments.iter().enumerate() {
            let noise = dictionary.noise_segments.contains(&segment.to_lowercase());
            core.extend((!noise || at + 1 == segments.len()).then_some(*segment));
        }
        let mut last = last_words(core.last().copied().unwrap_or_default());
        let is_value = last == ["value"] || last == ["text", "value"];
        if is_value && core.len() > 1 && !is_record(core[core.len() - 2]) {
            core.pop();
            last = words(core.last().copied().unwrap_or_default());
        }
        let parent = core.len().checked_sub(2).map(|it| parent_words(core[it]));
        NameParts {
            last: without_ordinals(last),
            parent: parent.unwrap_or_default(),
            in_list: name.contains("[]"),
            depth: segments.len().saturating_sub(1),
        }
    }
}

/// The concepts of every segment that says something.
pub(super) fn concepts_of_path(name: &str) -> Vec<String> {
    let plain = name.replace("[]", "");
    let segments = plain.split(['.', '/']);
    let telling = segments.filter(|it| {
        let noise = &dictionary().noise_segments;
        !noise.contains(&it.to_lowercase())
    });
    telling.flat_map(|it| concepts(&words(it))).collect()
}

/// Whether the segment names the record: in `Deal - Value` the value is what is meant, in
/// `E-mail 1 - Value` the address.
fn is_record(segment: &str) -> bool {
    let mut words = words(segment);
    let only = words.pop().filter(|_| words.is_empty());
    only.is_some_and(|it| dictionary().is_entity_word(&it))
}

/// Where a slash or a dot belongs to the word: `State/Province`, `Est. Revenue`.
const KEPT_TOGETHER: [&str; 6] = ["State", "Zip", "Country", "Nr", "Est", "Kunden"];

fn segments(name: &str) -> Vec<&str> {
    let together = KEPT_TOGETHER.iter().any(|word| {
        let mut ends = name.match_indices(word).map(|it| it.0 + word.len());
        ends.any(|it| name[it..].starts_with(['.', '/']))
    });
    if together {
        return vec![name];
    }
    let parts = name.split(['.', '/']).flat_map(|it| it.split(" - "));
    let segments: Vec<_> = parts.filter(|it| !it.is_empty()).collect();
    if segments.is_empty() {
        return vec![name];
    }
    segments
}

/// Without what stands in brackets and says nothing of the meaning.
fn without_notes(name: &str) -> String {
    const NOTES: [&str; 15] = [
        "utc",
        "gmt",
        "local",
        "do not modify",
        "required",
        "optional",
        "€",
        "$",
        "£",
        "nicht ändern",
        "ne pas modifier",
        "no modificar",
        "non modificare",
        "não modificar",
        "niet wijzigen",
    ];
    let mut plain = name.to_owned();
    let mut from = 0;
    while let Some(start) = plain[from..].find('(').map(|it| it + from) {
        let Some(length) = plain[start..].find(')') else {
            break;
        };
        let note = plain[start + 1..start + length].to_lowercase();
        if NOTES.contains(&note.as_str()) {
            plain.replace_range(start..=start + length, "");
            from = start;
        } else {
            from = start + 1;
        }
    }
    plain.trim().to_owned()
}

fn last_words(segment: &str) -> Vec<String> {
    let dictionary = dictionary();
    let mut words = without_vendor(words(segment));
    while words.len() > 1 {
        let last = &words[words.len() - 1];
        let digits = last.bytes().all(|it| it.is_ascii_digit());
        if digits || !dictionary.suffix_noise.contains(last) {
            break;
        }
        words.pop();
    }
    let numbered = |it: &[String]| it[0] == "v" && it[1].bytes().all(|it| it.is_ascii_digit());
    if words.len() > 2 && numbered(&words[words.len() - 2..]) {
        words.truncate(words.len() - 2);
    }
    words
}

/// The first of several is the one that counts, the second and third are further ones.
fn without_ordinals(mut words: Vec<String>) -> Vec<String> {
    let last_is_one = words.last().is_some_and(|it| it == "1" || it == "01");
    if words.len() > 1 && last_is_one {
        words.pop();
    }
    if words.iter().any(|it| it != "1") {
        words.retain(|it| it != "1");
    }
    if words.len() > 1 {
        for word in words.iter_mut().filter(|it| *it == "2" || *it == "3") {
            *word = "secondary".to_owned();
        }
    }
    words
}

fn parent_words(segment: &str) -> Vec<String> {
    let mut words = words(segment);
    let is_number = |it: &String| it.bytes().all(|it| it.is_ascii_digit());
    if !words.iter().all(is_number) {
        words.retain(|it| !is_number(it));
    }
    without_vendor(words)
}

fn without_vendor(mut words: Vec<String>) -> Vec<String> {
    let prefixes = &dictionary().vendor_prefixes;
    let leading = words.iter().take_while(|it| prefixes.contains(*it)).count();
    words.drain(..leading.min(words.len().saturating_sub(1)));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart_where_its_vendor_put_it_together() {
        let cases = [
            ("properties.hs_createdate", "createdate", "", 1),
            ("Custom_Field__c", "custom", "", 0),
            ("owner.data.email", "email", "owner", 2),
            ("customFields.region.value", "region", "custom fields", 2),
            ("Mailing State/Province", "mailing state province", "", 0),
            ("Deal - Value", "value", "deal", 1),
            ("E-mail 1 - Value", "e mail", "", 1),
            ("Est. Revenue", "est revenue", "", 0),
            ("E-mail - Work", "work", "e mail", 1),
            ("(Do Not Modify) Account", "account", "", 0),
            ("Address 1", "address", "", 0),
            ("Address 2", "address secondary", "", 0),
            ("...", "", "", 0),
            ("(", "", "", 0),
        ];
        for (name, last, parent, depth) in cases {
            let parts = NameParts::of(name);
            let got = (parts.last.join(" "), parts.parent.join(" "), parts.depth);
            assert_eq!(got, (last.to_owned(), parent.to_owned(), depth), "{name}");
        }
    }
}
