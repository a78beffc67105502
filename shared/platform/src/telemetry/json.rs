//! Log lines of a function: one JSON object each, with the keys of Powertools for AWS Lambda, so
//! that its queries and dashboards fit.

use std::fmt;

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::env;

/// Formats lines. The fields of spans must be formatted as JSON.
pub(super) struct JsonLines {
    /// What every line says.
    fixed: Map<String, Value>,
}

impl JsonLines {
    /// The lines of this function, as its environment describes it.
    pub(super) fn from_env(service: &str) -> anyhow::Result<JsonLines> {
        let mut fixed = Map::new();
        fixed.insert("service".to_owned(), service.into());
        if let Some(name) = env::optional::<String>("AWS_LAMBDA_FUNCTION_NAME")? {
            fixed.insert("function_name".to_owned(), name.into());
        }
        if let Some(size) = env::optional::<u64>("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")? {
            fixed.insert("function_memory_size".to_owned(), size.into());
        }
        Ok(JsonLines { fixed })
    }
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        for span in context
            .event_scope()
            .into_iter()
            .flat_map(|it| it.from_root())
        {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>();
            if let Some(Ok(fields)) = fields.map(|it| serde_json::from_str::<Map<_, _>>(it)) {
                line.extend(fields);
            }
        }
        event.record(&mut Fields(&mut line));
        if let Some(trace) = line.get("trace_id").cloned() {
            line.insert("correlation_id".to_owned(), trace);
        }
        // Last, so that no field of a line can pass for one of these.
        line.extend(self.fixed.clone());
        let metadata = event.metadata();
        let location = match (metadata.module_path(), metadata.line()) {
            (Some(module), Some(number)) => format!("{module}:{number}"),
            _ => metadata.target().to_owned(),
        };
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("location".to_owned(), location.into());
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        line.insert("timestamp".to_owned(), now.into());
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// Puts an event's fields into a line.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}
