//! What it costs to say what a table is: uploading a CSV file and asking for its proposal, against
//! uploading it.

use std::time::Instant;

use anyhow::Context;
use serde_json::json;

use crate::ingest::block_on;
use crate::records::csv_of_export;
use crate::report::{Report, median};
use crate::server::World;

/// Megabytes of CSV, where `INFER_MB` does not say.
const MEGABYTES: usize = 100;
/// A request takes no more than ten.
const FILE: usize = 8 << 20;
const TURNS: usize = 3;
const BOUNDARY: &str = "a-boundary-that-is-in-no-file";

pub(crate) fn run() -> anyhow::Result<()> {
    let megabytes: usize = platform::env::optional("INFER_MB")?.unwrap_or(MEGABYTES);
    block_on(measure(megabytes))
}

async fn measure(megabytes: usize) -> anyhow::Result<()> {
    let world = World::new().await?;
    let (mut uploads, mut both) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let new = json!({
            "name": format!("Files {turn}"), "source_type": "filesource", "connector_config": {},
        });
        let made = world
            .post("/api/v1/aam/connections", new.to_string().into_bytes())
            .await?;
        let connection = made["id"].as_str().context("a connection has an id")?;
        let start = Instant::now();
        for file in 0..(megabytes << 20).div_ceil(FILE) {
            upload(&world, connection, file).await?;
        }
        let uploaded = start.elapsed().as_secs_f64();
        let path = format!("/api/v1/dcl/proposals/{connection}/vorgaenge");
        let proposal = world.get(&path).await?;
        anyhow::ensure!(
            proposal["entity"] == "opportunity",
            "{}",
            proposal["entities"]
        );
        uploads.push(uploaded);
        both.push(start.elapsed().as_secs_f64());
    }
    let rate = |seconds: Vec<f64>| megabytes as f64 / median(seconds);
    let (uploads, both) = (rate(uploads), rate(both));
    Report {
        name: "infer",
        value: both,
        unit: "MB/s",
        reference: "the upload alone, in which the schema is inferred; ratio of times",
        reference_value: uploads,
        ratio: uploads / both,
        n: TURNS,
        data: &format!("{megabytes} MB of CSV, 9 columns, in files of 8 MB"),
    }
    .print()
}

async fn upload(world: &World, connection: &str, file: usize) -> anyhow::Result<()> {
    let csv = csv_of_export(file * 1_000_000, FILE);
    let body = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; \
         filename=\"vorgaenge.csv\"\r\n\r\n{csv}\r\n--{BOUNDARY}--\r\n"
    );
    let path = format!("/api/v1/filesource/upload?connection_id={connection}");
    let form = format!("multipart/form-data; boundary={BOUNDARY}");
    let report = world.post_as(&form, &path, body.into_bytes()).await?;
    let read = report["files"][0]["rows_read"].as_u64();
    anyhow::ensure!(read.is_some_and(|it| it > 10_000), "{report}");
    Ok(())
}
