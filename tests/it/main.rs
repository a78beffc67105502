//! Every test that needs a server, in one binary.

mod access;
mod auth;
mod connections;
mod events;
mod filesource;
mod harness;
mod ingest;
mod jobs;
mod mappings;
mod people;
mod redis;
mod sessions;
mod tables;
mod views;
