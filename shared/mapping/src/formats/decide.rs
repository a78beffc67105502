//! What a column is, from what was seen of it.

use std::collections::BTreeSet;

use schema::{
    format::{ColumnFormat, Evidence, FormatKind, FormatQuestion, Misfits, QuestionKind},
    mapping::{Otherwise, TakeItem, Transform},
};

use super::{
    ColumnProfile, answers, classes::Class, decide_dates, decide_numbers, shape::Shape, shortened,
    vocabulary,
};
use crate::{calling_codes, countries};

/// One of this many values may be something else.
const MISFITS_ALLOWED: u64 = 5;

/// What speaks for a kind of values.
#[derive(Debug, Default)]
pub(super) struct Finding {
    pub(super) kind: Option<FormatKind>,
    /// How many values have it.
    pub(super) count: u64,
    pub(super) transforms: Vec<Transform>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) questions: Vec<FormatQuestion>,
    pub(super) zone: Option<schema::format::ZonePolicy>,
    /// The values of which examples are read with `transforms`, to see whether they are as found.
    pub(super) examples: Vec<String>,
}

pub(super) fn is_date(format: &ColumnFormat) -> bool {
    matches!(format.kind, FormatKind::Date | FormatKind::Timestamp)
}

/// The format of a column; `has_dates` says that the table has dates elsewhere.
pub(super) fn column(profile: &ColumnProfile, has_dates: bool) -> ColumnFormat {
    let typed = best(profile, has_dates);
    let is_typed = typed.kind.is_some();
    let is_null = |word: &str| match is_typed {
        true => vocabulary::is_null_of_typed(word),
        false => vocabulary::is_null(word),
    };
    let null_words: Vec<_> = profile
        .words
        .counts
        .iter()
        .filter(|it| is_null(it.0))
        .collect();
    let nulls: u64 = null_words.iter().map(|it| it.1).sum();
    let real = profile.values - nulls;
    let mut finding = match is_typed {
        true => typed,
        false => text(profile, real),
    };
    if !null_words.is_empty() {
        let words: Vec<String> = null_words.iter().map(|it| it.0.clone()).collect();
        let clean = Transform::Nulls {
            words: words.clone(),
        };
        let choices = finding.questions.iter_mut().flat_map(|it| &mut it.choices);
        choices.for_each(|it| it.transforms.insert(0, clean.clone()));
        finding.transforms.insert(0, clean);
        finding.evidence.push(Evidence {
            form: "words for no value".to_owned(),
            count: nulls,
            examples: words.into_iter().take(3).collect(),
        });
    }
    finding
        .evidence
        .sort_by_key(|it| std::cmp::Reverse(it.count));
    ColumnFormat {
        name: profile.name.clone(),
        kind: finding.kind.unwrap_or(match real {
            0 => FormatKind::Empty,
            _ => FormatKind::Text,
        }),
        misfits: misfits(profile, &finding, real, is_null),
        transforms: finding.transforms,
        zone: finding.zone,
        values: profile.values,
        empty: profile.empty,
        nulls,
        evidence: finding.evidence,
        questions: finding.questions,
    }
}

/// The kind that most values have, if nearly all of them do.
fn best(profile: &ColumnProfile, has_dates: bool) -> Finding {
    let null_words = profile.words.counts.iter();
    let nulls: u64 = null_words
        .filter(|it| vocabulary::is_null_of_typed(it.0))
        .map(|it| it.1)
        .sum();
    let real = profile.values - nulls;
    let findings = [
        decide_dates::find(profile, has_dates),
        booleans(profile),
        decide_numbers::find(profile),
        of_class(profile, Class::Email, FormatKind::Email),
        phones(profile),
        of_class(profile, Class::Url, FormatKind::Url),
        of_class(profile, Class::Uuid, FormatKind::Uuid),
        lists(profile),
        countries(profile),
    ];
    let is_enough = |it: &Finding| {
        it.kind.is_some()
            && it.count > 0
            && it.count >= real - real.div_ceil(MISFITS_ALLOWED).min(real / 2)
    };
    let mut best = Finding::default();
    for finding in findings.into_iter().filter(is_enough) {
        if finding.count > best.count {
            best = finding;
        }
    }
    best
}

fn text(profile: &ColumnProfile, real: u64) -> Finding {
    let examples = profile.shapes.shapes.iter().flat_map(|it| &it.examples);
    let examples = examples
        .chain(&profile.class_examples)
        .chain(&profile.other_examples);
    let evidence = (real > 0).then(|| Evidence {
        form: "texts".to_owned(),
        count: real,
        examples: examples
            .filter(|it| !vocabulary::is_null(it))
            .take(3)
            .map(|it| shortened(it))
            .collect(),
    });
    Finding {
        count: real,
        evidence: evidence.into_iter().collect(),
        ..Finding::default()
    }
}

