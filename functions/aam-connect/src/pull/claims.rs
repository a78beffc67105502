//! Which row a record is of, where several come into question.
//!
//! A record is stored with the key of its row. Another row with the same id is kept aside, until
//! the record's own is gone from the source or has another id.

use std::collections::{HashMap, HashSet};

use aam::db::raw_records;
use aam::db::{self, Connection};
use aam::ingest::{Item, Stream};
use mapping::Plan;
use sources::postgres::{Line, Order, Page, Row};

use super::Halt;
use super::place::Place;
use crate::db::stored::{self, Rows};

/// A row's key as it is stored: the shape of the order, then a JSON array.
pub(super) fn key(order: &Order, row: &Row) -> String {
    format!("{}{}", order.shape, serde_json::json!(row.key))
}

/// What the rows of a page change about which row has which record.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Records that they may have although they are stored from other rows.
    freed: Vec<String>,
    /// Keys of the rows whose records are not stored from them.
    unsettled: HashSet<String>,
}

/// Looks which rows of a page are not, or no longer, those of the records with their ids.
pub(super) async fn look(
    conn: &mut Connection,
    place: &Place<'_>,
    line: &mut Line,
    order: &Order,
    page: &Page,
) -> Result<Claims, Halt> {
    let Stream { plan, object, .. } = place.stream(conn).await?;
    let mut here = HashMap::new();
    let mut rows = Rows::default();
    for row in &page.rows {
        let body = row.body.as_deref();
        let (key, id) = (key(order, row), body.and_then(|it| id(&plan, it)));
        if let Some(id) = &id {
            rows.source_ids.push(id.clone());
            rows.keys.push(key.clone());
        }
        here.insert(key, id);
    }
    let unsettled = stored::list_unsettled(conn, place.tenant, object.key(), &rows).await?;
    let mut claims = Claims::default();
    let mut elsewhere = Vec::new();
    for row in unsettled {
        let index = usize::try_from(row.index)?;
        let id = rows.source_ids[index].clone();
        claims.unsettled.insert(rows.keys[index].clone());
        let Some(holder) = row.holder else { continue };
        match (here.get(&holder), holder.strip_prefix(&order.shape)) {
            (Some(None), _) => {}
            (Some(Some(now)), _) if *now == id => {}
            // A key of another shape was that of a row which is read anew, or is gone.
            (Some(Some(_)), _) | (None, None) => claims.freed.push(id),
            (None, Some(key)) => elsewhere.push((id, key.to_owned())),
        }
    }
    if !elsewhere.is_empty() {
        claims
            .freed
            .extend(left(line, place, order, &plan, elsewhere).await?);
    }
    Ok(claims)
}

/// Those of the records that their rows, by these keys, have left.
async fn left(
    line: &mut Line,
    place: &Place<'_>,
    order: &Order,
    plan: &Plan,
    held: Vec<(String, String)>,
) -> Result<Vec<String>, Halt> {
    let keys: Vec<_> = held.iter().map(|it| it.1.as_str()).collect();
    let keys = format!("[{}]", keys.join(","));
    let there = line.with_keys(place.object, order, &keys).await;
    let there: HashMap<_, _> = there.map_err(Halt::Source)?.into_iter().collect();
    let held = held.into_iter().map(|it| it.0).enumerate();
    let left = held.filter(|(index, id)| match there.get(index) {
        None => true,
        Some(None) => false,
        Some(Some(body)) => self::id(plan, body).is_some_and(|it| it != *id),
    });
    Ok(left.map(|it| it.1).collect())
}

/// The records that rows had before their ids changed, whatever became of these rows.
pub(super) async fn before(
    conn: &mut Connection,
    stream: &Stream,
    claims: &Claims,
    items: &[Item<'_>],
) -> db::Result<Vec<String>> {
    let mut rows = Rows::default();
    let unsettled = |it: &&Item<'_>| {
        it.source_key
            .is_some_and(|it| claims.unsettled.contains(it))
    };
    for item in items.iter().filter(unsettled) {
        let body = std::str::from_utf8(item.payload).unwrap_or_default();
        if let (Some(key), Some(id)) = (item.source_key, id(&stream.plan, body)) {
            rows.source_ids.push(id);
            rows.keys.push(key.to_owned());
        }
    }
    if rows.keys.is_empty() {
        return Ok(vec![]);
    }
    stored::list_left(conn, stream.tenant, stream.object.key(), &rows).await
}

/// Lets the rows of the page have the records that other rows have left.
pub(super) async fn free(
    conn: &mut Connection,
    stream: &Stream,
    claims: &Claims,
) -> db::Result<()> {
    if claims.freed.is_empty() {
        return Ok(());
    }
    raw_records::free(conn, stream.tenant, stream.object.key(), &claims.freed).await
}

fn id(plan: &Plan, body: &str) -> Option<String> {
    plan.identify(body).map(|it| it.0)
}
