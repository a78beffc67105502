//! Records that are too large to be brought: their keys are kept aside.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use sources::{Batch, RecordBody};

use super::object::ObjectSync;
use crate::db::quarantine::{self, NewQuarantined};
use crate::db::{self, Connection};
use crate::ingest::{Outcome, Stream};

impl ObjectSync {
    /// Keeps the keys of records that were too large to be brought.
    pub(super) async fn quarantine_too_large(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        let too_large = batch.records.iter().filter_map(|it| match &it.body {
            RecordBody::TooLarge { limit, key } => Some((&it.key, limit, key)),
            RecordBody::Upsert(_) | RecordBody::Delete => None,
        });
        let mut kept: Vec<_> = too_large
            .map(|(source_key, limit, payload)| {
                let hash = digest(&SHA256, payload.as_bytes());
                let id = stream.plan.source_id(payload).ok();
                let reason = format!("the row has more than {} MiB", limit >> 20);
                (hash, id, payload, source_key, reason)
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
            .map(|(hash, id, payload, source_key, reason)| NewQuarantined {
                content_hash: hash.as_ref(),
                line: None,
                field: None,
                reason,
                payload,
                source_id: id.as_deref(),
                source_key: Some(source_key),
                version: None,
            })
            .collect();
        let object = (stream.object.key(), self.run);
        quarantine::upsert(conn, stream.tenant, object, &rows, now).await
    }
}
