//! Metrics in CloudWatch's embedded format: a line of JSON on standard output for each request,
//! message and schedule.
//!
//! **Invariant:** the only dimension is the service. A tenant is a property: it can be searched
//! for, and makes no metric of its own.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Utc;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "AutonomOS";

/// The service that counts; none where nobody reads standard output for metrics.
static SERVICE: OnceLock<String> = OnceLock::new();

/// Prints metrics under that service's name from now on.
pub(crate) fn init(service: &str) {
    // An error says that there is a name already, and a process is one service.
    let _ = SERVICE.set(service.to_owned());
}

/// Whether this is the first request of the process.
pub(crate) fn is_first() -> bool {
    static FIRST: AtomicBool = AtomicBool::new(true);
    FIRST.swap(false, Ordering::Relaxed)
}

/// Adds to a count of the current request.
pub fn count(name: &'static str, more: usize) {
    #[expect(clippy::cast_precision_loss, reason = "nothing is counted beyond 2^52")]
    add(name, Unit::Count, more as f64);
}

/// Adds to a metric of the current request.
pub(crate) fn add(name: &'static str, unit: Unit, value: f64) {
    super::with_metrics(|it| it.add(name, unit, value));
}

/// What a number is of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unit {
    Count,
    Milliseconds,
}

/// The metrics of one request.
#[derive(Debug, Default)]
pub(crate) struct Metrics(BTreeMap<&'static str, (Unit, f64)>);

impl Metrics {
    fn add(&mut self, name: &'static str, unit: Unit, value: f64) {
        self.0.entry(name).or_insert((unit, 0.0)).1 += value;
    }

    /// Prints the line, with properties that say whose request it was.
    pub(crate) fn flush(&self, properties: Map<String, Value>) {
        let Some(service) = SERVICE.get() else { return };
        if self.0.is_empty() {
            return;
        }
        let line = self.line(service, Utc::now().timestamp_millis(), properties);
        // Nobody can be told where standard output is gone.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }

    fn line(&self, service: &str, millis: i64, properties: Map<String, Value>) -> Value {
        let names = self
            .0
            .iter()
            .map(|(name, (unit, _))| json!({ "Name": name, "Unit": format!("{unit:?}") }));
        let mut line = properties;
        let values = self.0.iter();
        line.extend(values.map(|(name, (_, value))| ((*name).to_owned(), json!(value))));
        line.insert("service".to_owned(), service.into());
        let directive = json!({
            "Namespace": NAMESPACE,
            "Dimensions": [["service"]],
            "Metrics": names.collect::<Vec<_>>(),
        });
        let about = json!({ "Timestamp": millis, "CloudWatchMetrics": [directive] });
        line.insert("_aws".to_owned(), about);
        Value::Object(line)
    }
}
