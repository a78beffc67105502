//! The question in a view's URL, parsed: filters, order, selection and page.
//!
//! **Invariant:** no SQL and no I/O. What reaches SQL as a name is a [`Column`] of the view, and
//! what reaches it as a value is a [`Value`] that fits the column.

mod filter;
mod order;
mod parameters;
mod value;
mod view;

#[cfg(test)]
mod tests;

use schema::{Error, FieldError, Result};

pub use filter::{Filter, OPERATORS, Operator, Predicate};
pub use order::{Direction, Keyset, SortKey, keyset};
pub use parameters::decode;
pub use value::Value;
pub use view::{Column, ColumnKind, Place, View};

/// What is asked of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What is shown of each record.
    pub columns: Vec<Column>,
    /// Which records: those that pass all of them.
    pub filters: Vec<Filter>,
    /// In which order.
    pub order: Vec<SortKey>,
    /// How many at most.
    pub limit: u32,
    /// How many are passed over.
    pub offset: u32,
    /// Where to go on, still sealed.
    pub cursor: Option<String>,
    /// The same text for the same filters.
    pub filter_text: String,
    /// The same text for the same filters in the same order.
    pub order_text: String,
}

/// The page sizes that may be asked for.
const LIMITS: std::ops::RangeInclusive<u32> = 1..=1000;
/// The page size that nobody asked for.
const DEFAULT_LIMIT: u32 = 100;
/// How far `offset` goes. A cursor goes on at the same cost anywhere.
const MAX_OFFSET: u32 = 1_000_000;

const PAGING: [&str; 5] = ["limit", "offset", "cursor", "sort", "select"];

impl Query {
    /// Reads the decoded parameters of a URL.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming every parameter that is unknown, repeated or wrong.
    pub fn parse(view: &View, parameters: &[(String, String)]) -> Result<Query> {
        let mut errors = vec![];
        let paging = paging(parameters, &mut errors);
        let [limit, offset, cursor, sort, select] = paging;
        let filters = parameters
            .iter()
            .filter(|(name, _)| !PAGING.contains(&name.as_str()))
            .filter_map(|(name, text)| note(&mut errors, name, filter(view, name, text)))
            .collect();
        let limit = limit.map_or(Ok(DEFAULT_LIMIT), |it| number(it, LIMITS));
        let offset = match (offset, cursor) {
            (Some(_), Some(_)) => {
                Err("cannot be combined with `cursor`: send one of them".to_owned())
            }
            (Some(offset), None) => number(offset, 0..=MAX_OFFSET),
            (None, _) => Ok(0),
        };
        let limit = note(&mut errors, "limit", limit);
        let offset = note(&mut errors, "offset", offset);
        let order = note(&mut errors, "sort", SortKey::parse(view, sort));
        let columns = note(&mut errors, "select", selection(view, select));
        let (Some(limit), Some(offset), Some(order), Some(columns), true) =
            (limit, offset, order, columns, errors.is_empty())
        else {
            return Err(Error::Invalid(errors));
        };
        let filter_text = filter_text(parameters);
        let order_text = format!("{} {filter_text}", sort.unwrap_or_default());
        Ok(Query {
            columns,
            filters,
            order,
            limit,
            offset,
            cursor: cursor.map(str::to_owned),
            filter_text,
            order_text,
        })
    }
}

fn paging<'a>(
    parameters: &'a [(String, String)],
    errors: &mut Vec<FieldError>,
) -> [Option<&'a str>; 5] {
    PAGING.map(|name| {
        let mut values = parameters.iter().filter(|(it, _)| it == name);
        let first = values.next().map(|(_, text)| text.as_str());
        if values.next().is_some() {
            note::<()>(errors, name, Err("send it once".to_owned()));
        }
        first
    })
}

fn filter(view: &View, name: &str, text: &str) -> Result<Filter, String> {
    let (field, operator) = match name.strip_suffix(']').and_then(|it| it.split_once('[')) {
        Some((field, operator)) => (field, operator),
        None => (name, "eq"),
    };
    let column = view
        .column(field)
        .filter(|it| it.is_scalar() || it.is_list())
        .ok_or_else(|| unknown(view))?;
    Filter::parse(column, operator, text)
}

fn unknown(view: &View) -> String {
    let fields = view.columns.iter();
    let fields = fields.filter(|it| it.is_scalar() || it.is_list());
    let known: Vec<_> = PAGING
        .into_iter()
        .chain(fields.map(|it| &*it.name))
        .collect();
    format!(
        "no such parameter: known are {}; a field may bear an operator, as in `field[gte]`",
        known.join(", ")
    )
}

fn number(text: &str, range: std::ops::RangeInclusive<u32>) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|it| range.contains(it))
        .ok_or_else(|| {
            format!(
                "not a whole number from {} to {}",
                range.start(),
                range.end()
            )
        })
}

fn selection(view: &View, text: Option<&str>) -> Result<Vec<Column>, String> {
    let Some(text) = text else {
        return Ok(view.columns.clone());
    };
    let mut columns = vec![];
    for name in text.split(',') {
        let column = view
            .column(name)
            .ok_or_else(|| format!("`{name}` is not a field of this view"))?;
        if columns.contains(&column) {
            return Err(format!("`{name}` is named twice"));
        }
        columns.push(column);
    }
    Ok(columns)
}

fn filter_text(parameters: &[(String, String)]) -> String {
    let mut filters: Vec<_> = parameters
        .iter()
        .filter(|(name, _)| !PAGING.contains(&name.as_str()))
        .collect();
    filters.sort();
    serde_json::to_string(&filters).expect("texts are plain data")
}

fn note<T>(errors: &mut Vec<FieldError>, name: &str, read: Result<T, String>) -> Option<T> {
    read.map_err(|detail| {
        errors.push(FieldError {
            pointer: format!("?{name}"),
            detail,
        });
    })
    .ok()
}
