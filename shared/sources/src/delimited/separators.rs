//! Columns whose numbers are written in two ways: `1.234` beside `1.234,50`.
//!
//! **Invariant:** pure, and it keeps two values for each column. Which way is meant is not guessed.

use crate::delimited::{Header, Row};

/// How the columns of one file that hold numbers write them.
#[derive(Debug, Default)]
pub struct Separators {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    index: usize,
    name: String,
    /// The first number with a comma for its fraction, or points between its thousands.
    comma: Option<CellValue>,
    /// Commas were seen between thousands: a point begins the fraction.
    is_point: bool,
    /// The first number that was [taken](Separators::take) with its point before the fraction.
    taken: Option<CellValue>,
}

#[derive(Debug, Clone)]
struct CellValue {
    line: u64,
    value: String,
}

/// A number such as `1.234`, which is either a little more than one or more than a thousand.
#[derive(Debug)]
pub struct Doubt {
    column: usize,
    place: CellValue,
}

impl Separators {
    /// Watches the columns whose name is a number's.
    pub fn new(header: &Header, is_number: impl Fn(&str) -> bool) -> Separators {
        let columns = header.names().iter().enumerate();
        Separators {
            columns: columns
                .filter(|(_, name)| is_number(name))
                .map(|(index, name)| Column {
                    index,
                    name: name.clone(),
                    comma: None,
                    is_point: false,
                    taken: None,
                })
                .collect(),
        }
    }

    /// Looks at the numbers of a row, and says which of them can be read in two ways.
    pub fn observe(&mut self, row: &Row<'_>) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        for (at, column) in self.columns.iter_mut().enumerate() {
            let Some(cell) = row.cells().nth(column.index) else {
                continue;
            };
            let value = cell.text();
            let place = || CellValue {
                line: row.line(),
                value: value.trim().to_owned(),
            };
            match Form::of(&value) {
                Form::Either => doubts.push(Doubt {
                    column: at,
                    place: place(),
                }),
                Form::Comma => {
                    column.comma.get_or_insert_with(place);
                }
                Form::Point => column.is_point = true,
                Form::Plain => {}
            }
        }
        doubts
    }

    /// Takes the numbers of a row as they would be read, unless their columns write others
    /// otherwise.
    ///
    /// # Errors
    /// The reason not to take the row.
    pub fn take(&mut self, doubts: &[Doubt]) -> Result<(), String> {
        for doubt in doubts {
            let column = &self.columns[doubt.column];
            if let Some(comma) = column.comma.as_ref().filter(|_| !column.is_point) {
                return Err(two_ways(&column.name, &doubt.place, comma));
            }
        }
        for doubt in doubts {
            let taken = &mut self.columns[doubt.column].taken;
            taken.get_or_insert_with(|| doubt.place.clone());
        }
        Ok(())
    }

    /// Whether what was taken is still to be believed.
    ///
    /// # Errors
    /// The reason why a number may have been taken for another one.
    pub fn check(&self) -> Result<(), String> {
        for column in self.columns.iter().filter(|it| !it.is_point) {
            if let (Some(taken), Some(comma)) = (&column.taken, &column.comma) {
                let reason = two_ways(&column.name, taken, comma);
                return Err(format!(
                    "{reason}, and send the file again: rows before were stored"
                ));
            }
        }
        Ok(())
    }
}

fn two_ways(name: &str, point: &CellValue, comma: &CellValue) -> String {
    format!(
        "column {name:?} writes numbers in two ways, {:?} on line {} and {:?} on line {}; \
         write all of them like 1234.50",
        point.value, point.line, comma.value, comma.line
    )
}

#[derive(Debug, PartialEq, Eq)]
enum Form {
    /// `1.234`: a fraction or thousands.
    Either,
    /// `1.234,50`, `12,5` or `1.234.567`; `1,234` too, which is read as neither.
    Comma,
    /// `1,234.50` or `1,234,567`.
    Point,
    /// Anything else.
    Plain,
}

