//! A full sync of a table, against `COPY … to stdout` piped into `COPY … from stdin` of the same
//! rows into the same two tables; then the same sync again, in which nothing has changed.

use std::time::Instant;

use aam_connect::worker;
use anyhow::Context;
use futures_util::StreamExt;
use serde_json::{Value, json};
use sqlx::postgres::PgPoolCopyExt;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tests::source::Source;
use tokio::sync::oneshot;

use crate::memory;
use crate::report::{Report, median};
use crate::server::World;

/// How many rows the source has, where `SYNC_ROWS` does not say.
const ROWS: usize = 1_000_000;
const TURNS: usize = 5;
const TABLES: [&str; 2] = ["raw_records", "accounts"];
const REFERENCE: &str = "COPY to stdout piped into COPY from stdin of the same rows into the same \
    two tables, one transaction";

pub(crate) fn run() -> anyhow::Result<()> {
    let rows = platform::env::optional("SYNC_ROWS")?.unwrap_or(ROWS);
    block_on(async { measure(&World::new().await?, rows, "sync-postgres").await }).map(drop)
}

/// The same at 1, 10 and 100 times 10,000 rows, or a hundredth of `SYNC_ROWS`; the memory of the
/// larger ones against that of the smallest.
pub(crate) fn growth() -> anyhow::Result<()> {
    let most: usize = platform::env::optional("SYNC_ROWS")?.unwrap_or(ROWS);
    block_on(async {
        let world = World::new().await?;
        let mut least = None;
        for rows in [most / 100, most / 10, most] {
            let peak = measure(&world, rows, &format!("sync-postgres-of-{rows}")).await?;
            let least = *least.get_or_insert(peak);
            Report {
                name: &format!("sync-postgres-memory-of-{rows}"),
                value: peak,
                unit: "MB",
                reference: "peak of resident memory with the fewest rows",
                reference_value: least,
                ratio: peak / least,
                n: TURNS,
                data: "the whole process: worker, routers, and the port of the source",
            }
            .print()?;
        }
        Ok(())
    })
}

fn block_on<T>(run: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run)
}

/// Prints both rates and returns the peak of resident memory during the syncs, in MB.
async fn measure(world: &World, rows: usize, name: &str) -> anyhow::Result<f64> {
    let port = SourcePort::open(rows).await?;
    let path = connect(world, name, &port.config).await?;
    let (mut first, mut again, mut copy) = (Vec::new(), Vec::new(), Vec::new());
    let mut peak = 0.0_f64;
    for turn in 0..TURNS {
        clear(&world.pool).await?;
        memory::reset_peak()?;
        first.push(sync(world, &path, ("written", rows)).await?);
        again.push(sync(world, &path, ("unchanged", rows)).await?);
        peak = peak.max(memory::peak()?);
        if turn == 0 {
            keep_rows(world, &port.pool).await?;
        }
        clear(&world.pool).await?;
        copy.push(copy_back(&port.pool, &world.pool).await?);
    }
    let rate = |seconds: Vec<f64>| rows as f64 / median(seconds);
    let (first, again, copy) = (rate(first), rate(again), rate(copy));
    let data = format!("{rows} accounts of 9 columns; peak of resident memory {peak:.0} MB");
    let line = |name: &str, value, reference, reference_value| {
        Report {
            name,
            value,
            unit: "rows/s",
            reference,
            reference_value,
            ratio: value / reference_value,
            n: TURNS,
            data: &data,
        }
        .print()
    };
    line(name, first, REFERENCE, copy)?;
    let unchanged = name.replacen("sync-postgres", "sync-unchanged", 1);
    line(&unchanged, again, "sync-postgres", first)?;
    Ok(peak)
}

/// A source behind a port that a thread of its own serves: only what the platform does is done on
/// the benchmark's.
struct SourcePort {
    config: Value,
    pool: PgPool,
    /// Dropping it closes the port.
    _open: oneshot::Sender<()>,
}

