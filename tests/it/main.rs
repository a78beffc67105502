//! Every test that needs a server, in one binary.

mod harness;
