//! Rows as JSON, page after page, each after the last row of the one before.

use std::fmt::Write;

use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{AssertSqlSafe, PgConnection, Postgres};

use super::{from, quoted};
use crate::connectors::postgres::{Object, Order, PAGE_BYTES, PAGE_ROWS, Part};

/// Where a page begins.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// With the first row, in the order of the key.
    First(&'a Order),
    /// After the row with this key, in the order of the key.
    AfterKey(&'a Order, &'a [String]),
    /// A little before this value of the cursor, in its order.
    Since(&'a Order, &'a Part, &'a str),
    /// After the row with this cursor and key, in the order of the cursor.
    AfterCursor(&'a Order, &'a Part, &'a str, &'a [String]),
}

/// Some rows of a table.
#[derive(Debug)]
pub struct Page {
    /// In their order.
    pub rows: Vec<Row>,
    /// Whether these are the last ones.
    pub last: bool,
}

/// One row.
#[derive(Debug)]
pub struct Row {
    /// All of it, as JSON; none where that has more than [`PAGE_BYTES`].
    pub body: Option<String>,
    /// Its cursor.
    pub cursor: Option<String>,
    /// Its key.
    pub key: Vec<String>,
}

type Listed = (Option<String>, Option<String>, Vec<String>, i64);

pub(super) async fn list(
    conn: &mut PgConnection,
    object: &Object,
    start: &Start<'_>,
) -> sqlx::Result<Page> {
    let (order, condition) = start.clauses();
    let (sort, cursor) = (start.sort(), order.cursor.as_ref());
    let cursor = cursor.map_or("null".to_owned(), |it| format!("t.{}", quoted(&it.name)));
    let sql = format!(
        r#"
        select case when octet_length(body) <= {PAGE_BYTES} then body end, cursor, key, found
        from (
          select body, cursor, key, n, count(*) over () found,
            sum(octet_length(body)) over (order by n) - octet_length(body) before
          from (
            select to_json(t)::text body, {cursor}::text "cursor", {key} "key",
              row_number() over (order by {sort}) n
            from {table} t
            {condition}
            order by {sort}
            limit {PAGE_ROWS}
          ) next
        ) sized
        where before < {PAGE_BYTES}
        order by n
        "#,
        key = key(&order.key),
        table = from(object),
    );
    let mut query: QueryAs<'_, Postgres, Listed, PgArguments> = sqlx::query_as(AssertSqlSafe(sql));
    for value in start.values() {
        query = query.bind(value);
    }
    let rows = query.persistent(false).fetch_all(conn).await?;
    let found = rows.first().map_or(0, |it| it.3);
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    Ok(Page {
        last: rows.len() == found && found < PAGE_ROWS,
        rows: rows.into_iter().map(row).collect(),
    })
}

pub(super) async fn newest(
    conn: &mut PgConnection,
    object: &Object,
    cursor: &str,
) -> sqlx::Result<Option<String>> {
    let sql = format!("select max({})::text from {}", quoted(cursor), from(object));
    let query = sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false);
    query.fetch_one(conn).await
}

pub(super) async fn existing(
    conn: &mut PgConnection,
    object: &Object,
    parts: &[Part],
    keys: &[Vec<String>],
) -> sqlx::Result<Vec<Vec<String>>> {
    let (mut given, mut names, mut casts) = (String::new(), String::new(), String::new());
    for (at, part) in parts.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let _ = write!(given, "{comma}${}::text[]", at + 1);
        let _ = write!(names, "{comma}k{at}");
        let _ = write!(casts, "{comma}k{at}::{}", part.cast);
    }
    let sql = format!(
        r#"
        select {key}
        from {table} t
        where ({columns}) in (select {casts} from unnest({given}) as given({names}))
        "#,
        key = key(parts),
        table = from(object),
        columns = columns(parts),
    );
    let mut query = sqlx::query_scalar(AssertSqlSafe(sql));
    for at in 0..parts.len() {
        let values: Vec<_> = keys.iter().map(|it| it[at].clone()).collect();
        query = query.bind(values);
    }
    query.persistent(false).fetch_all(conn).await
}

impl<'a> Start<'a> {
    fn order(&self) -> &'a Order {
        match self {
            Start::First(order)
            | Start::AfterKey(order, _)
            | Start::Since(order, ..)
            | Start::AfterCursor(order, ..) => order,
        }
    }

    fn sort(&self) -> String {
        let key = columns(&self.order().key);
        match self {
            Start::First(_) | Start::AfterKey(..) => key,
            Start::Since(_, cursor, _) | Start::AfterCursor(_, cursor, ..) => {
                format!("t.{}, {key}", quoted(&cursor.name))
            }
        }
    }

    /// The order, and the condition with a parameter for each of the values.
    fn clauses(&self) -> (&'a Order, String) {
        let order = self.order();
        let condition = match self {
            Start::First(_) => String::new(),
            Start::AfterKey(..) => {
                format!("where ({}) > ({})", self.sort(), parameters(&order.key))
            }
            Start::Since(_, cursor, _) => format!(
                "where t.{} >= $1::{} - {}",
                quoted(&cursor.name),
                cursor.cast,
                cursor.look_back()
            ),
            Start::AfterCursor(_, cursor, ..) => {
                let parts = std::iter::once(*cursor).chain(&order.key);
                format!("where ({}) > ({})", self.sort(), parameters(parts))
            }
        };
        (order, condition)
    }

    fn values(&self) -> Vec<&'a str> {
        match *self {
            Start::First(_) => vec![],
            Start::AfterKey(_, key) => key.iter().map(String::as_str).collect(),
            Start::Since(_, _, cursor) => vec![cursor],
            Start::AfterCursor(_, _, cursor, key) => {
                let key = key.iter().map(String::as_str);
                std::iter::once(cursor).chain(key).collect()
            }
        }
    }
}

fn row((body, cursor, key, _): Listed) -> Row {
    Row { body, cursor, key }
}

/// The columns as SQL lists them.
fn columns(parts: &[Part]) -> String {
    let names: Vec<_> = parts
        .iter()
        .map(|it| format!("t.{}", quoted(&it.name)))
        .collect();
    names.join(", ")
}

/// The columns as an array of texts.
fn key(parts: &[Part]) -> String {
    let texts: Vec<_> = parts
        .iter()
        .map(|it| format!("t.{}::text", quoted(&it.name)))
        .collect();
    format!("array[{}]", texts.join(", "))
}

/// A parameter for each part, from the first one on.
fn parameters<'a>(parts: impl IntoIterator<Item = &'a Part>) -> String {
    let casts: Vec<_> = parts
        .into_iter()
        .zip(1..)
        .map(|(it, number)| format!("${number}::{}", it.cast))
        .collect();
    casts.join(", ")
}
