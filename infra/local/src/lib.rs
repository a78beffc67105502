//! What the local platform is made of.

pub mod lifeline;
pub mod postgres;
pub mod wheel;
