//! Every test that needs a server, in one binary.

mod access;
mod harness;
mod mappings;
mod redis;
mod tables;
