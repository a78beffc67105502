//! Every test that needs a server, in one binary.

mod access;
mod auth;
mod harness;
mod mappings;
mod people;
mod redis;
mod sessions;
mod tables;
mod views;
