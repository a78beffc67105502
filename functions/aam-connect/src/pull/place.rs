//! An object of a source and what it becomes here.

use std::sync::Arc;

use aam::db::Connection;
use aam::ingest::{Stream, ensure_object, record_declared};
use aam::mappings;
use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use mapping::Plan;
use platform::metrics;
use schema::source::SourceSchema;
use schema::{ConnectionId, DriftId, TenantId};
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
    /// How its records are read, with the mapping as of now. The object must be registered.
    pub(super) async fn stream(&self, conn: &mut Connection) -> anyhow::Result<Stream> {
        let (name, entity) = (self.object.name(), &self.object.entity);
        let object = mappings::Object {
            connection: self.connection,
            name: &name,
            system: self.system,
            entity,
        };
        let current = mappings::current_or_shipped(conn, self.tenant, &object, self.now).await?;
        let (mapping_version, mapping) =
            current.with_context(|| format!("no entity `{entity}`"))?;
        Ok(Stream {
            tenant: self.tenant,
            connection: self.connection,
            object: name,
            system: self.system.to_owned(),
            plan: Arc::new(Plan::compile(&mapping)?),
            mapping_version,
        })
    }

    /// Learns what the source declares of the object's structure. Says what the drift is, if it
    /// is new.
    pub(super) async fn learn(
        &self,
        conn: &mut Connection,
        declared: &SourceSchema,
    ) -> anyhow::Result<Option<DriftId>> {
        let (name, entity) = (self.object.name(), self.object.entity.as_str());
        let meaning = (self.system, entity);
        ensure_object(conn, self.tenant, self.connection, &name, meaning).await?;
        let stream = self.stream(conn).await?;
        let drift = record_declared(conn, &stream, declared, self.now).await?;
        metrics::count("DriftOpened", usize::from(drift.is_some()));
        if let Some(drift) = &drift {
            let connection = self.connection;
            tracing::info!(%connection, object = name, severity = ?drift.severity, "the source drifted");
        }
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
