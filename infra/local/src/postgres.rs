//! A private PostgreSQL: found or installed, started, and stopped with the process that started it.
//!
//! It listens on no port. Its one door is a socket in its data directory, which only its user
//! may enter; so no password is needed, and no port can be taken.
//!
//! **Invariant:** one data directory belongs to one [`Server`] at a time, held by a file lock
//! that the operating system drops with the process. A start may therefore clear away whatever
//! an earlier, killed one has left.

mod binaries;
mod data;
mod server;

pub use binaries::Binaries;
pub use data::erase;
pub use server::{Profile, Server, accepts, options, url};

#[cfg(test)]
mod tests;
