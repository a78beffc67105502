//! Rows of a source that tells its rows apart, with one id.

use std::collections::HashMap;

use super::prepare::Read;
use crate::db::raw_records::Known;

/// A record is of one row: the one that it was stored from, or the first one to come.
pub(super) fn contest<'a>(read: Vec<Option<Read<'a>>>, known: &[Known]) -> Vec<Option<Read<'a>>> {
    let stored = known.iter().filter(|it| !it.deleted);
    let mut holders: HashMap<String, String> = stored
        .filter_map(|it| Some((it.source_id.clone(), it.source_key.clone()?)))
        .collect();
    let mut contest = |it: Read<'a>| {
        let item = it?;
        let Some(key) = item.source_key else {
            return Ok(item);
        };
        let holder = holders.entry(item.source_id.clone());
        let holder = holder.or_insert_with(|| key.to_owned());
        if holder == key {
            Ok(item)
        } else {
            Err(Box::new(item.collide(holder)))
        }
    };
    read.into_iter().map(|it| it.map(&mut contest)).collect()
}
