//! Rows as JSON, page after page, each after the last row of the one before.

use super::conn::{Cells, Conn, Most};
use super::error::{QueryError, query_error};
use super::{from, quoted};
use crate::postgres::{KeyColumn, Object, PAGE_BYTES, PAGE_ROWS, ReadOrder};
use crate::{SourceError, SourceErrorKind};

/// The body of the last row may go as far beyond a page's size as a row may go, and a key is a part
/// of its body, mostly.
pub(super) const PAGE: Most = Most {
    rows: PAGE_ROWS,
    columns: 6,
    bytes: 6 * PAGE_BYTES,
};
pub(super) const ONE: Most = Most {
    rows: 1,
    columns: 1,
    bytes: 1 << 20,
};

/// Where a page begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum PageStart<'a> {
    /// With the first row, in the order of the key.
    First(&'a ReadOrder),
    /// After the row with this key, in the order of the key.
    AfterKey(&'a ReadOrder, &'a [String]),
    /// A little before this value of the cursor, in its order.
    Since(&'a ReadOrder, &'a KeyColumn, &'a str),
    /// After the row with this cursor and key, in the order of the cursor.
    AfterCursor(&'a ReadOrder, &'a KeyColumn, &'a str, &'a [String]),
}

/// Some rows of a table.
#[derive(Debug)]
pub(super) struct KeysetPage {
    /// In their order.
    pub rows: Vec<Row>,
    /// Whether these are the last ones.
    pub last: bool,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// All of it, as JSON; none where that has more than [`PAGE_BYTES`].
    pub body: Option<String>,
    /// Its cursor.
    pub cursor: Option<String>,
    /// Its cursor, or the source's own time where that is earlier: a value from the future must
    /// not hide what comes before it.
    pub reached: Option<String>,
    /// Its key.
    pub key: Vec<String>,
}

/// Body, cursor, cursor up to now, key as a JSON array, whether the next row has the same key, and
/// how many rows were found.
type Listed = (
    Option<String>,
    Option<String>,
    Option<String>,
    String,
    Option<bool>,
    i64,
);

pub(super) async fn list(
    conn: &mut Conn,
    object: &Object,
    start: &PageStart<'_>,
) -> Result<KeysetPage, SourceError> {
    let (order, condition) = start.clauses();
    find_operators(conn, order)
        .await
        .map_err(|err| query_error(&err))?;
    let (sort, cursor) = (start.sort(), order.cursor.as_ref());
    let reached = cursor.map_or("null".to_owned(), KeyColumn::until_now);
    let cursor = cursor.map_or("null".to_owned(), KeyColumn::column);
    // `t.*` is the row even where a column is called `t`.
    let sql = format!(
        r#"
        select case when octet_length(body) <= {PAGE_BYTES} then body end, cursor, reached, key, twin, found
        from (
          select body, cursor, reached, key, n, count(*) over () found,
            key = lead(key) over (order by n) twin,
            sum(octet_length(body)) over (order by n) - octet_length(body) before
          from (
            select to_json(t.*)::text body, {cursor}::text "cursor", {reached}::text reached,
              {key} "key", row_number() over (order by {sort}) n
            from {table} t
            {condition}
            order by {sort}
            limit {PAGE_ROWS} + 1
          ) next
        ) sized
        where before < {PAGE_BYTES} and n <= {PAGE_ROWS}
        order by n
        "#,
        key = key(&order.key),
        table = from(object),
    );
    let rows = listed(conn, &sql, &start.values()).await;
    let rows = rows.map_err(|err| query_error(&err))?;
    let found = rows.first().map_or(0, |it| it.5);
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    let last = rows.len() == found;
    let rows = rows.into_iter().map(|it| row(it, object, order));
    Ok(KeysetPage {
        rows: rows.collect::<Result<_, _>>()?,
        last,
    })
}

async fn listed(conn: &mut Conn, sql: &str, values: &[&str]) -> Result<Vec<Listed>, QueryError> {
    let rows = conn.rows(sql, values, PAGE).await?;
    // Row by row, so that none is there twice.
    let listed = |it: Cells| {
        Ok((
            it.text(0)?,
            it.text(1)?,
            it.text(2)?,
            it.some_text(3)?,
            it.get(4)?,
            it.get(5)?,
        ))
    };
    rows.into_iter().map(listed).collect()
}

pub(super) async fn newest(
    conn: &mut Conn,
    object: &Object,
    cursor: &KeyColumn,
) -> Result<Option<String>, QueryError> {
    let sql = format!(
        "select {reached}::text from (select max({column}) {column} from {table} t) t \
         where {column} is not null",
        reached = cursor.until_now(),
        column = quoted(&cursor.name),
        table = from(object),
    );
    let rows = conn.rows(&sql, &[], ONE).await?;
    rows.first().map_or(Ok(None), |it| it.text(0))
}

/// Makes the operators of the key's types known by their names: those of citext, for example, are
/// in the schema that the extension was created in. Without them rows would be compared as text.
pub(super) async fn find_operators(conn: &mut Conn, order: &ReadOrder) -> Result<(), QueryError> {
    let schemas: Vec<_> = order
        .parts()
        .filter_map(|it| it.schema.as_deref())
        .collect();
    if schemas.is_empty() {
        return Ok(());
    }
    let schemas: String = schemas
        .into_iter()
        .map(|it| format!(", {}", quoted(it)))
        .collect();
    let sql = "select set_config('search_path', current_setting('search_path') || $1, true)";
    conn.rows(sql, &[&schemas], ONE).await.map(drop)
}

impl<'a> PageStart<'a> {
    fn order(&self) -> &'a ReadOrder {
        match self {
            PageStart::First(order)
            | PageStart::AfterKey(order, _)
            | PageStart::Since(order, ..)
            | PageStart::AfterCursor(order, ..) => order,
        }
    }

    fn sort(&self) -> String {
        let key = columns(&self.order().key);
        match self {
            PageStart::First(_) | PageStart::AfterKey(..) => key,
            PageStart::Since(_, cursor, _) | PageStart::AfterCursor(_, cursor, ..) => {
                format!("{}, {key}", cursor.column())
            }
        }
    }

    /// The order, and the condition with a parameter for each of the values.
    fn clauses(&self) -> (&'a ReadOrder, String) {
        let order = self.order();
        let condition = match self {
            PageStart::First(_) => String::new(),
            PageStart::AfterKey(..) => {
                format!("where ({}) > ({})", self.sort(), parameters(&order.key))
            }
            PageStart::Since(_, cursor, _) => {
                let since = cursor.since(order.lookback);
                format!("where {} >= {since}", cursor.column())
            }
            PageStart::AfterCursor(_, cursor, ..) => {
                let parts = std::iter::once(*cursor).chain(&order.key);
                format!("where ({}) > ({})", self.sort(), parameters(parts))
            }
        };
        (order, condition)
    }

    fn values(&self) -> Vec<&'a str> {
        match *self {
            PageStart::First(_) => vec![],
            PageStart::AfterKey(_, key) => key.iter().map(String::as_str).collect(),
            PageStart::Since(_, _, cursor) => vec![cursor],
            PageStart::AfterCursor(_, _, cursor, key) => {
                let key = key.iter().map(String::as_str);
                std::iter::once(cursor).chain(key).collect()
            }
        }
    }
}

