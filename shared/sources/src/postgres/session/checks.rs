//! Whether a table's key and cursor are what they have to be, as far as its rows tell soon.
//!
//! Of a large table an answer may take longer than anybody waits for: the sync finds the rest out.

use super::conn::Conn;
use super::error::QueryError;
use super::from;
use super::page::{ONE, columns, find_operators};
use crate::postgres::{KeyColumn, Object, ReadOrder};

/// SQLSTATE of a statement that took too long.
const TOO_LONG: &str = "57014";

/// Why a key does not tell rows apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Null,
    Shared,
}

/// What is wrong with a key.
pub(super) async fn fault(
    conn: &mut Conn,
    object: &Object,
    order: &ReadOrder,
) -> Result<Option<Fault>, QueryError> {
    find_operators(conn, order).await?;
    let null = order.key.iter().map(KeyColumn::column);
    let null: Vec<_> = null.map(|it| format!("{it} is null")).collect();
    let null = row_exists(object, &format!("where {}", null.join(" or ")));
    if holds(conn, &null).await? == Some(true) {
        return Ok(Some(Fault::Null));
    }
    let key = columns(&order.key);
    let shared = row_exists(object, &format!("group by {key} having count(*) > 1"));
    let shared = holds(conn, &shared).await? == Some(true);
    Ok(shared.then_some(Fault::Shared))
}

/// Whether a cursor is the source's own time, whenever it is asked, rather than that of a change:
/// a sync would never come to its end.
pub(super) async fn is_clock(
    conn: &mut Conn,
    object: &Object,
    cursor: &KeyColumn,
) -> Result<bool, QueryError> {
    // A day is a cursor that stands still while it is followed.
    let Some(now) = cursor.now().filter(|_| cursor.cast != "date") else {
        return Ok(false);
    };
    let (column, now) = (cursor.column(), format!("({now})"));
    // The first row of any other table answers that.
    let earlier = row_exists(object, &format!("where {column} < {now}"));
    let soon = format!("where {column} between {now} and {now} + interval '1 minute'");
    let soon = row_exists(object, &soon);
    let clock = holds(conn, &format!("not {earlier} and {soon}")).await?;
    Ok(clock == Some(true))
}

/// Whether there are rows whose cursor is null.
pub(super) async fn has_null_cursors(
    conn: &mut Conn,
    object: &Object,
    cursor: &KeyColumn,
) -> Result<bool, QueryError> {
    let null = row_exists(object, &format!("where {} is null", cursor.column()));
    Ok(holds(conn, &null).await? == Some(true))
}

/// That a table has a row, as SQL.
fn row_exists(object: &Object, clause: &str) -> String {
    format!("exists (select 1 from {} t {clause})", from(object))
}

/// Whether a condition holds; nothing where the source does not find that out in three seconds.
async fn holds(conn: &mut Conn, condition: &str) -> Result<Option<bool>, QueryError> {
    conn.run("savepoint asked; set local statement_timeout = '3s'")
        .await?;
    match conn.rows(&format!("select {condition}"), &[], ONE).await {
        Err(QueryError::Said(said)) if said.code().code() == TOO_LONG => {
            conn.run("rollback to savepoint asked").await?;
            Ok(None)
        }
        found => found?.first().map(|it| it.get(0)).transpose(),
    }
}
