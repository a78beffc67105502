//! Which rows have given keys.

use serde_json::value::RawValue;

use super::conn::{Conn, Most};
use super::error::QueryError;
use super::from;
use super::page::{ONE, PAGE, find_operators};
use crate::postgres::{Object, PAGE_BYTES, PAGE_ROWS, ReadOrder};

/// Which of these keys, a JSON array of [`Row::key`](super::page::Row::key)s, a table still has: their
/// indexes. The source itself reads them back as values of its own types and compares those.
pub(super) async fn existing(
    conn: &mut Conn,
    object: &Object,
    order: &ReadOrder,
    keys: &str,
) -> Result<Vec<i64>, QueryError> {
    find_operators(conn, order).await?;
    let sql = format!(
        r#"
        select given.n - 1
        from json_array_elements($1::text::json) with ordinality given(key, n)
        where exists (select 1 from {table} t where {same})
        "#,
        table = from(object),
        same = same(order),
    );
    let asked = serde_json::from_str::<Vec<&RawValue>>(keys).map_or(0, |it| it.len());
    let most = Most { rows: asked, ..ONE };
    let rows = conn.rows(&sql, &[keys], most).await?;
    rows.iter().map(|it| it.get(0)).collect()
}

/// The rows with these keys, a JSON array of [`Row::key`](super::page::Row::key)s: the key's index, and
/// the row as JSON, unless that has with those before it more than [`PAGE_BYTES`].
pub(super) async fn with_keys(
    conn: &mut Conn,
    object: &Object,
    order: &ReadOrder,
    keys: &str,
) -> Result<Vec<(i64, Option<String>)>, QueryError> {
    find_operators(conn, order).await?;
    let sql = format!(
        r#"
        select n - 1, case when sum(octet_length(body)) over (order by n) <= {PAGE_BYTES} then body end
        from (
          select given.n, to_json(t.*)::text body
          from json_array_elements($1::text::json) with ordinality given(key, n)
          join {table} t on {same}
          order by given.n
          limit {PAGE_ROWS}
        ) found
        order by n
        "#,
        table = from(object),
        same = same(order),
    );
    let rows = conn
        .rows(&sql, &[keys], Most { columns: 2, ..PAGE })
        .await?;
    rows.iter()
        .map(|it| Ok((it.get(0)?, it.text(1)?)))
        .collect()
}

/// Whether a row has a given key.
fn same(order: &ReadOrder) -> String {
    let same = order.key.iter().enumerate();
    let same = same.map(|(n, it)| format!("{} = (given.key ->> {n})::{}", it.column(), it.cast));
    same.collect::<Vec<_>>().join(" and ")
}
