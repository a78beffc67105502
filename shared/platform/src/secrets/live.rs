//! A secret that is read again when it is due, by one for all.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use schema::Error;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::document::{Credentials, Document};
use super::failure::Failure;
use super::schedule::Schedule;
use super::source::{Source, Stage, Version};
use crate::env;

/// What a secret's JSON says.
pub trait Secret: DeserializeOwned + Send + Sync + 'static {
    /// Whether the version before is of use beside the current one.
    const USES_PREVIOUS: bool;
    /// Whether the version that a rotation made may be in force already, where the current one
    /// does not do. It must not be believed for anything else.
    const USES_PENDING: bool;

    /// Takes on what the version before knows.
    fn remember(&mut self, before: Self);
}

impl Secret for Document {
    const USES_PREVIOUS: bool = true;
    const USES_PENDING: bool = false;

    fn remember(&mut self, before: Document) {
        Document::remember(self, before);
    }
}

impl Secret for Credentials {
    const USES_PREVIOUS: bool = false;
    // The database knows a new password some seconds before the secret says that it is in force.
    const USES_PENDING: bool = true;

    fn remember(&mut self, _: Credentials) {}
}

/// A secret as it is now. Cheap to clone; the clones share what they know.
pub struct RefreshingSecret<T>(Arc<Inner<T>>);

struct Inner<T> {
    source: Source,
    state: RwLock<State<T>>,
    /// Held by the one who reads.
    flight: Mutex<()>,
}

struct State<T> {
    held: Option<Held<T>>,
    schedule: Schedule,
    failure: Option<Failure>,
}

struct Held<T> {
    value: Arc<T>,
    /// The version that the source calls it.
    version: String,
    read: Instant,
}

/// How long a value is used before it is read again, where nobody says otherwise.
pub const TTL: Duration = Duration::from_secs(300);
/// How long the first reading may take, which the request cannot do without.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long a reading may take while there is an older value.
const IMPATIENCE: Duration = Duration::from_secs(2);

const UNAVAILABLE: Error = Error::Unavailable("the function's secrets cannot be read, try again");

impl<T> Clone for RefreshingSecret<T> {
    fn clone(&self) -> RefreshingSecret<T> {
        RefreshingSecret(self.0.clone())
    }
}

impl<T: Secret> RefreshingSecret<T> {
    /// A secret that nobody has read yet.
    pub fn new(source: Source, ttl: Duration) -> RefreshingSecret<T> {
        let state = State {
            held: None,
            schedule: Schedule::new(ttl),
            failure: None,
        };
        RefreshingSecret(Arc::new(Inner {
            source,
            state: RwLock::new(state),
            flight: Mutex::new(()),
        }))
    }

    /// The same with the time to live that `SECRETS_TTL_SECONDS` says, 300 where it is absent.
    pub(super) fn of(source: Source) -> anyhow::Result<RefreshingSecret<T>> {
        let ttl = env::optional("SECRETS_TTL_SECONDS")?.map_or(TTL, Duration::from_secs);
        Ok(RefreshingSecret::new(source, ttl))
    }

    /// The value, read first where that is due.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where it could never be read.
    pub async fn get(&self) -> schema::Result<Arc<T>> {
        self.get_at(Instant::now()).await
    }

    pub(super) async fn get_at(&self, now: Instant) -> schema::Result<Arc<T>> {
        if !self.is_due(now) {
            return self.known();
        }
        let _flight = match self.0.flight.try_lock() {
            Ok(flight) => flight,
            Err(_) => match self.known() {
                // Somebody reads already, and what is known serves meanwhile.
                Ok(value) => return Ok(value),
                Err(_) => self.0.flight.lock().await,
            },
        };
        // Whoever waited has the answer of the one it waited for, be it a failure.
        if self.is_due(now) {
            self.read(now, Cached::Allowed).await;
        }
        self.known()
    }

    /// The value that was read last, without a look at its age.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where none could be read yet.
    pub fn known(&self) -> schema::Result<Arc<T>> {
        self.look(|state| state.held.as_ref().map(|it| it.value.clone()))
            .ok_or(UNAVAILABLE)
    }

    /// A value newer than one that did not do, if there is one: the current one, else the pending
    /// one where that may be in force. It asks past every cache, at most every few seconds whoever
    /// calls.
    pub async fn newer_than(&self, seen: &Arc<T>) -> Option<Arc<T>> {
        self.newer_than_at(seen, Instant::now()).await
    }

    pub(super) async fn newer_than_at(&self, seen: &Arc<T>, now: Instant) -> Option<Arc<T>> {
        let newer = || self.known().ok().filter(|it| !Arc::ptr_eq(it, seen));
        let _flight = self.0.flight.lock().await;
        if newer().is_none() && self.change(|state| state.schedule.force(now)) {
            self.read(now, Cached::Refused).await;
        }
        newer()
    }

