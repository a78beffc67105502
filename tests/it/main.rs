//! Every test that needs a server, in one binary.

mod access;
mod events;
mod harness;
mod ingest;
mod mappings;
mod redis;
mod tables;
