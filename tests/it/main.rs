//! Every test that needs a server, in one binary.

mod access;
mod auth;
mod events;
mod harness;
mod ingest;
mod mappings;
mod people;
mod redis;
mod sessions;
mod tables;
mod views;
