//! Which formats a table's columns have: dates, numbers, booleans, words for no value.
//!
//! [`ColumnProfile::observe`] is given each value once. It keeps no values but a few examples: it
//! keeps the *shapes* of them (`31/01/2024` is `9/9/9`), each with its count and the bounds of its
//! numbers. [`ColumnProfile::finish`] decides from the shapes for the column as a whole; what they
//! do not decide is a question.
//!
//! **Invariant:** memory is bounded, whatever the values: at most 32 shapes a column (fewer in
//! tables of many columns), 64 words, and three examples a shape. A column that has more shapes
//! *and* more words is text, whatever follows; only then are values counted without being looked
//! at. Until then every value is looked at, so that one contradiction in a billion is seen.

mod answers;
mod classes;
mod dates;
mod decide;
mod decide_dates;
mod decide_numbers;
mod numbers;
mod scan;
mod shape;
mod vocabulary;
mod words_beside;

#[cfg(test)]
mod tests;

use schema::{
    entity::Kind,
    format::{ColumnFormat, FormatChoice, FormatQuestion, QuestionKind},
    mapping::{TakeItem, Transform},
};

use classes::{CLASSES, Class};
use scan::Scan;
use shape::Shapes;
use vocabulary::WordCounts;

const MAX_SHAPES: usize = 32;
/// Shapes of all columns of a table together, as far as each may have four.
const MAX_SHAPES_OF_TABLE: usize = 64 * 1024;
/// How much of a value an example shows.
const MAX_EXAMPLE: usize = 80;

/// What was seen of one column.
#[derive(Debug)]
pub struct ColumnProfile {
    name: String,
    most_shapes: usize,
    shapes: Shapes,
    words: WordCounts,
    classes: [u64; CLASSES.len()],
    /// Values with `;`, and with `|`, between others.
    lists: [u64; 2],
    values: u64,
    empty: u64,
    /// Values without a shape of their own, and some of them.
    others: u64,
    other_examples: Vec<String>,
    class_examples: Vec<String>,
}

/// What was seen of all columns of a table.
#[derive(Debug)]
pub struct TableProfile {
    columns: Vec<ColumnProfile>,
}

impl ColumnProfile {
    /// Nothing seen yet of the column of that name.
    pub fn new(name: &str) -> ColumnProfile {
        ColumnProfile {
            name: name.to_owned(),
            most_shapes: MAX_SHAPES,
            shapes: Shapes::default(),
            words: WordCounts::default(),
            classes: [0; CLASSES.len()],
            lists: [0; 2],
            values: 0,
            empty: 0,
            others: 0,
            other_examples: Vec::new(),
            class_examples: Vec::new(),
        }
    }

    /// Takes one value, as the source has it as text. White space around it does not count.
    pub fn observe(&mut self, value: &str) {
        let text = value.trim();
        if text.is_empty() {
            self.empty += 1;
            return;
        }
        self.values += 1;
        if self.is_text() {
            if vocabulary::is_null(text) {
                self.words.add(text);
            }
            self.others += 1;
            return;
        }
        // It is no day, and has none of a day's shapes.
        if vocabulary::is_zero_date(text) {
            self.words.add(text);
            return;
        }
        let scan = Scan::of(text);
        if let Some(class) = classes::of(text, scan.as_ref()) {
            self.classes[class as usize] += 1;
            keep_example(&mut self.class_examples, text);
            return;
        }
        for (count, separator) in self.lists.iter_mut().zip([';', '|']) {
            let inner = text.trim_matches(separator);
            *count += u64::from(inner.contains(separator));
        }
        let Some(scan) = scan else {
            return self.other(text);
        };
        let room = self.shapes.add(text, &scan, self.most_shapes);
        if scan.runs().is_empty() {
            self.words.add(text);
        }
        if !room {
            self.other(text);
        }
    }

    fn other(&mut self, text: &str) {
        self.others += 1;
        keep_example(&mut self.other_examples, text);
    }

    /// Whether the column has so many shapes and words that nothing makes it anything but text.
    fn is_text(&self) -> bool {
        self.words.is_full
            && self.shapes.shapes.len() >= self.most_shapes
            && self.others * 4 > self.values
    }