fn of_class(profile: &ColumnProfile, class: Class, kind: FormatKind) -> Finding {
    let count = profile.count(class);
    let otherwise = Otherwise::Keep;
    let transforms = match class {
        Class::Email => vec![Transform::Email { otherwise }],
        Class::Phone => vec![Transform::Phone {
            region: None,
            otherwise,
        }],
        Class::Url | Class::Uuid => Vec::new(),
    };
    let form = match class {
        Class::Email => "e-mail addresses",
        Class::Phone => "telephone numbers with a country code",
        Class::Url => "web addresses",
        Class::Uuid => "UUIDs",
    };
    Finding {
        kind: (count > 0).then_some(kind),
        count,
        transforms,
        evidence: vec![Evidence {
            form: form.to_owned(),
            count,
            examples: profile.class_examples.clone(),
        }],
        ..Finding::default()
    }
}

/// Telephone numbers, of which some may have no country code: whose they are is asked.
fn phones(profile: &ColumnProfile) -> Finding {
    let mut finding = of_class(profile, Class::Phone, FormatKind::Phone);
    let national = profile.shapes.shapes.iter().filter(|it| is_national(it));
    let national: Vec<_> = national.collect();
    let count: u64 = national.iter().map(|it| it.count).sum();
    let are_phones = vocabulary::hints_at_phone(&profile.name) || count <= finding.count;
    if finding.kind.is_none() || count == 0 || !are_phones {
        return finding;
    }
    let examples: Vec<_> = national
        .iter()
        .flat_map(|it| &it.examples)
        .cloned()
        .collect();
    finding.count += count;
    finding.evidence.push(Evidence {
        form: "telephone numbers without a country code".to_owned(),
        count,
        examples: examples.iter().take(3).map(|it| shortened(it)).collect(),
    });
    let regions = profile.class_examples.iter();
    let regions: BTreeSet<_> = regions
        .filter_map(|it| calling_codes::region_of(it))
        .collect();
    let read = |region: Option<&str>| {
        vec![Transform::Phone {
            region: region.map(str::to_owned),
            otherwise: Otherwise::Keep,
        }]
    };
    let mut choices = vec![("they stay as they are".to_owned(), read(None))];
    choices.extend(
        regions
            .iter()
            .map(|it| (format!("they are of {it}"), read(Some(it)))),
    );
    if choices.len() > 1 {
        let values = examples.iter().chain(&profile.class_examples);
        let values: Vec<_> = values.map(String::as_str).collect();
        finding.questions.push(FormatQuestion {
            kind: QuestionKind::NationalNumbers,
            question: "The column has telephone numbers with and without a country code. Of which \
                       country are those without? Others can be named in the mapping, as `region`."
                .to_owned(),
            choices: answers::choices(choices, &values),
        });
    }
    finding
}

/// Whether the values may be telephone numbers without a country code.
fn is_national(shape: &Shape) -> bool {
    let digits: u32 = shape.runs.iter().map(|it| u32::from(it.longest)).sum();
    (6..=15).contains(&digits) && shape.text().chars().all(|it| "9 -/.()".contains(it))
}

fn booleans(profile: &ColumnProfile) -> Finding {
    let (mut yes, mut no): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut count = 0;
    let mut marks = 0;
    for (word, times) in &profile.words.counts {
        if vocabulary::MARKS.contains(&word.to_lowercase().as_str()) {
            marks += times;
            yes.push(word.to_lowercase());
        } else if let Some(truth) = vocabulary::truth(word) {
            let words = if truth { &mut yes } else { &mut no };
            words.push(word.to_lowercase());
            count += times;
        }
    }
    let digits = profile.shapes.shapes.iter().find(|it| it.text() == "9");
    if let Some(shape) = digits.filter(|it| is_bit(it)) {
        count += shape.count;
        yes.push("1".to_owned());
        no.push("0".to_owned());
    }
    let is_marked = marks > 0 && count == 0 && profile.empty > 0;
    if !is_marked && marks > 0 {
        return Finding::default();
    }
    yes.sort();
    yes.dedup();
    no.sort();
    no.dedup();
    // A word that is alone has the other one of its pair beside it, should it come.
    let form = format!(
        "yes as {}, no as {}",
        listed(&yes),
        if is_marked {
            "blank".to_owned()
        } else {
            listed(&no)
        }
    );
    if !is_marked && (yes.is_empty() || no.is_empty()) {
        return Finding::default();
    }
    let count = count + marks;
    Finding {
        kind: Some(FormatKind::Boolean),
        count,
        evidence: vec![Evidence {
            form,
            count,
            examples: yes.iter().chain(&no).take(3).cloned().collect(),
        }],
        transforms: vec![Transform::Boolean {
            yes,
            no,
            blank: is_marked.then_some(false),
        }],
        ..Finding::default()
    }
}