/// A row with a key of its own. One without cannot be told apart from others, nor be gone on
/// after.
fn row(
    (body, cursor, reached, key, twin, _): Listed,
    object: &Object,
    order: &ReadOrder,
) -> Result<Row, SourceError> {
    let schema = |message| SourceError::new(SourceErrorKind::Schema, "/objects", message);
    let key: Vec<Option<String>> =
        serde_json::from_str(&key).map_err(|_| schema("the source sent no key".to_owned()))?;
    let null = order.key.iter().zip(&key).find(|it| it.1.is_none());
    if let Some((part, _)) = null {
        return Err(schema(format!(
            "the key column `{}` of `{}` has NULLs: name columns that are never NULL as the key",
            part.name,
            object.name()
        )));
    }
    if twin == Some(true) {
        return Err(schema(format!(
            "rows of `{}` share the same key: name columns as the key that no two rows share",
            object.name()
        )));
    }
    Ok(Row {
        body,
        cursor,
        reached,
        key: key.into_iter().flatten().collect(),
    })
}

impl KeyColumn {
    /// It as SQL writes it.
    pub(super) fn column(&self) -> String {
        format!("t.{}", quoted(&self.name))
    }

    /// Its value, or the source's own time where that is earlier.
    fn until_now(&self) -> String {
        let column = self.column();
        match self.now() {
            Some(now) => format!("case when {column} is not null then least({column}, {now}) end"),
            None => column,
        }
    }
}

/// The columns as SQL lists them.
pub(super) fn columns(parts: &[KeyColumn]) -> String {
    let names: Vec<_> = parts.iter().map(KeyColumn::column).collect();
    names.join(", ")
}

/// The columns as a JSON array of texts.
fn key(parts: &[KeyColumn]) -> String {
    let texts: Vec<_> = parts
        .iter()
        .map(|it| format!("{}::text", it.column()))
        .collect();
    format!("json_build_array({})::text", texts.join(", "))
}

/// A parameter for each part, from the first one on.
fn parameters<'a>(parts: impl IntoIterator<Item = &'a KeyColumn>) -> String {
    let casts: Vec<_> = parts
        .into_iter()
        .zip(1..)
        .map(|(it, number)| format!("${number}::{}", it.cast))
        .collect();
    casts.join(", ")
}
