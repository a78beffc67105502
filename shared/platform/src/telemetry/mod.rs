//! Log lines, and spans for a collector.

mod json;
pub(crate) mod otlp;

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use json::JsonLines;

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

/// Sends log lines to standard error from now on. `LOG_LEVEL` filters them: a level, or
/// `target=level` and more of those, separated by commas. Its default is `info`, and `warn` of sqlx.
pub fn init(format: Format<'_>) -> anyhow::Result<()> {
    init_at(format, "info,sqlx=warn")
}

/// The same with another default level.
pub fn init_at(format: Format<'_>, level: &str) -> anyhow::Result<()> {
    let set = crate::env::optional::<String>("LOG_LEVEL")?;
    let level = set.as_deref().unwrap_or(level);
    let filter = filter(level).with_context(|| {
        format!(
            "LOG_LEVEL is `{level}`: set it to error, warn, info, debug, trace or off, or to \
             info,sqlx=warn"
        )
    })?;
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = match format {
        Format::Json { service } => lines
            .with_ansi(false)
            .fmt_fields(JsonFields::new())
            .event_format(JsonLines::from_env(service)?)
            .boxed(),
        Format::Text => lines
            .with_ansi(std::io::stderr().is_terminal())
            .compact()
            .boxed(),
    };
    Ok(registry().with(filter).with(lines).try_init()?)
}

/// Each part is a level or `target=level`. The parser would take any other word for a target.
fn filter(text: &str) -> Option<Targets> {
    for part in text.split(',') {
        let level = part.rsplit_once('=').map_or(part, |it| it.1);
        // An empty one would be `error`.
        (!level.is_empty()).then(|| level.parse::<LevelFilter>().ok())??;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_levels_are_taken_for_levels() {
        for (text, expected) in [
            ("info", true),
            ("WARN", true),
            ("off", true),
            ("info,sqlx=warn", true),
            ("aam=debug", true),
            ("loud", false),
            ("info,sqlx", false),
            ("sqlx=", false),
            ("sqlx=loud", false),
            ("info,", false),
        ] {
            assert_eq!(filter(text).is_some(), expected, "{text}");
        }
    }
}
