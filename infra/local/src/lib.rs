//! What the local platform is made of.

pub mod demo;
pub mod gateway;
pub mod lifeline;
mod memory;
pub mod postgres;
pub mod settings;
pub mod start;
pub mod wheel;
