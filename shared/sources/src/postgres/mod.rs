//! PostgreSQL databases, those of Supabase among them: tables and views, read page by page.
//!
//! **Invariant:** the source is only ever read, each time in a read-only transaction that the
//! source itself ends when it takes too long. Memory is bounded by `PAGE_ROWS` and
//! `PAGE_BYTES`, whatever the source holds.

mod config;
mod session;
mod table;

use futures_util::future::BoxFuture;
use schema::Result;
use schema::entity::{ENTITIES, Entity, UNMAPPED};
use serde_json::Value;
use utoipa::PartialSchema;

use crate::{Capability, ConnectContext, Connector, Session, SourceError, StreamConfig};

pub(crate) use config::{Config, Object};
use session::PostgresSession;
pub(crate) use table::{KeyColumn, ReadOrder, RowSecurity, Table};

/// A page has at most so many rows.
pub(crate) const PAGE_ROWS: usize = 500;
/// A page ends with the row that takes it beyond so many bytes.
pub(crate) const PAGE_BYTES: usize = 4 << 20;

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

    fn validate(&self, config: &Value) -> Result<()> {
        Config::read(config).map(drop)
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["/password"]
    }

    fn selection(&self) -> &'static [&'static str] {
        &["/objects"]
    }

    fn entities(&self) -> &'static [&'static Entity] {
        ENTITIES
    }

    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::Sync, Capability::Discover, Capability::Replay]
    }

    fn streams(&self, config: &Value) -> Result<Vec<StreamConfig>> {
        let config = Config::read(config)?;
        let stream = |it: Object| StreamConfig {
            name: it.name(),
            entity: it.entity.unwrap_or_else(|| UNMAPPED.kind.to_string()),
        };
        Ok(config.objects.into_iter().map(stream).collect())
    }

    fn is_named(&self, stream: &str, name: &str) -> bool {
        stream == name || stream.strip_prefix("public.") == Some(name)
    }

    fn connect(
        &self,
        context: ConnectContext,
    ) -> BoxFuture<'_, std::result::Result<Box<dyn Session>, SourceError>> {
        Box::pin(async move {
            let config = Config::read(&context.config).map_err(SourceError::from_config)?;
            let session = PostgresSession::open(config, context.egress).await?;
            Ok(Box::new(session) as Box<dyn Session>)
        })
    }
}
