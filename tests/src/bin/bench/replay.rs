//! Stored records under a new version of their mapping, against ingesting them.

use std::time::Instant;

use aam_connect::worker;
use anyhow::Context;
use schema::mapping::Mapping;
use serde_json::{Value, json};

use crate::ingest::{BATCH, block_on, bodies, clear, send};
use crate::report::{Report, median};
use crate::server::World;

/// How many records there are, where `REPLAY_ROWS` does not say.
const ROWS: usize = 1_000_000;
const TURNS: usize = 5;
const CLIENTS: usize = 4;

pub(crate) fn run() -> anyhow::Result<()> {
    let rows: usize = platform::env::optional("REPLAY_ROWS")?.unwrap_or(ROWS);
    block_on(measure(rows / BATCH * BATCH))
}

async fn measure(rows: usize) -> anyhow::Result<()> {
    let world = World::new().await?;
    let bodies = bodies(world.connection, rows);
    let shipped = mapping::shipped::find("salesforce", "opportunity").context("is shipped")?;
    let mut other = shipped.clone();
    // What it read stays in `extras`, so that each record changes.
    other.fields.retain(|it| it.target != "owner_id");
    let (mut ingest, mut replay) = (Vec::new(), Vec::new());
    clear(&world.pool).await?;
    send(&world, &bodies, CLIENTS, "accepted").await?;
    for _ in 0..TURNS {
        clear(&world.pool).await?;
        ingest.push(send(&world, &bodies, CLIENTS, "accepted").await?);
        replay.push(adopt(&world, &other, rows).await?);
    }
    let rate = |seconds: Vec<f64>| rows as f64 / median(seconds);
    let (ingest, replay) = (rate(ingest), rate(replay));
    Report {
        name: "replay",
        value: replay,
        unit: "rows/s",
        reference: "ingest of the same records with 4 clients",
        reference_value: ingest,
        ratio: replay / ingest,
        n: TURNS,
        data: &format!("{rows} Salesforce opportunities, of which each one changes"),
    }
    .print()
}

/// Brings the mapping into force and maps all that is stored by it; seconds.
async fn adopt(world: &World, mapping: &Mapping, rows: usize) -> anyhow::Result<f64> {
    let object = format!(
        "/api/v1/dcl/mappings/{}/salesforce.opportunity",
        world.connection
    );
    let new = json!({ "reason": "benchmark", "mapping": mapping }).to_string();
    let start = Instant::now();
    let adopted = world.post(&object, new.into_bytes()).await?;
    while Box::pin(worker::step(&world.platform)).await? {}
    let took = start.elapsed().as_secs_f64();
    let job = adopted["replay"]["job_id"]
        .as_str()
        .context("a job has an id")?;
    let result: Value = sqlx::query_scalar("select to_json(jobs) from jobs where id = $1::uuid")
        .bind(job)
        .fetch_one(&world.pool)
        .await?;
    let written = result["result"]["written"].as_u64();
    anyhow::ensure!(written == Some(rows as u64), "not {rows} written: {result}");
    Ok(took)
}
