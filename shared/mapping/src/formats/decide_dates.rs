//! Whether a column has dates, and in which format.

use std::collections::BTreeMap;

use schema::{
    format::{Evidence, FormatKind, FormatQuestion, QuestionKind, ZonePolicy},
    mapping::Transform,
};

use super::{
    ColumnProfile, answers,
    dates::{self, DateForm, First},
    decide::Finding,
    shape::Shape,
    shortened, vocabulary,
};

/// Years of two digits below it are of this century.
const PIVOT: u8 = 70;

/// Dates that are written in one way but for their time, from all shapes of them.
struct Family<'p> {
    shapes: Vec<(&'p Shape, DateForm)>,
    /// The orders that fit all of them.
    orders: Vec<First>,
    /// Those that fit some.
    any: Vec<First>,
}

impl Family<'_> {
    fn count(&self) -> u64 {
        self.shapes.iter().map(|it| it.0.count).sum()
    }

    fn formats(&self, order: First) -> Vec<String> {
        let mut formats: Vec<String> = Vec::new();
        for (_, form) in &self.shapes {
            let format = form.format(order);
            if !formats.contains(&format) {
                formats.push(format);
            }
        }
        formats
    }

    /// The orders to choose from: those that fit, or those that some values have.
    fn choices(&self) -> &[First] {
        if self.orders.is_empty() {
            &self.any
        } else {
            &self.orders
        }
    }

    fn evidence(&self) -> Evidence {
        let formats = self
            .choices()
            .iter()
            .map(|it| self.formats(*it).join(" and "));
        Evidence {
            form: format!("dates as {}", formats.collect::<Vec<_>>().join(" or as ")),
            count: self.count(),
            examples: examples(self.shapes.iter().map(|it| it.0)),
        }
    }
}

fn examples<'p>(shapes: impl Iterator<Item = &'p Shape>) -> Vec<String> {
    let examples = shapes.flat_map(|it| &it.examples);
    examples.take(3).map(|it| shortened(it)).collect()
}

/// Dates, if there are any.
pub(super) fn find(profile: &ColumnProfile, has_dates: bool) -> Finding {
    let is_hinted = vocabulary::hints_at_date(&profile.name);
    let families = families(profile, is_hinted || has_dates);
    let counts = serials(profile, is_hinted, has_dates);
    if families.is_empty() && counts.is_none() {
        return Finding::default();
    }
    let mut finding = Finding::default();
    let mut all = Vec::new();
    for family in &families {
        finding.count += family.count();
        finding.evidence.push(family.evidence());
        all.extend(family.shapes.iter().map(|it| &it.1));
        let shapes = family.shapes.iter().flat_map(|it| &it.0.examples);
        finding.examples.extend(shapes.cloned());
    }
    let has_time = all.iter().any(|it| it.has_time);
    finding.kind = Some(if has_time {
        FormatKind::Timestamp
    } else {
        FormatKind::Date
    });
    finding.zone = zone(&all);
    let mut formats: Vec<Vec<String>> = families
        .iter()
        .map(|it| it.formats(it.choices().first().copied().unwrap_or(First::Day)))
        .collect();
    if let Some((format, shapes)) = counts {
        let count = shapes.iter().map(|it| it.count).sum();
        finding.count += count;
        finding.evidence.push(Evidence {
            form: format!("dates as {format}"),
            count,
            examples: examples(shapes.iter().copied()),
        });
        finding
            .examples
            .extend(shapes.iter().flat_map(|it| it.examples.clone()));
        formats.push(vec![format.to_owned()]);
        if format != "EXCEL_1900" || shapes.iter().any(|it| it.text() != "9") {
            finding.kind = Some(FormatKind::Timestamp);
        }
    }
    let is_short = all.iter().any(|it| it.has_short_year());
    finding.transforms = date(formats.concat(), is_short);
    finding.questions = questions(&families, &formats, is_short, &finding.examples);
    if let Some(first) = finding.questions.first().and_then(|it| it.choices.first()) {
        finding.transforms.clone_from(&first.transforms);
    }
    finding
}

/// The transforms that declare formats; none where the values are read as they are.
fn date(formats: Vec<String>, is_short: bool) -> Vec<Transform> {
    if formats.iter().all(|it| it == "ISO") {
        return Vec::new();
    }
    let mut once: Vec<String> = Vec::new();
    for format in formats {
        if !once.contains(&format) {
            once.push(format);
        }
    }
    vec![Transform::Date {
        formats: once,
        zone: None,
        pivot: is_short.then_some(PIVOT),
    }]
}

fn families(profile: &ColumnProfile, is_hinted: bool) -> Vec<Family<'_>> {
    let mut families = BTreeMap::<String, Family<'_>>::new();
    for shape in &profile.shapes.shapes {
        let Some(form) = dates::form(shape) else {
            continue;
        };
        if form.family == "compact" && !is_hinted {
            continue;
        }
        let family = families
            .entry(form.family.clone())
            .or_insert_with(|| Family {
                shapes: Vec::new(),
                orders: form.orders.clone(),
                any: Vec::new(),
            });
        family.orders.retain(|it| form.orders.contains(it));
        family.any.extend(&form.orders);
        if form.orders.is_empty() {
            family.any.extend([First::Day, First::Month]);
        }
        family.shapes.push((shape, form));
    }
    let mut families: Vec<_> = families.into_values().collect();
    for family in &mut families {
        family.any.sort();
        family.any.dedup();
    }
    families.sort_by_key(|it| std::cmp::Reverse(it.count()));
    families
}

