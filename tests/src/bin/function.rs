//! The functions that read queues, in one program: `function event-ingest`. The tests run it as
//! Lambda runs theirs.

use anyhow::bail;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let ended = match name.as_str() {
        "event-ingest" => event_ingest::main().await,
        "aam-worker" => aam_connect::worker_main().await,
        other => bail!("no function `{other}`: event-ingest or aam-worker"),
    };
    ended.map_err(|err| anyhow::anyhow!(err))
}
