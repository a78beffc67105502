//! Events from HTTP body to committed rows, against `COPY` of the same rows.

use std::time::Instant;

use schema::ConnectionId;
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::records::opportunity;
use crate::report::{Report, median};
use crate::server::World;

pub(crate) const BATCH: usize = 500;
const TURNS: usize = 5;
const TABLES: [&str; 2] = ["raw_records", "opportunities"];

pub(crate) fn run() -> anyhow::Result<()> {
    block_on(async {
        let world = World::new().await?;
        measure(&world, 30_000, 4, "ingest").await?;
        measure(&world, 30_000, 1, "ingest-one-client").await
    })
}

/// The same at 1, 10 and 100 times the data.
pub(crate) fn growth() -> anyhow::Result<()> {
    block_on(async {
        let world = World::new().await?;
        for events in [5_000, 50_000, 500_000] {
            measure(&world, events, 4, &format!("ingest-of-{events}")).await?;
        }
        Ok(())
    })
}

pub(crate) fn block_on(run: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run)
}

async fn measure(world: &World, events: usize, clients: usize, name: &str) -> anyhow::Result<()> {
    let bodies = bodies(world.connection, events);
    let (mut ingest, mut unchanged, mut copy) = (Vec::new(), Vec::new(), Vec::new());
    // The first turn warms up and yields the rows to copy.
    clear(&world.pool).await?;
    send(world, &bodies, clients, "accepted").await?;
    let rows = export(&world.pool).await?;
    for _ in 0..TURNS {
        clear(&world.pool).await?;
        ingest.push(send(world, &bodies, clients, "accepted").await?);
        unchanged.push(send(world, &bodies, clients, "unchanged").await?);
        clear(&world.pool).await?;
        copy.push(import(&world.pool, &rows).await?);
    }
    let rate = |seconds: Vec<f64>| events as f64 / median(seconds);
    let (ingest, unchanged, copy) = (rate(ingest), rate(unchanged), rate(copy));
    let data =
        format!("{events} Salesforce opportunities in batches of {BATCH}, {clients} clients");
    Report {
        name,
        value: ingest,
        unit: "events/s",
        reference: "COPY of the same rows into the same two tables, one transaction",
        reference_value: copy,
        ratio: ingest / copy,
        n: TURNS,
        data: &data,
    }
    .print()?;
    Report {
        name: &name.replacen("ingest", "ingest-unchanged", 1),
        value: unchanged,
        unit: "events/s",
        reference: "ingest",
        reference_value: ingest,
        ratio: unchanged / ingest,
        n: TURNS,
        data: &data,
    }
    .print()
}

/// Batches of events.
pub(crate) fn bodies(connection: ConnectionId, events: usize) -> Vec<Vec<u8>> {
    let indices: Vec<_> = (0..events).collect();
    let event = |index: &usize| {
        format!(
            r#"{{"source":{{"system":"salesforce","connection_id":"{connection}"}},"entity":"opportunity","op":"upsert","data":{}}}"#,
            opportunity(*index, 0)
        )
    };
    let body = |batch: &[usize]| {
        let events: Vec<_> = batch.iter().map(event).collect();
        format!("[{}]", events.join(",")).into_bytes()
    };
    indices.chunks(BATCH).map(body).collect()
}

/// Sends all of them, of which the same must become; seconds.
pub(crate) async fn send(
    world: &World,
    bodies: &[Vec<u8>],
    clients: usize,
    expected: &str,
) -> anyhow::Result<f64> {
    let bodies = bodies.to_vec();
    let start = Instant::now();
    stream::iter(bodies)
        .map(anyhow::Ok)
        .try_for_each_concurrent(clients, async |body| {
            let receipt = world.post("/api/v1/events", body).await?;
            let count = receipt[expected].as_u64().unwrap_or_default();
            anyhow::ensure!(count == BATCH as u64, "{receipt}");
            Ok(())
        })
        .await?;
    Ok(start.elapsed().as_secs_f64())
}

/// Takes out what was ingested.
pub(crate) async fn clear(pool: &PgPool) -> anyhow::Result<()> {
    let sql = "truncate raw_records, opportunities, runs, source_objects cascade; checkpoint";
    sqlx::raw_sql(sql).execute(pool).await?;
    Ok(())
}

async fn export(pool: &PgPool) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut tables = Vec::new();
    for table in TABLES {
        let mut bytes = Vec::new();
        let mut chunks = pool
            .copy_out_raw(&format!("copy {table} to stdout"))
            .await?;
        while let Some(chunk) = chunks.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        tables.push(bytes);
    }
    Ok(tables)
}

/// Seconds.
async fn import(pool: &PgPool, tables: &[Vec<u8>]) -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut tx = pool.begin().await?;
    for (table, rows) in TABLES.iter().zip(tables) {
        let mut copy = tx.copy_in_raw(&format!("copy {table} from stdin")).await?;
        copy.send(rows.as_slice()).await?;
        copy.finish().await?;
    }
    tx.commit().await?;
    Ok(start.elapsed().as_secs_f64())
}
