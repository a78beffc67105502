//! Whether a column has numbers, and how they are written.

use schema::{
    format::{Evidence, FormatKind, FormatQuestion, QuestionKind},
    mapping::{Percent, Transform},
};

use super::{
    ColumnProfile, answers,
    decide::Finding,
    numbers::{self, LastSeparator, NumberForm, Separators, WAYS},
    shape::Shape,
    shortened, vocabulary,
    words_beside::{self, WordReading},
};

/// No question has more choices.
const MAX_CHOICES: usize = 24;

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
    let first = ways.first().map(|it| numbers.reading(*it));
    finding.transforms = first.map(|it| it.transforms()).unwrap_or_default();
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

    fn words(&self) -> Vec<String> {
        distinct(self.shapes.iter().flat_map(|it| it.1.words.clone()))
    }

    /// Whether letters beside the numbers differ so much that they are no units: `1012 AB` and
    /// `2511 CV` are postal codes.
    fn has_too_many_units(&self) -> bool {
        let count: u64 = self.shapes.iter().map(|it| it.0.count).sum();
        let words = self.words();
        let units = words.iter().filter(|it| words_beside::is_unknown(it));
        let units = units.count() as u64;
        words_beside::MAX_WORDS < words.len() || 2 < units && count < units * 2
    }

    fn kind(&self) -> FormatKind {
        if self.any(|it| !it.currencies.is_empty()) {
            FormatKind::Money
        } else if self.any(|it| it.has_percent) {
            FormatKind::Percent
        } else if self
            .words()
            .iter()
            .any(|it| !words_beside::is_of_amount(it))
        {
            FormatKind::Quantity
        } else if !self.words().is_empty() {
            FormatKind::Decimal
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

    /// How the numbers are read with the first of all answers.
    fn reading(&self, way: Separators) -> Reading {
        Reading {
            said: Vec::new(),
            way,
            words: self.word_readings().into_iter().next().unwrap_or_default(),
            percent: match self.any(|it| it.has_percent) {
                true => Percent::AsIs,
                false => Percent::Reject,
            },
            currency: self.currencies(),
            parentheses: self.any(|it| it.has_parentheses),
            trailing_minus: self.any(|it| it.has_trailing_minus),
        }
    }

    fn evidence(&self) -> Vec<Evidence> {
        let mut shapes: Vec<_> = self.shapes.iter().map(|it| it.0).collect();
        shapes.sort_by_key(|it| std::cmp::Reverse(it.count));
        let evidence = shapes.into_iter().map(|it| Evidence {
            form: format!("numbers as {}", it.text()),
            count: it.count,
            examples: it.examples.iter().take(3).map(|it| shortened(it)).collect(),
        });
        evidence.take(8).collect()
    }

    /// What the values leave open, as one question: each choice says how all of it is read.
    fn questions(&self, ways: &[Separators], examples: &[String]) -> Vec<FormatQuestion> {
        let mixed = self.ways_of_mixed();
        let ways = if ways.is_empty() { &mixed } else { ways };
        let asked = [
            self.way_question(ways),
            self.currency_question(),
            self.word_question(),
            self.percent_question(),
        ];
        let asked: Vec<_> = asked.into_iter().flatten().collect();
        let Some(first) = asked.first() else {
            return Vec::new();
        };
        let mut readings = vec![self.reading(ways.first().copied().unwrap_or(WAYS[0]))];
        for it in &asked {
            let of_each = |reading: &Reading| {
                let reading = reading.clone();
                let answers = it.answers.iter();
                answers.map(move |(said, answer)| reading.clone().with(said, answer))
            };
            readings = readings.iter().flat_map(of_each).collect();
        }
        readings.retain(|it| self.any(|form| it.reads(form)));
        let answers = readings
            .iter()
            .map(|it| (it.said.join("; "), it.transforms()));
        let values: Vec<&str> = examples.iter().map(String::as_str).collect();
        let texts: Vec<_> = asked.iter().map(|it| it.question).collect();
        vec![FormatQuestion {
            kind: first.kind,
            question: texts.join(" "),
            choices: answers::choices(answers.take(MAX_CHOICES).collect(), &values),
        }]
    }

    fn way_question(&self, ways: &[Separators]) -> Option<Asked> {
        let is_mixed = self.ways().is_empty();
        let (kind, question) = match is_mixed {
            true => (
                QuestionKind::MixedNumbers,
                "The column has numbers in several formats. Which are right? The others are \
                 rejected until the source is corrected.",
            ),
            false => (
                QuestionKind::GroupOrFraction,
                "No value of the column tells whether the sign stands between thousands or before \
                 a fraction. Which is it?",
            ),
        };
        let answers = ways.iter().map(|it| (in_words(*it), Answer::Way(*it)));
        (ways.len() > 1).then(|| Asked {
            kind,
            question,
            answers: answers.collect(),
        })
    }

    fn currency_question(&self) -> Option<Asked> {
        let currencies = self.currencies();
        if different_currencies(&currencies) < 2 {
            return None;
        }
        let all = (
            "all amounts, each in the currency of its own sign".to_owned(),
            Answer::Currencies(currencies.clone()),
        );
        let only = currencies.iter().map(|it| {
            let only = Answer::Currencies(vec![it.clone()]);
            (format!("only those in {it}"), only)
        });
        Some(Asked {
            kind: QuestionKind::MixedCurrencies,
            question: "The column has amounts in several currencies. Which are meant? A sum over \
                       all of them means nothing.",
            answers: std::iter::once(all).chain(only).collect(),
        })
    }

    fn word_readings(&self) -> Vec<WordReading> {
        let words = self.words();
        match words.is_empty() {
            true => Vec::new(),
            false => words_beside::readings(&words, self.any(|it| it.words.is_empty())),
        }
    }

    fn word_question(&self) -> Option<Asked> {
        let readings = self.word_readings();
        let answers = readings.iter().map(|it| {
            let answer = Answer::Words(it.clone());
            (it.answer.clone(), answer)
        });
        (readings.len() > 1).then(|| Asked {
            kind: QuestionKind::MixedUnits,
            question: "The column has numbers with words beside them. How are they meant?",
            answers: answers.collect(),
        })
    }

    fn percent_question(&self) -> Option<Asked> {
        if !self.any(|it| it.has_percent) || self.all(|it| it.has_percent) {
            return None;
        }
        let with = |said: &str, percent| (said.to_owned(), Answer::Percent(percent));
        Some(Asked {
            kind: QuestionKind::MixedPercent,
            question: "The column has numbers with and without a percent sign. Are those without \
                       it per cent as well?",
            answers: vec![
                with("all are per cent", Percent::AsIs),
                with("only those with the sign, as fractions", Percent::Fraction),
            ],
        })
    }
}

/// A question about one aspect of the numbers, and its answers in words.
struct Asked {
    kind: QuestionKind,
    question: &'static str,
    answers: Vec<(String, Answer)>,
}

/// The answer about one aspect.
enum Answer {
    Way(Separators),
    Currencies(Vec<String>),
    Words(WordReading),
    Percent(Percent),
}

/// How numbers are read, in all aspects.
#[derive(Clone)]
struct Reading {
    /// What was answered, in words.
    said: Vec<String>,
    way: Separators,
    words: WordReading,
    percent: Percent,
    currency: Vec<String>,
    parentheses: bool,
    trailing_minus: bool,
}

impl Reading {
    fn with(mut self, said: &str, answer: &Answer) -> Reading {
        self.said.push(said.to_owned());
        match answer {
            Answer::Way(way) => self.way = *way,
            Answer::Currencies(signs) => self.currency.clone_from(signs),
            Answer::Words(words) => self.words.clone_from(words),
            Answer::Percent(percent) => self.percent = *percent,
        }
        self
    }

    /// Whether it reads any values of the form.
    fn reads(&self, form: &NumberForm) -> bool {
        let mut signs = form.currencies.iter();
        let has_sign = signs.len() == 0 || signs.any(|it| self.currency.contains(it));
        has_sign && form.read(self.way).is_some()
    }

    /// None where numbers are read like this anyway.
    fn transforms(&self) -> Vec<Transform> {
        if self.is_plain() {
            return Vec::new();
        }
        let number = Transform::Number {
            decimal: self.way.decimal.to_string(),
            group: self.way.group.map(String::from),
            grouping: self.way.grouping,
            percent: self.percent,
            currency: self.currency.clone(),
            parentheses: self.parentheses,
            trailing_minus: self.trailing_minus || self.words.negates,
        };
        let words = self.words.steps.iter().cloned();
        words.chain([number]).collect()
    }

    fn is_plain(&self) -> bool {
        self.way == WAYS[0]
            && self.words.answer.is_empty()
            && self.percent == Percent::Reject
            && self.currency.is_empty()
            && !self.parentheses
            && !self.trailing_minus
    }
}

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
