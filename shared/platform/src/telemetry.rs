//! Log lines.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// How log lines look.
#[derive(Debug, Clone, Copy)]
pub enum Format {
    /// One JSON object a line, with the request's fields.
    Json,
    /// For people at a terminal.
    Text,
}

/// Sends log lines to standard error from now on. `LOG_LEVEL` filters them, default `info`, of sqlx only warnings.
pub fn init(format: Format) -> anyhow::Result<()> {
    init_at(format, "info,sqlx=warn")
}

/// The same with another default level.
pub fn init_at(format: Format, level: &str) -> anyhow::Result<()> {
    let set = crate::env::optional::<String>("LOG_LEVEL")?;
    let filter = EnvFilter::try_new(set.as_deref().unwrap_or(level))?;
    let lines = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let set = match format {
        Format::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .try_init(),
        Format::Text => lines.compact().try_init(),
    };
    set.map_err(|err| anyhow::anyhow!(err))
}
