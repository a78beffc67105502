//! `structure-lint`

use std::process::ExitCode;

fn main() -> ExitCode {
    structure_lint::cli::run(std::env::args())
}
