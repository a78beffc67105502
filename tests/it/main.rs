//! Every test that needs a server, in one binary.

mod access;
mod connections;
mod filesource;
mod harness;
mod jobs;
mod redis;
mod tables;
mod mappings;
