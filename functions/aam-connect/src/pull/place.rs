//! An object of a source and what it becomes here.

use aam::db::Connection;
use aam::ingest::{Stream, record_declared};
use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use platform::metrics;
use schema::source::{ObjectRef, SourceSchema};
use schema::{ConnectionId, DriftId, TenantId, entity};
use sources::postgres::Object;

/// Where an object's rows come from and go to.
pub(super) struct Place<'a> {
    pub(super) tenant: TenantId,
    pub(super) connection: ConnectionId,
    pub(super) system: &'a str,
    pub(super) object: &'a Object,
    pub(super) now: DateTime<Utc>,
}

impl Place<'_> {
    /// How its records are read, with the mapping as of now.
    pub(super) async fn stream(&self, conn: &mut Connection) -> anyhow::Result<Stream> {
        let kind = &self.object.entity;
        let object = ObjectRef {
            connection: self.connection,
            name: self.object.name(),
            system: self.system.to_owned(),
            entity: entity::find(kind).with_context(|| format!("no entity `{kind}`"))?,
        };
        Ok(Stream::open(conn, self.tenant, &object, self.now).await?)
    }

    /// Learns what the source declares of the object's structure. Says what the drift is, if it
    /// is new.
    pub(super) async fn learn(
        &self,
        conn: &mut Connection,
        declared: &SourceSchema,
    ) -> anyhow::Result<Option<DriftId>> {
        let stream = self.stream(conn).await?;
        let drift = record_declared(conn, &stream, declared, self.now).await?;
        metrics::count("DriftOpened", usize::from(drift.is_some()));
        Ok(drift.map(|it| it.id))
    }

    /// Keeps the connection until the end of the transaction.
    pub(super) async fn hold(&self, conn: &mut Connection) -> anyhow::Result<()> {
        let ids = [self.connection];
        let held = aam::db::connections::lock_for_ingest(conn, self.tenant, &ids).await?;
        ensure!(!held.is_empty(), "the connection was deleted meanwhile");
        Ok(())
    }
}
