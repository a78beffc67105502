//! The line to a source, kept open from slice to slice.

use chrono::{DateTime, Utc};
use schema::{ConnectionId, EgressPolicy};
use sources::SourceError;
use sources::postgres::{Config, Line};

/// The line that a worker has open, if any.
#[derive(Default)]
pub(crate) struct Lines(Option<(Key, Line)>);

/// A connection as it was then: another config needs another line.
pub(super) type Key = (ConnectionId, DateTime<Utc>);

impl Lines {
    /// The open line, if it is that one.
    pub(super) fn open(&mut self, key: Key) -> Option<&mut Line> {
        let same = self.0.as_mut().filter(|it| it.0 == key);
        same.map(|it| &mut it.1)
    }

    /// Opens a line in the place of the one before.
    pub(super) async fn dial(
        &mut self,
        key: Key,
        config: &Config,
        egress: EgressPolicy,
    ) -> Result<&mut Line, SourceError> {
        self.hang_up().await;
        let line = Line::open(config, egress).await?;
        Ok(&mut self.0.insert((key, line)).1)
    }

    /// Closes it: after trouble nobody knows what is still under way on it.
    pub(crate) async fn hang_up(&mut self) {
        if let Some((_, line)) = self.0.take() {
            line.close().await;
        }
    }
}
