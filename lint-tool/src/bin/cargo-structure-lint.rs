//! `cargo structure-lint`: Cargo passes the subcommand's own name as the first argument.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|it| it == "structure-lint") {
        args.remove(1);
    }
    structure_lint::cli::run(args)
}
