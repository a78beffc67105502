//! What the local platform is made of.

pub mod child_process;
pub mod demo;
pub mod gateway;
mod memory;
pub mod postgres;
pub mod reset;
mod same_origin;
pub mod settings;
pub mod start;
pub mod wheel;
