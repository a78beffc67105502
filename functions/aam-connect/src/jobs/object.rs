//! What a job does to an object of its source.

use aam::db::Connection;
use aam::ingest::{Stream, record_declared};
use anyhow::Context;
use chrono::{DateTime, Utc};
use platform::metrics;
use schema::entity::Entities;
use schema::source::{ObjectRef, SourceSchema, parse_path};
use schema::{ConnectionId, DriftId};
use sources::StreamConfig;

use crate::connection::source::Source;

/// The object that a stream's records are of.
pub(super) fn object_ref(
    connection: ConnectionId,
    source: &Source,
    stream: &StreamConfig,
) -> anyhow::Result<ObjectRef> {
    let kind = &stream.entity;
    Ok(ObjectRef {
        connection,
        name: stream.name.clone(),
        system: source.connector.name().to_owned(),
        // A config names canonical entities alone.
        entity: Entities::canonical()
            .find_or_unmapped(kind)
            .with_context(|| format!("no entity `{kind}`"))?,
    })
}

/// The keys that records of that structure have.
pub(super) fn columns(schema: &SourceSchema) -> Vec<String> {
    let paths = schema.fields.keys().map(|it| parse_path(it));
    paths.filter_map(|it| it.ok()?.into_iter().next()).collect()
}

/// Records the structure that the source declares of an object. Says what the drift is, if it is
/// new.
pub(super) async fn record_schema(
    conn: &mut Connection,
    stream: &Stream,
    declared: &SourceSchema,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<DriftId>> {
    let drift = record_declared(conn, stream, declared, now).await?;
    metrics::count("DriftOpened", usize::from(drift.is_some()));
    Ok(drift.map(|it| it.id))
}
