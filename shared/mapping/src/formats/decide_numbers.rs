//! Whether a column has numbers, and how they are written.

use schema::{
    format::{Evidence, FormatKind, FormatQuestion, QuestionKind},
    mapping::{Grouping, Percent, Transform},
};

use super::{
    ColumnProfile, answers,
    decide::Finding,
    numbers::{self, LastSeparator, NumberForm, Separators, WAYS},
    shape::Shape,
    shortened, vocabulary,
};

/// No column has numbers in more units.
const MAX_UNITS: u64 = 8;

/// The shapes of a column that are numbers.
struct Numbers<'p> {
    shapes: Vec<(&'p Shape, NumberForm)>,
}

/// Numbers, if there are any.
pub(super) fn find(profile: &ColumnProfile) -> Finding {
    let shapes = profile.shapes.shapes.iter();
    let forms = shapes.filter_map(|it| Some((it, numbers::form(it)?)));
    let numbers = Numbers {
        shapes: forms.filter(|it| can_be_read(&it.1)).collect(),
    };
    // Leading zeros, or more digits than a number has, make texts of all of them.
    let is_code = numbers.shapes.iter().any(|it| it.1.is_code());
    let is_text =
        is_code || numbers.has_too_many_units() || vocabulary::hints_at_phone(&profile.name);
    if numbers.shapes.is_empty() || is_text {
        return Finding::default();
    }
    let examples: Vec<String> = numbers
        .shapes
        .iter()
        .flat_map(|it| it.0.examples.iter().cloned())
        .collect();
    let mut finding = Finding {
        kind: Some(numbers.kind()),
        count: numbers.shapes.iter().map(|it| it.0.count).sum(),
        evidence: numbers.evidence(),
        examples,
        ..Finding::default()
    };
    let ways = numbers.ways();
    finding.transforms = ways
        .first()
        .map(|it| numbers.transforms(*it))
        .unwrap_or_default();
    finding.questions = numbers.questions(&ways, &finding.examples);
    if let Some(choice) = finding.questions.first().and_then(|it| it.choices.first()) {
        finding.transforms.clone_from(&choice.transforms);
    }
    finding
}

fn can_be_read(form: &NumberForm) -> bool {
    WAYS.iter().any(|it| form.read(*it).is_some())
}