/// Whether the numbers are 0 and 1, and both.
fn is_bit(shape: &Shape) -> bool {
    let run = shape.runs[0];
    (run.least, run.most) == (0, 1) && run.has_len(1)
}

fn listed(words: &[String]) -> String {
    words.join(", ")
}

fn lists(profile: &ColumnProfile) -> Finding {
    let [semicolons, bars] = profile.lists;
    let (count, separator) = if bars > semicolons {
        (bars, '|')
    } else {
        (semicolons, ';')
    };
    // A list of one has no separator, so that a third of the values with one is enough.
    let is_list = count > 0 && count * 3 >= profile.values;
    let has = |it: &&String| it.contains(separator);
    let examples = profile.shapes.shapes.iter().flat_map(|it| &it.examples);
    Finding {
        kind: is_list.then_some(FormatKind::List),
        count: profile.values,
        transforms: vec![Transform::Array {
            take: TakeItem::All,
            separator: Some(separator.to_string()),
            member: None,
            prefer: None,
        }],
        evidence: vec![Evidence {
            form: format!("lists with {separator:?} between the items"),
            count,
            examples: examples
                .filter(has)
                .take(3)
                .map(|it| shortened(it))
                .collect(),
        }],
        ..Finding::default()
    }
}

fn countries(profile: &ColumnProfile) -> Finding {
    let is_hinted = vocabulary::hints_at_country(&profile.name);
    let found =
        profile.words.counts.iter().filter(|(word, _)| {
            countries::find(word).is_some() && !vocabulary::is_null_of_typed(word)
        });
    let found: Vec<_> = found.collect();
    let count = found.iter().map(|it| it.1).sum();
    // Two letters may be a state, a language or a grade.
    let names = found.iter().filter(|it| it.0.len() > 3).count();
    let is_country = is_hinted && !found.is_empty() || names >= 2;
    Finding {
        kind: is_country.then_some(FormatKind::Country),
        count,
        transforms: vec![Transform::Country {
            otherwise: Otherwise::Keep,
        }],
        evidence: vec![Evidence {
            form: "countries".to_owned(),
            count,
            examples: found.iter().take(3).map(|it| it.0.clone()).collect(),
        }],
        ..Finding::default()
    }
}

fn misfits(
    profile: &ColumnProfile,
    finding: &Finding,
    real: u64,
    is_null: impl Fn(&str) -> bool,
) -> Misfits {
    if finding.kind.is_none() || real == 0 {
        return Misfits::default();
    }
    let is_date = matches!(finding.kind, Some(FormatKind::Date | FormatKind::Timestamp));
    let steps = match is_date && finding.transforms.is_empty() {
        true => decide_dates::iso(),
        false => finding.transforms.clone(),
    };
    let fits = |it: &String| {
        let becomes = answers::becomes(&steps, it);
        becomes.is_some_and(|it| !it.is_empty() || steps.is_empty())
    };
    let is_checked = finding
        .transforms
        .iter()
        .all(|it| !matches!(it, Transform::Array { .. }));
    let wrong = finding
        .examples
        .iter()
        .filter(|it| is_checked && finding.questions.is_empty() && !fits(it));
    let wrong: Vec<_> = wrong.cloned().collect();
    let other = real.saturating_sub(finding.count);
    let seen = profile.shapes.shapes.iter().flat_map(|it| &it.examples);
    let seen = seen
        .chain(&profile.other_examples)
        .chain(&profile.class_examples);
    let is_other = |it: &&String| !finding.examples.contains(it) && !is_null(it);
    let examples = seen.filter(|it| other > 0 && is_other(it) && !is_as_found(finding, it));
    let count = other + wrong.len() as u64;
    Misfits {
        count,
        share: count as f64 / real as f64,
        examples: wrong
            .iter()
            .chain(examples)
            .take(3)
            .map(|it| shortened(it))
            .collect(),
    }
}

/// Whether the evidence shows the value already.
fn is_as_found(finding: &Finding, value: &str) -> bool {
    let fits = answers::becomes(&finding.transforms, value);
    let is_kept = matches!(
        finding.kind,
        Some(FormatKind::Url | FormatKind::Uuid | FormatKind::List)
    );
    let shown = finding
        .evidence
        .iter()
        .any(|it| it.examples.iter().any(|it| it == value));
    shown
        || !is_kept
            && !finding.transforms.is_empty()
            && fits.is_some_and(|it| !it.is_empty() && it != value)
}
