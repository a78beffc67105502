//! Every test that needs a server, in one binary.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod access;
mod audit;
mod auth;
mod cancel;
mod connections;
mod data_key;
mod events;
mod fair_queue;
mod filesource;
mod frozen;
mod grants;
mod guessing;
mod harness;
mod health;
mod hostile;
mod http;
mod idempotency;
mod ingest;
mod jobs;
mod limits;
mod mappings;
mod migrate;
mod openapi;
mod people;
mod pull;
mod pull_config;
mod pull_hostile;
mod pull_keys;
mod pull_random;
mod pull_state;
mod pull_types;
mod queue;
mod queue_model;
mod redis;
mod rotation;
mod sessions;
mod spreadsheets;
mod standing;
mod structure;
mod tables;
mod telemetry;
mod template;
mod views;
mod watch;