impl Numbers<'_> {
    fn any(&self, is: impl Fn(&NumberForm) -> bool) -> bool {
        self.shapes.iter().any(|it| is(&it.1))
    }

    fn all(&self, is: impl Fn(&NumberForm) -> bool) -> bool {
        self.shapes.iter().all(|it| is(&it.1))
    }

    fn currencies(&self) -> Vec<String> {
        distinct(self.shapes.iter().flat_map(|it| it.1.currencies.clone()))
    }

    fn units(&self) -> Vec<String> {
        distinct(self.shapes.iter().flat_map(|it| it.1.units.clone()))
    }

    /// Whether letters beside the numbers differ so much that they are no units: `1012 AB` and
    /// `2511 CV` are postal codes.
    fn has_too_many_units(&self) -> bool {
        let count: u64 = self.shapes.iter().map(|it| it.0.count).sum();
        let units = self.units().len() as u64;
        MAX_UNITS < units || 2 < units && count < units * 2
    }

    fn kind(&self) -> FormatKind {
        if self.any(|it| !it.currencies.is_empty()) {
            FormatKind::Money
        } else if self.any(|it| it.has_percent) {
            FormatKind::Percent
        } else if self.any(|it| !it.units.is_empty()) {
            FormatKind::Quantity
        } else if self.all(NumberForm::is_plain) {
            FormatKind::Integer
        } else {
            FormatKind::Decimal
        }
    }

    /// The ways in which all numbers can be read, the simplest of those that read them alike.
    fn ways(&self) -> Vec<Separators> {
        let mut ways = Vec::new();
        let mut known: Vec<Vec<Option<LastSeparator>>> = Vec::new();
        for way in WAYS {
            let reading: Vec<_> = self.shapes.iter().map(|it| it.1.read(way)).collect();
            if reading.iter().all(Option::is_some) && !known.contains(&reading) {
                known.push(reading);
                ways.push(way);
            }
        }
        ways
    }

    /// Where no way reads all numbers: the one that reads most of them, then of the rest.
    fn ways_of_mixed(&self) -> Vec<Separators> {
        let mut rest: Vec<_> = self.shapes.iter().collect();
        let mut ways = Vec::new();
        while !rest.is_empty() && ways.len() < 4 {
            let reads = |way: &Separators| -> u64 {
                let read = rest.iter().filter(|it| it.1.read(*way).is_some());
                read.map(|it| it.0.count).sum()
            };
            // The first of the best, as `max_by_key` takes the last.
            let Some(best) = WAYS.iter().rev().max_by_key(|it| reads(it)) else {
                break;
            };
            rest.retain(|it| it.1.read(*best).is_none());
            ways.push(*best);
        }
        ways
    }

    fn transforms(&self, way: Separators) -> Vec<Transform> {
        let units = self.units();
        let number = Transform::Number {
            decimal: way.decimal.to_string(),
            group: way.group.map(String::from),
            grouping: way.grouping,
            percent: match self.any(|it| it.has_percent) {
                true => Percent::AsIs,
                false => Percent::Reject,
            },
            currency: self.currencies(),
            parentheses: self.any(|it| it.has_parentheses),
            trailing_minus: self.any(|it| it.has_trailing_minus),
        };
        let plain = Transform::Number {
            decimal: ".".to_owned(),
            group: None,
            grouping: Grouping::Thousands,
            percent: Percent::Reject,
            currency: Vec::new(),
            parentheses: false,
            trailing_minus: false,
        };
        if number == plain && units.is_empty() {
            return Vec::new();
        }
        let units = units.into_iter().map(|it| Transform::Replace {
            from: it,
            to: String::new(),
        });
        units.chain([number]).collect()
    }

    fn evidence(&self) -> Vec<Evidence> {
        let mut shapes: Vec<_> = self.shapes.iter().map(|it| it.0).collect();
        shapes.sort_by_key(|it| std::cmp::Reverse(it.count));
        let evidence = shapes.into_iter().map(|it| Evidence {
            form: format!("numbers as {}", it.text()),
            count: it.count,
            examples: it.examples.iter().map(|it| shortened(it)).collect(),
        });
        evidence.take(8).collect()
    }

    fn questions(&self, ways: &[Separators], examples: &[String]) -> Vec<FormatQuestion> {
        let values: Vec<&str> = examples.iter().map(String::as_str).collect();
        let choose = |kind, question: &str, ways: &[Separators]| FormatQuestion {
            kind,
            question: question.to_owned(),
            choices: answers::choices(
                ways.iter()
                    .map(|it| (in_words(*it), self.transforms(*it)))
                    .collect(),
                &values,
            ),
        };
        let mut questions = Vec::new();
        match ways {
            [] => questions.push(choose(
                QuestionKind::MixedNumbers,
                "The column has numbers in several formats. Which are right? The others are \
                 rejected until the source is corrected.",
                &self.ways_of_mixed(),
            )),
            [_] => {}
            several => questions.push(choose(
                QuestionKind::GroupOrFraction,
                "No value of the column tells whether the sign stands between thousands or before \
                 a fraction. Which is it?",
                several,
            )),
        }
        let way = ways.first().copied().unwrap_or(WAYS[0]);
        questions.extend(self.signs(way, &values));
        questions
    }

    /// Questions about what stands beside the numbers.
    fn signs(&self, way: Separators, values: &[&str]) -> Vec<FormatQuestion> {
        let questions = [
            self.currency_question(way),
            self.unit_question(way),
            self.percent_question(way),
        ];
        let asked = questions.into_iter().flatten();
        asked
            .map(|(kind, question, answers)| FormatQuestion {
                kind,
                question: question.to_owned(),
                choices: answers::choices(answers, values),
            })
            .collect()
    }

    fn currency_question(&self, way: Separators) -> Option<Asked> {
        let currencies = self.currencies();
        if different_currencies(&currencies) < 2 {
            return None;
        }
        let all = (
            "the amounts alone, whatever their currency".to_owned(),
            self.transforms(way),
        );
        let only = currencies.iter().map(|it| {
            let steps = self.transforms(way).into_iter();
            let steps = steps.map(|step| only_currency(step, it));
            (format!("only those in {it}"), steps.collect())
        });
        Some((
            QuestionKind::MixedCurrencies,
            "The column has amounts in several currencies. Which are meant?",
            std::iter::once(all).chain(only).collect(),
        ))
    }

    fn unit_question(&self, way: Separators) -> Option<Asked> {
        let units = self.units();
        let is_partly = !units.is_empty() && self.any(|it| it.units.is_empty());
        if units.len() < 2 && !is_partly {
            return None;
        }
        let all = (
            "the numbers alone, whatever their unit".to_owned(),
            self.transforms(way),
        );
        let only = units.iter().map(|unit| {
            let is_other =
                |step: &Transform| matches!(step, Transform::Replace { from, .. } if from != unit);
            let steps = self.transforms(way).into_iter();
            let steps = steps.filter(|it| !is_other(it));
            (format!("only those in {}", unit.trim()), steps.collect())
        });
        Some((
            QuestionKind::MixedUnits,
            "The column has numbers with several units, or with and without one. Which are meant?",
            std::iter::once(all).chain(only).collect(),
        ))
    }

    fn percent_question(&self, way: Separators) -> Option<Asked> {
        if !self.any(|it| it.has_percent) || self.all(|it| it.has_percent) {
            return None;
        }
        let with = |percent: Percent| {
            let steps = self.transforms(way).into_iter();
            steps.map(|it| with_percent(it, percent)).collect()
        };
        Some((
            QuestionKind::MixedPercent,
            "The column has numbers with and without a percent sign. Are those without it per \
             cent as well?",
            vec![
                ("all are per cent".to_owned(), with(Percent::AsIs)),
                (
                    "only those with the sign, as fractions".to_owned(),
                    with(Percent::Fraction),
                ),
            ],
        ))
    }
}

