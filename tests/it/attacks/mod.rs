//! What somebody tries who got further than they should: one attack a test.

mod audit;
mod database;
mod tenant_deletion;
