//! Every test that needs a server, in one binary.

mod access;
mod audit;
mod auth;
mod connections;
mod events;
mod filesource;
mod harness;
mod health;
mod hostile;
mod http;
mod idempotency;
mod ingest;
mod jobs;
mod limits;
mod mappings;
mod people;
mod redis;
mod sessions;
mod tables;
mod views;
