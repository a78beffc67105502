//! `cargo run`: the whole platform on this machine.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
use local::demo::{self, Demo};
use local::postgres;
use local::settings::Settings;
use local::start::{self, DEMO_EMAIL, DEMO_PASSWORD};
use platform::telemetry::{self, Format};
use tokio::signal::unix::{SignalKind, signal};

/// AutonomOS on this machine: all five functions on one port, with a private PostgreSQL.
#[derive(Parser)]
#[command(name = "local", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Start the platform and serve until Ctrl-C (the default)
    Serve,
    /// Run the main job from end to end against the running platform, or one of its own
    Demo {
        /// Print one JSON object with every figure
        #[arg(long)]
        json: bool,
        /// Your own files, named {entities}_{system}.csv, instead of the sample
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Erase the private database and the local secrets
    Reset,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::from_env()?;
    match Arguments::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&settings).await,
        Command::Demo { json, dir } => demonstrate(settings, json, dir).await,
        Command::Reset => reset(&settings),
    }
}

async fn serve(settings: &Settings) -> anyhow::Result<()> {
    telemetry::init(Format::Text)?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut say = |it: &str| println!("{it}");
    let running = tokio::select! {
        running = start::start(settings, &mut say) => running?,
        _ = interrupted.recv() => return Ok(()),
        _ = terminated.recv() => return Ok(()),
    };
    greet(&settings.base());
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    println!("\nstopping");
    running.stop().await
}

fn greet(base: &str) {
    println!(
        "AutonomOS answers on {base}\n\
         \n  API page    {base}/docs\
         \n  demo login  {DEMO_EMAIL} / {DEMO_PASSWORD}\n\
         \nTry it:\n\
         \n  curl -s {base}/api/v1/auth/login -H 'content-type: application/json' \\\
         \n    -d '{{\"email\":\"{DEMO_EMAIL}\",\"password\":\"{DEMO_PASSWORD}\"}}'\n\
         \nSee the main job: cargo run -- demo (in another terminal). Stop: Ctrl-C."
    );
}

async fn demonstrate(
    mut settings: Settings,
    json: bool,
    dir: Option<PathBuf>,
) -> anyhow::Result<()> {
    let demo = Demo::new(dir.as_deref())?;
    if demo::is_running(&settings.base()).await {
        return demo.run(&settings.base(), json).await;
    }
    telemetry::init_at(Format::Text, "warn")?;
    if settings.port == 9000 {
        // Its own platform may be anywhere: the port is nobody's business.
        settings.port = free_port()?;
    }
    let mut say = |it: &str| eprintln!("{it}");
    let running = start::start(&settings, &mut say).await?;
    let result = demo.run(&settings.base(), json).await;
    running.stop().await?;
    result
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

fn reset(settings: &Settings) -> anyhow::Result<()> {
    postgres::erase(&settings.data())?;
    for file in [settings.secrets(), settings.lambda()] {
        match std::fs::remove_file(&file) {
            Err(err) if err.kind() != std::io::ErrorKind::NotFound => {
                return Err(err).with_context(|| format!("erasing {}", file.display()));
            }
            _ => {}
        }
    }
    println!("erased: the next start makes a new database and new keys");
    Ok(())
}
