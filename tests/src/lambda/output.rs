//! What a process says, line by line.

use std::io::{BufRead, BufReader, Read};
use std::thread;

use serde_json::Value;
use tokio::sync::watch;

use super::api::PATIENCE;

/// The lines of one stream so far, those that are JSON objects.
pub(super) struct Output(watch::Sender<Vec<Value>>);

impl Output {
    /// Reads until the process closes the stream.
    pub(super) fn read(stream: impl Read + Send + 'static) -> Output {
        let lines = watch::Sender::default();
        let sender = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                // What is not JSON is seen where the test fails.
                eprintln!("{line}");
                if let Ok(line) = serde_json::from_str(&line) {
                    sender.send_modify(|it: &mut Vec<Value>| it.push(line));
                }
            }
        });
        Output(lines)
    }

    /// The first line that is meant, as soon as it is there.
    pub(super) async fn line(&self, meant: impl Fn(&Value) -> bool) -> Value {
        let mut lines = self.0.subscribe();
        let there = lines.wait_for(|it| it.iter().any(&meant));
        let found = match tokio::time::timeout(PATIENCE, there).await {
            Ok(lines) => lines.expect("the sender lives in self").clone(),
            Err(_) => panic!("no such line in {:#?}", self.0.borrow()),
        };
        found.into_iter().find(|it| meant(it)).expect("it is there")
    }
}
