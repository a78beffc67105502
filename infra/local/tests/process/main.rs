//! The platform as a process.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod demo;
mod installation;
mod reset;
mod restore;
mod serving;
mod starting;
