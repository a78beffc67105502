//! The phases of a sync of one object, and what follows on each.
//!
//! | phase | what happened | next |
//! |---|---|---|
//! | snapshot, incremental | a batch of a snapshot, more follow | snapshot |
//! | | a batch of changes, more follow | incremental |
//! | | the last batch of a snapshot, deletions can be found | deletions, counting |
//! | | the last batch of a snapshot, they cannot | done |
//! | | the last batch of changes | done |
//! | deletions | a slice, more follow | the same, after it |
//! | deletions, counting | the last slice, some are gone | deletions, deleting, from the start |
//! | | the last slice, none is gone | deletions from quarantine |
//! | deletions, deleting | the last slice | deletions from quarantine |
//! | deletions from quarantine | a slice, more follow | the same, after it |
//! | | the last slice | done |

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sources::ReadScope;

/// What a sync of one object is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// All records are read.
    Snapshot {
        /// Where the read stands; none before its first batch.
        state: Option<Value>,
    },
    /// What changed is read.
    Incremental {
        /// Where the read stands.
        state: Value,
    },
    /// Stored records are looked for at the source.
    Deletions {
        /// The source id of the last record that was looked for.
        after: String,
        /// How many are gone.
        gone: u64,
        /// They are counted before the first one is deleted.
        counted: bool,
    },
    /// What is in quarantine is looked for at the source.
    QuarantineDeletions {
        /// The hash of the last payload that was looked for, in hexadecimal.
        after: String,
    },
    /// Nothing is left.
    Done,
}

/// What happened in a phase.
#[derive(Debug, Clone)]
pub(super) enum PhaseEvent {
    /// A batch was written.
    Batch {
        scope: ReadScope,
        /// Where the next one begins; none after the last.
        state: Option<Value>,
        /// Whether the source tells what it no longer has, and all of it was shown.
        finds_deletions: bool,
    },
    /// A slice of what is stored was looked for.
    Slice {
        /// The last of it; none where nothing is left after it.
        last: Option<String>,
        /// How many of it are gone.
        gone: u64,
    },
}

impl Phase {
    /// What follows.
    pub(super) fn next(self, step: PhaseEvent) -> Phase {
        match (self, step) {
            (
                Phase::Snapshot { .. } | Phase::Incremental { .. },
                PhaseEvent::Batch {
                    scope,
                    state,
                    finds_deletions,
                },
            ) => match (scope, state) {
                (ReadScope::Snapshot, Some(state)) => Phase::Snapshot { state: Some(state) },
                (ReadScope::Changes, Some(state)) => Phase::Incremental { state },
                (ReadScope::Snapshot, None) if finds_deletions => Phase::deletions(0, false),
                (_, None) => Phase::Done,
            },
            (
                Phase::Deletions {
                    gone: before,
                    counted,
                    ..
                },
                PhaseEvent::Slice { last, gone },
            ) => {
                let gone = if counted { before } else { before + gone };
                match last {
                    Some(after) => Phase::Deletions {
                        after,
                        gone,
                        counted,
                    },
                    None if !counted && 0 < gone => Phase::deletions(gone, true),
                    None => Phase::QuarantineDeletions {
                        after: String::new(),
                    },
                }
            }
            (Phase::QuarantineDeletions { .. }, PhaseEvent::Slice { last, .. }) => match last {
                Some(after) => Phase::QuarantineDeletions { after },
                None => Phase::Done,
            },
            (phase, _) => phase,
        }
    }

    fn deletions(gone: u64, counted: bool) -> Phase {
        Phase::Deletions {
            after: String::new(),
            gone,
            counted,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn phase(word: &str) -> Phase {
        let (word, after) = word.split_once(' ').unwrap_or((word, ""));
        let after = after.to_owned();
        match word {
            "start" => Phase::Snapshot { state: None },
            "snapshot" => Phase::Snapshot {
                state: Some(json!(after)),
            },
            "incremental" => Phase::Incremental {
                state: json!(after),
            },
            "counting" | "counting+2" => Phase::Deletions {
                after,
                gone: if word == "counting" { 0 } else { 2 },
                counted: false,
            },
            "deleting+2" => Phase::Deletions {
                after,
                gone: 2,
                counted: true,
            },
            "quarantine" => Phase::QuarantineDeletions { after },
            "done" => Phase::Done,
            other => panic!("no such phase: {other}"),
        }
    }

    #[track_caller]
    fn check(before: &str, step: PhaseEvent, expected: &str) {
        assert_eq!(phase(before).next(step), phase(expected), "after {before}");
    }

    #[test]
    fn a_batch_goes_on_or_ends_the_read() {
        let batch = |scope, state: Option<&str>, finds_deletions| PhaseEvent::Batch {
            scope,
            state: state.map(|it| json!(it)),
            finds_deletions,
        };
        use ReadScope::{Changes, Snapshot};
        for begun in ["start", "snapshot a", "incremental a"] {
            check(begun, batch(Snapshot, Some("b"), true), "snapshot b");
            check(begun, batch(Changes, Some("b"), true), "incremental b");
            check(begun, batch(Snapshot, None, true), "counting");
            check(begun, batch(Snapshot, None, false), "done");
            check(begun, batch(Changes, None, true), "done");
        }
    }

    #[test]
    fn what_is_gone_is_counted_then_deleted_then_looked_for_in_quarantine() {
        let slice = |last: Option<&str>, gone| PhaseEvent::Slice {
            last: last.map(str::to_owned),
            gone,
        };
        check("counting", slice(Some("k"), 2), "counting+2 k");
        check("counting+2 k", slice(Some("p"), 0), "counting+2 p");
        check("counting+2 k", slice(None, 0), "deleting+2");
        check("counting", slice(None, 2), "deleting+2");
        check("counting k", slice(None, 0), "quarantine");
        check("deleting+2", slice(Some("k"), 2), "deleting+2 k");
        check("deleting+2 k", slice(None, 0), "quarantine");
        check("quarantine", slice(Some("k"), 1), "quarantine k");
        check("quarantine k", slice(None, 1), "done");
    }

    #[test]
    fn what_is_done_stays_done() {
        let slice = PhaseEvent::Slice {
            last: Some("k".to_owned()),
            gone: 1,
        };
        check("done", slice, "done");
    }
}