impl Form {
    /// Currencies and the like around a number do not count, and neither do spaces in it.
    fn of(value: &str) -> Form {
        // Most numbers are such, and cost nothing.
        if !value.contains(['.', ',']) {
            return Form::Plain;
        }
        let number = value.trim_matches(|it: char| !it.is_ascii_digit());
        let around = value.trim().len() - number.len();
        if number.is_empty() || 12 < around {
            return Form::Plain;
        }
        let parts = number.split([',', '.']).map(|part| {
            part.chars()
                .filter(|it| !matches!(it, ' ' | '\u{A0}' | '\u{202F}' | '\'' | '’'))
                .collect::<String>()
        });
        let parts: Vec<String> = parts.collect();
        let separators: Vec<u8> = number.bytes().filter(|it| b",.".contains(it)).collect();
        if !parts
            .iter()
            .all(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
        {
            return Form::Plain;
        }
        let are_thousands =
            |count: usize| parts[0].len() <= 3 && parts[1..=count].iter().all(|it| it.len() == 3);
        match *separators.as_slice() {
            [b'.'] if are_thousands(1) && !parts[0].starts_with('0') => Form::Either,
            [] | [b'.'] => Form::Plain,
            [b','] => Form::Comma,
            [ref thousands @ .., last] => {
                let thousands_end = thousands.len();
                let same = |with: u8| {
                    thousands.iter().all(|it| *it == with) && are_thousands(thousands_end)
                };
                match last {
                    b',' if same(b'.') => Form::Comma,
                    b'.' if same(b'.') => Form::Comma,
                    _ if same(b',') => Form::Point,
                    _ => Form::Plain,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delimited::{Item, Options, Reader};

    #[test]
    fn a_number_says_how_its_column_writes_numbers() {
        for (form, values) in [
            (
                Form::Either,
                &["1.234", "-1.234", " 12.500 ", "999.000"][..],
            ),
            (
                Form::Comma,
                &[
                    "1.234,50",
                    "12,5",
                    "0,5",
                    "-1.234,50",
                    "1.234.567",
                    "1.234.567,00",
                    "1,234",
                    "€ 1.234,50",
                    "1.234,50 EUR",
                    "1 234,50",
                    "1\u{A0}234,50",
                    "(12,5)",
                    "12,5 %",
                ],
            ),
            (
                Form::Point,
                &["1,234.50", "1,234,567", "$1,234.50", "1,234,567.891"],
            ),
            (
                Form::Plain,
                &[
                    "",
                    "1234",
                    "12.5",
                    "1234.50",
                    "0.125",
                    "1234.567",
                    "1.2345",
                    "n/a",
                    "1.",
                    "12.34.56",
                    "1,2,3",
                    "x1y2,5z",
                    "2024-01-31",
                ],
            ),
        ] {
            for value in values {
                assert_eq!(Form::of(value), form, "{value:?}");
            }
        }
    }

    /// What becomes of a column of numbers, of which `batch` are taken together.
    fn check(values: &[&str], batch: usize, expected: &[&str]) {
        let mut reader = Reader::new(Options::default());
        let rows: String = values.iter().map(|it| format!("{it};x\n")).collect();
        reader.push(format!("amount;name\n{rows}").as_bytes());
        reader.finish();
        let (mut separators, mut seen, mut waiting) = (None, Vec::new(), Vec::new());
        while let Some(Item::Row(row)) = reader.next().unwrap() {
            let separators = separators
                .get_or_insert_with(|| Separators::new(row.header(), |it| it == "amount"));
            waiting.push(separators.observe(&row));
            if waiting.len() == batch {
                if let Err(reason) = separators.check() {
                    seen.push(format!("stop: {reason}"));
                    break;
                }
                seen.extend(waiting.drain(..).map(|it| match separators.take(&it) {
                    Ok(()) => "taken".to_owned(),
                    Err(reason) => reason,
                }));
            }
        }
        assert_eq!(seen, expected, "{values:?}");
    }

    #[test]
    fn a_number_is_not_taken_where_its_column_writes_others_otherwise() {
        let reason = "column \"amount\" writes numbers in two ways, \"1.234\" on line 2 and \
                      \"1.234,50\" on line 3; write all of them like 1234.50";
        check(&["1.234", "1.234,50", "7"], 3, &[reason, "taken", "taken"]);
        check(&["1.234", "1,234.50"], 2, &["taken", "taken"]);
        check(&["1.234", "12.5"], 2, &["taken", "taken"]);
        let stop = format!("stop: {reason}, and send the file again: rows before were stored");
        check(&["1.234", "1.234,50"], 1, &["taken", &stop]);
    }
}
