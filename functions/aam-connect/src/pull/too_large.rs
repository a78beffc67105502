//! Rows that are too large to be brought: their keys are kept aside.

use std::collections::BTreeMap;

use aam::db::quarantine::{self, NewQuarantined};
use aam::db::{self, Connection};
use aam::ingest::{Outcome, Stream};
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;
use sources::postgres::{PAGE_BYTES, Page};

use super::claims;
use super::object::Current;
use super::place::Place;

impl Current {
    /// Keeps the keys of rows that were too large to be brought.
    pub(super) async fn set_aside(
        &mut self,
        conn: &mut Connection,
        place: &Place<'_>,
        stream: &Stream,
        page: &Page,
    ) -> db::Result<()> {
        let reason = format!("the row has more than {} MiB", PAGE_BYTES >> 20);
        let names = || self.order.key.iter().map(|it| it.name.as_str());
        let too_large = page.rows.iter().filter(|it| it.body.is_none());
        let mut kept: Vec<_> = too_large
            .map(|it| {
                let payload: BTreeMap<_, _> = names().zip(&it.key).collect();
                let payload = json!(payload).to_string();
                let hash = digest(&SHA256, payload.as_bytes());
                let id = stream.plan.source_id(&payload).ok();
                (hash, id, payload, claims::key(&self.order, it))
            })
            .collect();
        kept.sort_by(|one, other| one.0.as_ref().cmp(other.0.as_ref()));
        if kept.is_empty() {
            return Ok(());
        }
        kept.iter().for_each(|_| {
            self.counts.add(&Outcome::Quarantined {
                field: None,
                reason: String::new(),
                collides: false,
            });
        });
        let rows: Vec<_> = kept
            .iter()
            .map(|(hash, id, payload, key)| NewQuarantined {
                content_hash: hash.as_ref(),
                line: None,
                field: None,
                reason: &reason,
                payload,
                source_id: id.as_deref(),
                source_key: Some(key),
                version: None,
            })
            .collect();
        let passage = (stream.object.key(), self.run);
        quarantine::upsert(conn, place.tenant, passage, &rows, place.now).await
    }
}
