//! Records that are too large to be brought: their keys are kept aside.

use chrono::{DateTime, Utc};
use sources::{Batch, RecordBody};

use super::object::ObjectSync;
use crate::db::{self, Connection};
use crate::ingest::{Passage, Stream, UnreadRecord};

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
            RecordBody::TooLarge { limit, key } => {
                let reason = format!("the row has more than {} MiB", limit >> 20);
                Some((&it.key, key, reason, stream.plan.source_id(key).ok()))
            }
            RecordBody::Upsert(_) | RecordBody::Delete => None,
        });
        let too_large: Vec<_> = too_large.collect();
        let records: Vec<_> = too_large
            .iter()
            .map(|(source_key, payload, reason, id)| UnreadRecord {
                payload,
                reason,
                line: None,
                source_id: id.as_deref(),
                source_key: Some(source_key),
            })
            .collect();
        let mut passage = Passage::new(stream.clone(), self.run());
        passage.quarantine(conn, &records, now).await?;
        self.counts = passage.run.counts;
        self.first_rejection = passage.run.first_rejection;
        Ok(())
    }
}
