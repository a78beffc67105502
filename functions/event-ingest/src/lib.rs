//! The event-ingest function.
