//! The aam-connect function.