    /// What is wrong with the last reading, if something is.
    pub fn failure(&self) -> Option<Failure> {
        self.look(|state| state.failure.clone())
    }

    async fn read(&self, now: Instant, cached: Cached) {
        let known = self.look(|state| state.held.as_ref().map(|it| it.version.clone()));
        let patience = if known.is_some() {
            IMPATIENCE
        } else {
            PATIENCE
        };
        let reading = self.fetch(known.as_deref(), cached);
        let fetched = match tokio::time::timeout(patience, reading).await {
            Ok(fetched) => fetched,
            Err(_) => Err(Failure::Away(format!("no answer within {patience:?}"))),
        };
        self.keep(now, fetched);
    }

    /// The current version, or none where it is the known one. A version that was pending when it
    /// was read is the known one too: it gives way to the current one, unless it has become that.
    async fn fetch(
        &self,
        known: Option<&str>,
        cached: Cached,
    ) -> Result<Option<(String, T)>, Failure> {
        let source = &self.0.source;
        let before = async {
            // At a cold start at the same time; later only when there is a new version.
            match (T::USES_PREVIOUS, known) {
                (true, None) => source.read(Stage::Previous, cached).await.ok(),
                _ => None,
            }
        };
        let (current, mut before) =
            futures_util::future::join(source.read(Stage::Current, cached), before).await;
        let current = current?;
        if known == Some(current.id.as_str()) {
            return Ok(match cached {
                Cached::Refused if T::USES_PENDING => self.pending(&current.id).await,
                _ => None,
            });
        }
        if T::USES_PREVIOUS && known.is_some() {
            before = source.read(Stage::Previous, cached).await.ok();
        }
        let mut value = parse::<T>(&current)?;
        if let Some(before) = before.and_then(|it| parse(&it).ok()) {
            value.remember(before);
        }
        Ok(Some((current.id, value)))
    }

    /// What is pending beside the current version. It need not be there, nor be readable.
    async fn pending(&self, current: &str) -> Option<(String, T)> {
        let pending = self.0.source.read(Stage::Pending, Cached::Refused).await;
        let pending = pending.ok().filter(|it| it.id != current)?;
        Some((pending.id.clone(), parse(&pending).ok()?))
    }

    fn keep(&self, now: Instant, fetched: Result<Option<(String, T)>, Failure>) {
        let name = self.0.source.name();
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(fetched) => {
                state.schedule.succeeded(now, jitter());
                if state.failure.take().is_some() {
                    tracing::info!(secret = name, "the secret can be read again");
                }
                match (fetched, &mut state.held) {
                    (None, Some(held)) => held.read = now,
                    (None, None) => {}
                    (Some((version, value)), held) => {
                        tracing::info!(secret = name, version, "the secret was read");
                        let value = Arc::new(value);
                        let read = now;
                        *held = Some(Held {
                            value,
                            version,
                            read,
                        });
                    }
                }
            }
            Err(failure) => {
                state.schedule.failed(now, jitter());
                let age = state.held.as_ref().map(|it| now - it.read);
                tracing::error!(
                    secret = name,
                    advice = failure.advice(),
                    used_since_secs = age.map(|it| it.as_secs()),
                    "{}",
                    failure.complaint(),
                );
                state.failure = Some(failure);
            }
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.look(|state| state.schedule.is_due(now))
    }

    fn change<R>(&self, how: impl FnOnce(&mut State<T>) -> R) -> R {
        how(&mut self.0.state.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn look<R>(&self, what: impl FnOnce(&State<T>) -> R) -> R {
        what(&self.0.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether an answer that is not of this moment will do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cached {
    Allowed,
    Refused,
}

/// The value, or where it is wrong. What stands there is secret.
pub(super) fn parse<T: DeserializeOwned>(version: &Version) -> Result<T, Failure> {
    use secrecy::ExposeSecret;
    let mut json = serde_json::Deserializer::from_str(version.text.expose_secret());
    serde_path_to_error::deserialize(&mut json).map_err(|err| {
        let place = err.path().to_string();
        let err = err.into_inner();
        let text = err.to_string();
        // "invalid type: string "…"" shows the value.
        let what = match text.starts_with("invalid ") {
            true => format!(
                "of another kind at line {} column {}",
                err.line(),
                err.column()
            ),
            false => text,
        };
        Failure::Malformed(format!("`{place}`: {what}"))
    })
}

/// Anything from 0 to 1.
fn jitter() -> f64 {
    let mut bytes = [0; 2];
    // A process that always has the same luck still works.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX)
}
