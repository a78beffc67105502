//! What may identify a record, judged over all that is stored.

use mapping::matcher::{KeyCount, key_pairs};
use schema::TenantId;
use schema::source::{ObjectKey, parse_path};

use crate::db::key_counts::{self, Fields};
use crate::db::{self, Connection};

/// So many records are counted: all of nearly every object. Where that takes too long, fewer.
const MOST: [i64; 2] = [1_000_000, 50_000];

/// Counts these fields anew over what is stored, and pairs of them where none is unique. What is
/// stored in the order of a hash is a random sample where it is too much. Where nothing can be
/// counted in time, the counts stay as they are.
pub(super) async fn count(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    sampled: Vec<KeyCount>,
) -> db::Result<Vec<KeyCount>> {
    let paths: Vec<_> = sampled.iter().map(|it| it.paths.clone()).collect();
    for most in MOST {
        let Some(mut counts) = count_paths(conn, tenant, object, (&paths, most)).await? else {
            continue;
        };
        let pairs = key_pairs(&counts).into_iter();
        let pairs: Vec<_> = pairs.map(|it| it.map(str::to_owned).to_vec()).collect();
        if let Some(more) = count_paths(conn, tenant, object, (&pairs, most)).await? {
            counts.extend(more);
        }
        return Ok(counts);
    }
    Ok(sampled)
}

async fn count_paths(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    (paths, most): (&[Vec<String>], i64),
) -> db::Result<Option<Vec<KeyCount>>> {
    if paths.is_empty() {
        return Ok(Some(vec![]));
    }
    let json = |it: &String| serde_json::json!(parse_path(it).unwrap_or_default()).to_string();
    let fields = Fields {
        first: paths.iter().map(|it| json(&it[0])).collect(),
        second: paths.iter().map(|it| it.get(1).map(json)).collect(),
    };
    let counted = key_counts::count(conn, tenant, object, (&fields, most)).await?;
    let count = |it: key_counts::Counted| {
        let at = usize::try_from(it.place - 1).ok()?;
        Some(KeyCount {
            paths: paths.get(at)?.clone(),
            rows: it.rows.unsigned_abs(),
            empty: (it.rows - it.filled).unsigned_abs(),
            collisions: (it.filled - it.distinct).unsigned_abs(),
        })
    };
    Ok(counted.map(|it| it.into_iter().filter_map(count).collect()))
}