    /// The format of the column, as far as its values decide it.
    pub fn finish(&self) -> ColumnFormat {
        decide::column(self, false)
    }

    fn count(&self, class: Class) -> u64 {
        self.classes[class as usize]
    }
}

impl TableProfile {
    /// Nothing seen yet of the columns of those names, which may be empty or alike.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> TableProfile {
        let mut columns: Vec<_> = names.into_iter().map(ColumnProfile::new).collect();
        let most = (MAX_SHAPES_OF_TABLE / columns.len().max(1)).clamp(4, MAX_SHAPES);
        columns.iter_mut().for_each(|it| it.most_shapes = most);
        TableProfile { columns }
    }

    /// Takes one value of the column at that place; one that is not there is ignored.
    pub fn observe(&mut self, column: usize, value: &str) {
        if let Some(column) = self.columns.get_mut(column) {
            column.observe(value);
        }
    }

    /// The formats of all columns, in their order. A column of numbers that may be days of a
    /// spreadsheet is one of dates if its name says so or another column has dates.
    pub fn finish(&self) -> Vec<ColumnFormat> {
        let formats = self.columns.iter().map(ColumnProfile::finish);
        let formats: Vec<_> = formats.collect();
        let has_dates = formats.iter().any(decide::is_date);
        let columns = self.columns.iter().zip(formats);
        columns
            .map(|(column, format)| match has_dates {
                true if !decide::is_date(&format) => decide::column(column, true),
                _ => format,
            })
            .collect()
    }
}

/// The value as the transforms of a format read it: an ISO date, a plain number, `true`. None where
/// it does not fit or is a word for no value.
pub fn read(transforms: &[Transform], value: &str) -> Option<String> {
    answers::becomes(transforms, value).filter(|it| !it.is_empty())
}

/// The transforms of a format that make sense for a target of that type: a text takes no number
/// apart, and a number is no date.
pub fn transforms_for(transforms: &[Transform], target: Kind) -> Vec<Transform> {
    let fits = |it: &&Transform| match it {
        Transform::Date { .. } | Transform::Timestamp { .. } => {
            matches!(target, Kind::Date | Kind::Timestamp)
        }
        // No format but that of numbers takes texts apart.
        Transform::Number { .. }
        | Transform::Replace { .. }
        | Transform::Regex { .. }
        | Transform::Scale { .. } => {
            matches!(target, Kind::Decimal | Kind::Integer)
        }
        Transform::Boolean { .. } => target == Kind::Boolean,
        Transform::Array { .. } => target == Kind::TextList,
        Transform::Country { .. } | Transform::Email { .. } | Transform::Phone { .. } => {
            target == Kind::Text
        }
        _ => target != Kind::TextList,
    };
    transforms.iter().filter(fits).cloned().collect()
}

/// What is asked of texts with commas where lists are wanted: whether one is a list, or a text with
/// a comma in it. None where no text has one between others.
pub fn comma_question(values: &[String]) -> Option<FormatQuestion> {
    let has_items = |it: &&String| it.trim_matches(',').contains(',');
    let example = values.iter().find(has_items)?;
    let items = example.split(',').filter(|it| !it.trim().is_empty());
    let count = items.count();
    let choice = |answer: String, separator: Option<String>| FormatChoice {
        answer,
        transforms: vec![Transform::Array {
            take: TakeItem::All,
            separator,
            member: None,
            prefer: None,
        }],
        examples: Vec::new(),
    };
    let example = shortened(example);
    Some(FormatQuestion {
        kind: QuestionKind::CommaList,
        question: "The values have commas. Do they stand between the items of a list?".to_owned(),
        choices: vec![
            choice(
                format!("yes: {example:?} is {count} texts"),
                Some(",".to_owned()),
            ),
            choice(format!("no: {example:?} is one text"), None),
        ],
    })
}

fn keep_example(examples: &mut Vec<String>, text: &str) {
    if examples.len() < 3 && !examples.iter().any(|it| it == text) {
        examples.push(shortened(text));
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_EXAMPLE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
