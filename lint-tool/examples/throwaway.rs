#[path = "../../tests/src/bin/bench/lint.rs"]
mod lint;
#[path = "../../tests/src/bin/bench/report.rs"]
#[allow(dead_code)]
mod report;
fn main() -> anyhow::Result<()> {
    lint::run()
}
