//! The aam-monitor function.
