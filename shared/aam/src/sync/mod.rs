//! Syncing one object of a source: which records are next, and what becomes of them.
//!
//! A sync goes from phase to phase ([`Phase`]), batch by batch: the source is asked for a batch
//! (from [`ObjectSync::read_state`] on), what is stored of its records is looked up, the source is
//! asked about those that changed places ([`PendingRowClaims`]), and all of it is written
//! ([`ObjectSync::write`]).
//!
//! **Invariant:** the source is never asked within a transaction. What came is written together
//! with how far it reaches, so a kill at any point loses and doubles nothing.

mod claims;
mod deletions;
mod object;
mod phase;
mod too_large;

pub use claims::{ContestedBatch, PendingRowClaims};
pub use deletions::{Candidates, Gone};
pub use object::{Fetched, FetchedBatch, ObjectSync};
pub use phase::Phase;