/// Counts of days or of time since a beginning, if there is more to say so than their size.
fn serials(
    profile: &ColumnProfile,
    is_hinted: bool,
    has_dates: bool,
) -> Option<(&'static str, Vec<&Shape>)> {
    let shapes = || profile.shapes.shapes.iter();
    let plain: Vec<_> = shapes()
        .filter(|it| ["9", "9.9"].contains(&it.text()) && !it.runs[0].leading_zero)
        .collect();
    let are_within = |least, most| plain.iter().all(|it| it.runs[0].is_within(least, most));
    if plain.is_empty() {
        return None;
    }
    let is_other_date = shapes().any(|it| dates::form(it).is_some_and(|it| it.family != "compact"));
    let has_time = plain.iter().any(|it| it.text() == "9.9");
    let says_so = is_hinted || is_other_date || has_dates && has_time;
    // Days of 1954 to 2100, then times of 1990 to 2100.
    let format = if says_so && are_within(20_000, 73_415) {
        "EXCEL_1900"
    } else if is_hinted && are_within(631_152_000, 4_102_444_800) {
        "UNIX_SECONDS"
    } else if is_hinted && are_within(631_152_000_000, 4_102_444_800_000) {
        "UNIX_MILLIS"
    } else {
        return None;
    };
    Some((format, plain))
}

fn zone(forms: &[&DateForm]) -> Option<ZonePolicy> {
    let mut times = forms
        .iter()
        .filter(|it| it.has_time)
        .map(|it| it.has_zone)
        .peekable();
    times.peek()?;
    let times: Vec<_> = times.collect();
    Some(match (times.contains(&true), times.contains(&false)) {
        (true, false) => ZonePolicy::Named,
        (false, _) => ZonePolicy::Unnamed,
        (true, true) => ZonePolicy::Mixed,
    })
}

fn questions(
    families: &[Family<'_>],
    formats: &[Vec<String>],
    is_short: bool,
    values: &[String],
) -> Vec<FormatQuestion> {
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    if formats.len() > 1 {
        return vec![mixed(formats, families, is_short, &values)];
    }
    let Some(family) = families.first() else {
        return Vec::new();
    };
    if family.choices().len() < 2 {
        return Vec::new();
    }
    let answers = family.choices().iter().map(|order| {
        let formats = family.formats(*order);
        let first = match order {
            First::Year => "year first",
            First::Day => "day first",
            First::Month => "month first",
        };
        let answer = format!("{first} ({})", formats.join(" and "));
        (answer, date(formats, is_short))
    });
    let (kind, question) = match family.orders.is_empty() {
        true => (
            QuestionKind::MixedDates,
            "The column has dates with the day first and dates with the month first. Which are \
             right? The others are rejected until the source is corrected.",
        ),
        false => (
            QuestionKind::DayOrMonthFirst,
            "No value of the column tells which number is the day. Which comes first?",
        ),
    };
    vec![FormatQuestion {
        kind,
        question: question.to_owned(),
        choices: answers::choices(answers.collect(), &values),
    }]
}

/// Several formats in one column: all of them, or only one.
fn mixed(
    formats: &[Vec<String>],
    families: &[Family<'_>],
    is_short: bool,
    values: &[&str],
) -> FormatQuestion {
    let mut answers = Vec::new();
    let orders = families.iter().find(|it| it.choices().len() > 1);
    let both = |formats: Vec<String>| {
        (
            format!("all of {}", formats.join(", ")),
            date(formats, is_short),
        )
    };
    match orders {
        // One of the formats is open itself.
        Some(open) => answers.extend(open.choices().iter().map(|order| {
            let all =
                families.iter().zip(formats).flat_map(|(family, formats)| {
                    match std::ptr::eq(family, open) {
                        true => open.formats(*order),
                        false => formats.clone(),
                    }
                });
            let rest = formats[families.len()..].concat();
            both(all.chain(rest).collect())
        })),
        None => answers.push(both(formats.concat())),
    }
    answers.extend(
        formats
            .iter()
            .map(|it| (format!("only {}", it.join(", ")), date_or_iso(it, is_short))),
    );
    FormatQuestion {
        kind: QuestionKind::MixedDates,
        question:
            "The column has dates in several formats. Are all of them meant as they look, or \
                   is only one right?"
                .to_owned(),
        choices: answers::choices(answers, values),
    }
}

/// What reads dates that need no transform.
pub(super) fn iso() -> Vec<Transform> {
    date_or_iso(&["ISO".to_owned()], false)
}

/// The same as `date`, with ISO declared, so that only it fits.
fn date_or_iso(formats: &[String], is_short: bool) -> Vec<Transform> {
    vec![Transform::Date {
        formats: formats.to_vec(),
        zone: None,
        pivot: is_short.then_some(PIVOT),
    }]
}
