//! Every test that needs a server, in one binary.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod access;
mod attacks;
mod attacks_accounts;
mod audit;
mod auth;
mod cancel;
mod cargo_lambda_watch;
mod compression;
mod connections;
mod cost_reports;
mod custom_entities;
mod custom_fields;
mod data_key;
mod dead_connections;
mod dependencies;
mod events;
mod fair_queue;
mod filesource;
mod full_disk;
mod fuzz_input;
mod grants;
mod guessing;
mod harness;
mod health;
mod http;
mod idempotency;
mod identity;
mod ingest;
mod limits;
mod mapping_checks;
mod mapping_laws;
mod mappings;
mod migrate;
mod objects;
mod openapi;
mod ordinary_owner;
mod proposal_answers;
mod pull;
mod pull_config;
mod pull_hostile;
mod pull_keys;
mod pull_random;
mod pull_state;
mod pull_types;
mod quarantine;
mod queries;
mod queue_consumers;
mod queue_model;
mod readme;
mod redis;
mod replay;
mod rollback;
mod rotation;
mod rows_of_files;
mod run_outcomes;
mod scheduled_syncs;
mod schema_names;
mod secret_exchange;
mod sessions;
mod split_brain;
mod spreadsheets;
mod streams;
mod structure;
mod tables;
mod telemetry;
mod template;
mod toy_connector;
mod unmapped;
mod unmapped_deletes;
mod users;
mod views;
