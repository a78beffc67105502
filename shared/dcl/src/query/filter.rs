//! Filters: `field=value` and `field[operator]=value`.

use super::value::Value;
use super::view::{Column, ColumnKind};
use schema::entity::Kind;

/// One condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What is looked at.
    pub column: Column,
    /// What it must be.
    pub predicate: Predicate,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// In this relation to the value.
    Compare(Operator, Value),
    /// Like the pattern, `%` and `_` being wild.
    Like(Value),
    /// Like the pattern in any case.
    Ilike(Value),
    /// One of these.
    In(Vec<Value>),
    /// A list with all of these texts.
    Contains(Vec<String>),
    /// Absent (`true`) or there (`false`).
    Null(bool),
}

/// How two values stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The same.
    Eq,
    /// Another one, or none.
    Ne,
    /// Greater.
    Gt,
    /// Greater or the same.
    Gte,
    /// Less.
    Lt,
    /// Less or the same.
    Lte,
}

/// The operators, as the URL writes them.
pub const OPERATORS: [&str; 11] = [
    "eq", "ne", "gt", "gte", "lt", "lte", "like", "ilike", "in", "null", "contains",
];

const ESCAPE: &str = "the value ends within an escape: write `\\` as `\\\\`";

impl Filter {
    /// Reads the operator and value of a parameter; the error says what would be right.
    pub fn parse(column: Column, operator: &str, text: &str) -> Result<Filter, String> {
        if column.is_list() && !["contains", "null"].contains(&operator) {
            let detail = "is a list: ask for one that has a text, as in `field[contains]=a`, or for \
                          none with `field[null]=true`";
            return Err(detail.to_owned());
        }
        let is =
            |operator| Value::parse(column.kind, text).map(|it| Predicate::Compare(operator, it));
        let predicate = match operator {
            "eq" => is(Operator::Eq),
            "ne" => is(Operator::Ne),
            "gt" => is(Operator::Gt),
            "gte" => is(Operator::Gte),
            "lt" => is(Operator::Lt),
            "lte" => is(Operator::Lte),
            "like" => pattern(&column, text).map(Predicate::Like),
            "ilike" => pattern(&column, text).map(Predicate::Ilike),
            "in" => values(&column, text).map(Predicate::In),
            "contains" => texts(&column, text).map(Predicate::Contains),
            "null" => text
                .parse()
                .map(Predicate::Null)
                .map_err(|_| "neither `true` nor `false`"),
            _ => return Err(format!("no such operator: {}", OPERATORS.join(", "))),
        };
        Ok(Filter {
            column,
            predicate: predicate?,
        })
    }
}

fn pattern(column: &Column, text: &str) -> Result<Value, &'static str> {
    if column.kind != ColumnKind::Field(Kind::Text) {
        return Err("only text fields can be matched by a pattern");
    }
    let escapes = text.len() - text.trim_end_matches('\\').len();
    if escapes % 2 == 1 {
        return Err(ESCAPE);
    }
    Value::parse(column.kind, text)
}

fn values(column: &Column, text: &str) -> Result<Vec<Value>, &'static str> {
    let parts = parts(text)?;
    let values = parts.iter().map(|it| Value::parse(column.kind, it));
    values.collect()
}

fn texts(column: &Column, text: &str) -> Result<Vec<String>, &'static str> {
    if !column.is_list() {
        return Err("only a list contains texts: ask with `eq`, `in` or `like`");
    }
    let texts = parts(text)?;
    for text in &texts {
        Value::parse(ColumnKind::Field(Kind::Text), text)?;
    }
    Ok(texts)
}

/// What is between commas; a comma or a backslash within a value follows a backslash.
fn parts(text: &str) -> Result<Vec<String>, &'static str> {
    let mut parts = vec![String::new()];
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        let part = parts.last_mut().expect("there is always one");
        match char {
            ',' => parts.push(String::new()),
            '\\' => part.push(rest.next().ok_or(ESCAPE)?),
            other => part.push(other),
        }
    }
    Ok(parts)
}
