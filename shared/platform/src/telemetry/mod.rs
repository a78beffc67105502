//! Log lines, and spans for a collector.

mod lines;
pub(crate) mod otlp;

use std::io::IsTerminal;

use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::{EnvFilter, fmt};

use lines::Lines;

/// How log lines look.
#[derive(Debug, Clone, Copy)]
pub enum Format<'a> {
    /// One JSON object a line, with the fields of the request and of the function that has it.
    Json {
        /// The function.
        service: &'a str,
    },
    /// For people at a terminal.
    Text,
}

/// Sends log lines to standard error from now on. `LOG_LEVEL` filters them, default `info`, of sqlx only warnings.
pub fn init(format: Format<'_>) -> anyhow::Result<()> {
    init_at(format, "info,sqlx=warn")
}

/// The same with another default level.
pub fn init_at(format: Format<'_>, level: &str) -> anyhow::Result<()> {
    let set = crate::env::optional::<String>("LOG_LEVEL")?;
    let filter = EnvFilter::try_new(set.as_deref().unwrap_or(level))?;
    let lines = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let set = match format {
        Format::Json { service } => lines
            .with_ansi(false)
            .fmt_fields(JsonFields::new())
            .event_format(Lines::from_env(service)?)
            .try_init(),
        Format::Text => lines.compact().try_init(),
    };
    set.map_err(|err| anyhow::anyhow!(err))
}
