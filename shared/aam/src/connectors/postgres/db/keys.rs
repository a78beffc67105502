//! What tells rows apart: whether it does, and which rows have given keys.

use serde_json::value::RawValue;

use super::conn::{Conn, Most};
use super::failure::Failure;
use super::from;
use super::page::{ONE, PAGE, columns, find_operators};
use crate::connectors::postgres::{Object, Order, PAGE_BYTES, PAGE_ROWS, Part};

/// SQLSTATE of a statement that took too long.
const TOO_LONG: &str = "57014";

/// Whether there are rows whose cursor is null, as far as the source finds one in three seconds.
pub(super) async fn has_null_cursors(
    conn: &mut Conn,
    object: &Object,
    cursor: &Part,
) -> Result<bool, Failure> {
    conn.run("set local statement_timeout = '3s'").await?;
    let (table, column) = (from(object), cursor.column());
    let sql = format!("select exists (select 1 from {table} t where {column} is null)");
    match conn.rows(&sql, &[], ONE).await {
        Err(Failure::Said(said)) if said.code().code() == TOO_LONG => Ok(false),
        found => found?.first().map_or(Ok(false), |it| it.get(0)),
    }
}

/// Why a key does not tell rows apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Null,
    Shared,
}

/// What is wrong with a key, as far as the source finds that out in three seconds.
pub(super) async fn fault(
    conn: &mut Conn,
    object: &Object,
    order: &Order,
) -> Result<Option<Fault>, Failure> {
    find_operators(conn, order).await?;
    conn.run("set local statement_timeout = '3s'").await?;
    let table = from(object);
    let null = order.key.iter().map(Part::column);
    let null = null.map(|it| format!("{it} is null")).collect::<Vec<_>>();
    let (null, key) = (null.join(" or "), columns(&order.key));
    let faults = [
        (Fault::Null, format!("where {null}")),
        (Fault::Shared, format!("group by {key} having count(*) > 1")),
    ];
    for (fault, clause) in faults {
        let sql = format!("select exists (select 1 from {table} t {clause})");
        let found = match conn.rows(&sql, &[], ONE).await {
            // The sync finds it out.
            Err(Failure::Said(said)) if said.code().code() == TOO_LONG => return Ok(None),
            other => other?,
        };
        if found.first().map_or(Ok(false), |it| it.get(0))? {
            return Ok(Some(fault));
        }
    }
    Ok(None)
}

/// Which of these keys, a JSON array of [`Row::key`](super::Row::key)s, a table still has: their indexes. The source
/// itself reads them back as values of its own types and compares those.
pub(super) async fn existing(
    conn: &mut Conn,
    object: &Object,
    order: &Order,
    keys: &str,
) -> Result<Vec<i64>, Failure> {
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

/// The rows with these keys, a JSON array of [`Row::key`](super::Row::key)s: the key's index, and the row as JSON,
/// unless that has with those before it more than [`PAGE_BYTES`].
pub(super) async fn with_keys(
    conn: &mut Conn,
    object: &Object,
    order: &Order,
    keys: &str,
) -> Result<Vec<(i64, Option<String>)>, Failure> {
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
fn same(order: &Order) -> String {
    let same = order.key.iter().enumerate();
    let same = same.map(|(n, it)| format!("{} = (given.key ->> {n})::{}", it.column(), it.cast));
    same.collect::<Vec<_>>().join(" and ")
}