/// A question: its kind, its text, and the answers with the transforms they lead to.
type Asked = (QuestionKind, &'static str, Vec<(String, Vec<Transform>)>);

fn in_words(way: Separators) -> String {
    let decimal = way.decimal;
    match way.group {
        None => format!("{decimal:?} stands before the fraction"),
        Some(group) => format!("{group:?} stands between groups, {decimal:?} before the fraction"),
    }
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts.dedup();
    texts
}

/// How many currencies signs and codes are of, as far as a sign has one code.
fn different_currencies(signs: &[String]) -> usize {
    let code = |it: &String| match &**it {
        "€" => "EUR".to_owned(),
        "£" => "GBP".to_owned(),
        "$" | "US$" => "USD".to_owned(),
        "₹" => "INR".to_owned(),
        other => other.to_uppercase(),
    };
    distinct(signs.iter().map(code)).len()
}

fn only_currency(step: Transform, sign: &str) -> Transform {
    match step {
        Transform::Number {
            decimal,
            group,
            grouping,
            percent,
            parentheses,
            trailing_minus,
            ..
        } => Transform::Number {
            decimal,
            group,
            grouping,
            percent,
            currency: vec![sign.to_owned()],
            parentheses,
            trailing_minus,
        },
        other => other,
    }
}

fn with_percent(step: Transform, is: Percent) -> Transform {
    match step {
        Transform::Number {
            decimal,
            group,
            grouping,
            currency,
            parentheses,
            trailing_minus,
            ..
        } => Transform::Number {
            decimal,
            group,
            grouping,
            percent: is,
            currency,
            parentheses,
            trailing_minus,
        },
        other => other,
    }
}
