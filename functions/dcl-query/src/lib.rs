//! The dcl-query function.
