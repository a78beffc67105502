//! The session with a source, kept open from slice to slice.

use chrono::{DateTime, Utc};
use schema::ConnectionId;
use serde_json::Value;
use sources::{Batch, Session, SourceError};

/// The session that a worker has open, if any.
#[derive(Default)]
pub(crate) struct SessionCache(Option<Open>);

struct Open {
    key: SessionKey,
    session: Box<dyn Session>,
    prefetched: Option<Prefetched>,
}

/// A batch that was fetched while the one before it was written.
struct Prefetched {
    stream: String,
    state: Value,
    batch: Batch,
}

/// A connection as it was then: another config needs another session.
pub(crate) type SessionKey = (ConnectionId, DateTime<Utc>);

impl SessionCache {
    /// The open session, if it is that one.
    pub(crate) fn get(&mut self, key: SessionKey) -> Option<&mut dyn Session> {
        let same = self.0.as_mut().filter(|it| it.key == key)?;
        Some(&mut *same.session)
    }

    /// Keeps a session in the place of the one before.
    pub(crate) async fn insert(&mut self, key: SessionKey, session: Box<dyn Session>) {
        self.close().await;
        self.0 = Some(Open {
            key,
            session,
            prefetched: None,
        });
    }

    /// Fetches the batch after that state in advance. One that does not come is asked for again,
    /// and then its error counts.
    pub(crate) async fn prefetch(&mut self, key: SessionKey, stream: &str, state: &Value) {
        let Some(open) = self.0.as_mut().filter(|it| it.key == key) else {
            return;
        };
        let read: Result<Batch, SourceError> = open.session.read(stream, Some(state)).await;
        match read {
            Ok(batch) => {
                open.prefetched = Some(Prefetched {
                    stream: stream.to_owned(),
                    state: state.clone(),
                    batch,
                });
            }
            Err(error) => {
                tracing::debug!(%error, stream, "a batch did not come in advance, it is asked for again");
                self.close().await;
            }
        }
    }

    /// The batch that was fetched in advance, if it is the one after that state.
    pub(crate) fn take_prefetched(
        &mut self,
        key: SessionKey,
        (stream, state): (&str, Option<&Value>),
    ) -> Option<Batch> {
        let open = self.0.as_mut().filter(|it| it.key == key)?;
        let prefetched = open.prefetched.take()?;
        let same = prefetched.stream == stream && Some(&prefetched.state) == state;
        same.then_some(prefetched.batch)
    }

    /// Closes it: after an error nobody knows what is still under way on it.
    pub(crate) async fn close(&mut self) {
        if let Some(open) = self.0.take() {
            open.session.close().await;
        }
    }
}
