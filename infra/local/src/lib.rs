//! What the local platform is made of.

pub mod gateway;
pub mod lifeline;
pub mod postgres;
pub mod wheel;
