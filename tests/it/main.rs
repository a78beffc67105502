//! Every test that needs a server, in one binary.

mod access;
mod connections;
mod filesource;
mod harness;
mod jobs;
mod redis;
mod tables;
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