impl SourcePort {
    async fn open(rows: usize) -> anyhow::Result<SourcePort> {
        let (opened, wait) = oneshot::channel();
        let (open, closed) = oneshot::channel();
        std::thread::spawn(move || {
            block_on(async {
                let source = Source::start(&accounts(rows)).await;
                let config = source.config(json!([{ "table": "accounts", "entity": "account" }]));
                let _ = opened.send((config, source.options()));
                let _ = closed.await;
                Ok(())
            })
        });
        let (config, options) = wait.await.context("the source does not start")?;
        Ok(SourcePort {
            config,
            pool: PgPool::connect_with(options).await?,
            _open: open,
        })
    }
}

fn accounts(rows: usize) -> String {
    format!(
        r#"
        create table accounts (
          account_id text primary key, name text not null, type text, industry text,
          owner_id text, status text, created_at timestamptz, updated_at timestamptz, website text
        );
        insert into accounts
        select 'A-' || lpad(n::text, 9, '0'), 'Company ' || n, 'Customer',
          case when n % 3 > 0 then 'Software' end, 'owner-' || n % 50, 'active',
          '2025-01-01'::timestamptz + n * interval '1 minute',
          '2026-01-01'::timestamptz + n * interval '1 second', 'https://' || n || '.example'
        from generate_series(1, {rows}) n;
        analyze accounts;
        "#
    )
}

/// The path that starts a sync.
async fn connect(world: &World, name: &str, config: &Value) -> anyhow::Result<String> {
    let new = json!({ "name": name, "source_type": "supabase", "connector_config": config });
    let connections = "/api/v1/aam/connections";
    let made = world
        .post(connections, new.to_string().into_bytes())
        .await?;
    let id = made["id"].as_str().context("a connection has an id")?;
    Ok(format!("{connections}/{id}/sync"))
}

/// Syncs in full and returns the seconds. Of each row, the same must have become.
async fn sync(world: &World, path: &str, became: (&str, usize)) -> anyhow::Result<f64> {
    let start = Instant::now();
    let queued = world.post(path, br#"{"mode":"full"}"#.to_vec()).await?;
    while Box::pin(worker::step(&world.platform)).await? {}
    let took = start.elapsed().as_secs_f64();
    let job = queued["job_id"].as_str().context("a job has an id")?;
    let result: Value = sqlx::query_scalar("select to_json(jobs) from jobs where id = $1::uuid")
        .bind(job)
        .fetch_one(&world.pool)
        .await?;
    let count = result.pointer(&format!("/result/{}", became.0));
    let same = count.and_then(Value::as_u64) == Some(became.1 as u64);
    anyhow::ensure!(same, "not {} {}: {result}", became.1, became.0);
    Ok(took)
}

async fn clear(pool: &PgPool) -> anyhow::Result<()> {
    let sql = "truncate raw_records, accounts, runs, source_objects cascade; checkpoint";
    sqlx::raw_sql(sql).execute(pool).await?;
    Ok(())
}

/// Keeps the rows that a sync has written in tables of the source.
async fn keep_rows(world: &World, source: &PgPool) -> anyhow::Result<()> {
    for table in TABLES {
        let columns =
            "select string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)),
              ', ' order by attnum)
            from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped";
        let columns: String = sqlx::query_scalar(columns)
            .bind(table)
            .fetch_one(&world.pool)
            .await?;
        let create = format!("create table copied_{table} ({columns})");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(source).await?;
        let mut tx = source.begin().await?;
        pipe(&world.pool, table, &mut tx, &format!("copied_{table}")).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Copies the kept rows into the tables that they are from; returns the seconds.
async fn copy_back(source: &PgPool, platform: &PgPool) -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut tx = platform.begin().await?;
    for table in TABLES {
        pipe(source, &format!("copied_{table}"), &mut tx, table).await?;
    }
    tx.commit().await?;
    Ok(start.elapsed().as_secs_f64())
}

async fn pipe(
    from: &PgPool,
    from_table: &str,
    to: &mut PgConnection,
    to_table: &str,
) -> anyhow::Result<()> {
    let out = format!("copy {from_table} to stdout");
    let mut chunks = from.copy_out_raw(&out).await?;
    let mut sink = to
        .copy_in_raw(&format!("copy {to_table} from stdin"))
        .await?;
    while let Some(chunk) = chunks.next().await {
        sink.send(chunk?).await?;
    }
    sink.finish().await?;
    Ok(())
}
