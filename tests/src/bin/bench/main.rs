//! The benchmarks: `cargo run --release -p tests --bin bench -- <name>…|all`.
//!
//! Each prints one JSON object a line. Speeds are ratios to a reference that was measured in the
//! same run on the same data, turn by turn, medians of several turns; the absolute numbers stand
//! beside them.

mod canonicalise;
mod cold_start;
mod infer;
mod ingest;
mod lint;
mod matching;
mod me;
mod memory;
mod records;
mod replay;
mod report;
mod schemas;
mod server;
mod sync_postgres;
mod view_page;

use anyhow::bail;

/// One benchmark.
type Bench = (&'static str, fn() -> anyhow::Result<()>);

/// In the order of `all`.
const BENCHES: &[Bench] = &[
    ("canonicalise", canonicalise::run),
    ("canonicalise-formats", canonicalise::formats),
    ("ingest", ingest::run),
    ("ingest-growth", ingest::growth),
    ("infer", infer::run),
    ("replay", replay::run),
    ("sync-postgres", sync_postgres::run),
    ("sync-postgres-growth", sync_postgres::growth),
    ("me", me::run),
    ("fingerprint", schemas::fingerprint),
    ("drift-diff", schemas::drift_diff),
    ("view-page", view_page::page),
    ("view-page-growth", view_page::growth),
    ("view-deep", view_page::deep),
    ("cold-start", cold_start::run),
    ("lint", lint::run),
    ("match", matching::run),
];

fn main() -> anyhow::Result<()> {
    if tests::postgres::keep_if_asked()? {
        return Ok(());
    }
    let asked: Vec<_> = std::env::args().skip(1).collect();
    let all = asked.iter().any(|it| it == "all");
    for name in &asked {
        if name != "all" && !BENCHES.iter().any(|it| it.0 == name) {
            let names: Vec<_> = BENCHES.iter().map(|it| it.0).collect();
            bail!(
                "no benchmark `{name}`: there are {} and all",
                names.join(", ")
            );
        }
    }
    for (name, run) in BENCHES {
        if all || asked.iter().any(|it| it == name) {
            run()?;
        }
    }
    Ok(())
}
