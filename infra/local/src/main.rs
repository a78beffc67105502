//! `cargo run`: the whole platform on this machine.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use local::demo::{self, Demo};
use local::reset::reset;
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
        /// Your own CSV and TSV files, of any names, instead of the sample
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Erase the private database, and the local secrets unless another database needs them
    Reset {
        /// Erase without asking
        #[arg(long)]
        yes: bool,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run().await else {
        return ExitCode::SUCCESS;
    };
    // In words: where in the code it went wrong is of no use to whoever can mend it.
    let error = format!("{error:#}");
    eprintln!("error: {error}");
    // Whoever said so first, a program that was started or the system.
    if error.contains("No space left on device") {
        eprintln!(
            "The disk is full: free some space, or set LOCAL_DEV to a folder on another one."
        );
    }
    ExitCode::FAILURE
}

async fn run() -> anyhow::Result<()> {
    let settings = Settings::from_env()?;
    match Arguments::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&settings).await,
        Command::Demo { json, dir } => demonstrate(settings, json, dir).await,
        Command::Reset { yes: true } => reset(&settings, None),
        Command::Reset { yes: false } => reset(&settings, Some(&mut std::io::stdin().lock())),
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
    greet(settings);
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    println!("\nstopping");
    running.stop().await
}

fn greet(settings: &Settings) {
    let base = settings.base();
    println!(
        "AutonomOS answers on {base}\n\
         \n  API page    {base}/docs\
         \n  demo login  {DEMO_EMAIL} / {DEMO_PASSWORD}\n\
         \nTry it:\n\
         \n  curl -s {base}/api/v1/auth/login -H 'content-type: application/json' \\\
         \n    -d '{{\"email\":\"{DEMO_EMAIL}\",\"password\":\"{DEMO_PASSWORD}\"}}'\n\
         \nSee the main job: cargo run -- demo (in another terminal). Stop: Ctrl-C."
    );
    if settings.elsewhere {
        let file = settings.lambda();
        println!(
            "Functions beside it: cargo lambda watch -P 9001 --env-file {}",
            file.display()
        );
    }
}

async fn demonstrate(
    mut settings: Settings,
    json: bool,
    dir: Option<PathBuf>,
) -> anyhow::Result<()> {
    let demo = Demo::new(dir.as_deref())?;
    let base = settings.base();
    if demo::is_running(&base).await {
        demo.run(&base, json).await?;
        if !json {
            println!("\n{}", demo::next_steps(&base));
        }
        return Ok(());
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
    result?;
    if !json {
        let next = demo::next_steps(&base);
        println!("\nThe platform of the demo has ended: start it with `cargo run`.\n\n{next}");
    }
    Ok(())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}
