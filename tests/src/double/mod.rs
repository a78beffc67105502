//! A server that answers as a real PostgreSQL does, until it lies.

mod frames;
mod player;

use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use frames::{Frame, cells, frame, frames, row};
pub use player::Reply;

use crate::postgres::socket;
use player::Truth;

/// What comes in the place of the honest answer to a question: the SQL, `startup`, `password` or
/// `ssl`.
pub type Lie = Arc<dyn Fn(&str, Vec<u8>) -> Reply + Send + Sync>;

const NO_PANIC: &str = "nothing panics while it is held";

/// A port that speaks PostgreSQL. Dropping it closes it for new connections.
pub struct Double {
    port: u16,
    parts: Arc<Parts>,
    listening: JoinHandle<()>,
}

struct Parts {
    truth: Truth,
    lie: Mutex<Lie>,
    heard: Mutex<Vec<(String, Vec<u8>)>>,
}

/// Questions, each with its honest answer.
#[derive(Clone)]
pub struct Recording(Arc<Vec<(String, Vec<u8>)>>);

impl Double {
    /// One before the tests' own server: honest until told otherwise.
    pub async fn start() -> Double {
        let socket = socket().expect("the server runs");
        Double::of(Truth::Live(socket)).await
    }

    /// One that hands each transaction to another connection than the one before, as poolers do.
    pub async fn pooling() -> Double {
        let socket = socket().expect("the server runs");
        Double::of(Truth::Pooled(socket)).await
    }

    /// One that answers as another one did. Anybody may sign in.
    pub async fn replaying(recording: &Recording) -> Double {
        Double::of(Truth::Recorded(recording.clone())).await
    }

    async fn of(truth: Truth) -> Double {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let parts = Arc::new(Parts {
            truth,
            lie: Mutex::new(honest()),
            heard: Mutex::default(),
        });
        let listening = tokio::spawn(listen(listener, Arc::clone(&parts)));
        Double {
            port,
            parts,
            listening,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it answers from now on.
    pub fn lie(&self, lie: impl Fn(&str, Vec<u8>) -> Reply + Send + Sync + 'static) {
        *self.parts.lie.lock().expect(NO_PANIC) = Arc::new(lie);
    }

    /// Says the truth again.
    pub fn repent(&self) {
        *self.parts.lie.lock().expect(NO_PANIC) = honest();
    }

    /// Everything that it was asked so far, and the honest answers.
    pub fn recording(&self) -> Recording {
        Recording(Arc::new(self.parts.heard.lock().expect(NO_PANIC).clone()))
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Recording {
    /// How many questions there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn honest() -> Lie {
    Arc::new(|_, answer| Reply::GoOn(answer))
}

async fn listen(listener: TcpListener, parts: Arc<Parts>) {
    while let Ok((client, _)) = listener.accept().await {
        let parts = Arc::clone(&parts);
        // A client that hangs up in the middle is a test's purpose, not a failure.
        tokio::spawn(async move { player::play(client, &parts).await });
    }
}
