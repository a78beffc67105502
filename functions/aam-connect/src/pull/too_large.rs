//! Rows that are too large to be brought: their keys are kept aside.

use std::collections::BTreeMap;

use aam::db::{self, Connection};
use aam::ingest::{Passage, Stream, UnreadRecord};
use chrono::{DateTime, Utc};
use serde_json::json;
use sources::postgres::{PAGE_BYTES, Page};

use super::claims;
use super::object::Current;

impl Current {
    /// Keeps the keys of rows that were too large to be brought.
    pub(super) async fn set_aside(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        page: &Page,
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        let reason = format!("the row has more than {} MiB", PAGE_BYTES >> 20);
        let names = || self.order.key.iter().map(|it| it.name.as_str());
        let too_large = page.rows.iter().filter(|it| it.body.is_none());
        let kept: Vec<_> = too_large
            .map(|it| {
                let payload: BTreeMap<_, _> = names().zip(&it.key).collect();
                let payload = json!(payload).to_string();
                let id = stream.plan.source_id(&payload).ok();
                (id, payload, claims::key(&self.order, it))
            })
            .collect();
        let rows: Vec<_> = kept
            .iter()
            .map(|(id, payload, key)| UnreadRecord {
                payload,
                reason: &reason,
                line: None,
                source_id: id.as_deref(),
                source_key: Some(key),
            })
            .collect();
        let mut passage = Passage::new(stream.clone(), self.run());
        passage.quarantine(conn, &rows, now).await?;
        self.counts = passage.run.counts;
        Ok(())
    }
}
