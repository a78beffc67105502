//! PostgreSQL databases, those of Supabase among them: tables and views, read page by page.
//!
//! **Invariant:** the source is only ever read, each time in a read-only transaction that the
//! source itself ends when it takes too long. Memory is bounded by [`PAGE_ROWS`] and
//! [`PAGE_BYTES`], whatever the source holds.

mod config;
mod session;
mod table;

use schema::Result;
use schema::entity::{ENTITIES, Entity};
use serde_json::Value;
use utoipa::PartialSchema;

use crate::{Capability, Connector};

pub use config::{Config, Object};
pub use session::{Line, Page, Row, Start};
pub use table::{Order, Part, Secured, Table};

/// A page has at most so many rows.
pub const PAGE_ROWS: usize = 500;
/// A page ends with the row that takes it beyond so many bytes.
pub const PAGE_BYTES: usize = 4 << 20;

/// The connector of Supabase, whose records have the mappings that are shipped for it.
pub const SUPABASE: Postgres = Postgres {
    name: "supabase",
    title: "Supabase",
};

/// The connector of any other PostgreSQL.
pub const POSTGRES: Postgres = Postgres {
    name: "postgres",
    title: "PostgreSQL",
};

/// A PostgreSQL under one of its names.
pub struct Postgres {
    name: &'static str,
    title: &'static str,
}

impl Connector for Postgres {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn config_schema(&self) -> Value {
        serde_json::to_value(Config::schema()).expect("a schema is plain JSON")
    }

    fn check(&self, config: &Value) -> Result<()> {
        Config::read(config).map(drop)
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["/password"]
    }

    fn entities(&self) -> &'static [&'static Entity] {
        ENTITIES
    }

    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::Sync, Capability::Discover, Capability::Replay]
    }
}
