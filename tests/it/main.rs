//! Every test that needs a server, in one binary.

mod access;
mod harness;
mod redis;
mod tables;
mod views;
