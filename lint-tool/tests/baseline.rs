//! The baseline on a workspace that is written to disk.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FILE: &str = "structure-lint.baseline.json";

fn workspace(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join("src")).unwrap();
    let manifest = "[package]\nname = \"app\"\nedition = \"2024\"\n";
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
    fs::write(root.join("src/a.rs"), "").unwrap();
    fs::write(root.join("structure-lint.toml"), "strict = true\n").unwrap();
    source(&root, "#[path = \"a.rs\"]\nmod a;\n");
    root
}

fn source(root: &Path, text: &str) {
    fs::write(root.join("src/lib.rs"), text).unwrap();
}

/// Exit code and findings; `ci` is the value of the variable `CI`.
fn run(root: &Path, ci: &str, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_structure-lint"));
    let output = command
        .args(args)
        .current_dir(root)
        .env("CI", ci)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

fn check(root: &Path, ci: &str) -> (i32, String) {
    run(root, ci, &["check", "--format", "short"])
}

#[test]
fn what_is_known_is_silent_wherever_it_moves_and_a_check_never_writes() {
    let root = workspace("baseline_known");
    assert_eq!(check(&root, "").0, 1);
    assert!(!root.join(FILE).exists());
    assert_eq!(run(&root, "", &["baseline", "update"]).0, 0);
    let written = fs::read_to_string(root.join(FILE)).unwrap();
    assert!(written.contains("\n{\"rule\":\"SL001\",\"from\":\"app\",\"to\":\"\",\"count\":1}\n"));
    source(&root, "\n\n#[path = \"a.rs\"]\nmod a;\n");
    assert_eq!(check(&root, "true"), (0, String::new()));
    let (_, summary) = run(&root, "", &[]);
    assert!(
        summary.contains("0 errors, 0 warnings, 1 known to the baseline in"),
        "{summary}"
    );
    source(
        &root,
        "#[path = \"a.rs\"]\nmod a;\n#[path = \"a.rs\"]\nmod b;\n",
    );
    assert_eq!(check(&root, "").0, 1);
    assert_eq!(fs::read_to_string(root.join(FILE)).unwrap(), written);
}

#[test]
fn a_baseline_knows_every_finding_that_is_shown_as_one() {
    let root = workspace("baseline_grouped");
    let config = "[[confine]]\ncrate = \"std::env\"\nto = [\"app::config\"]\n";
    fs::write(root.join("structure-lint.toml"), config).unwrap();
    let text = "use std::env::{args, var};\npub fn f() { var(\"X\").ok(); args(); }\n";
    let nested = "pub mod m { pub fn g() { super::f(); std::env::vars(); } }\npub mod config {}\n";
    source(&root, &format!("{text}{nested}"));
    assert_eq!(check(&root, "").0, 1);
    assert_eq!(run(&root, "", &["baseline", "update"]).0, 0);
    assert_eq!(check(&root, "true"), (0, String::new()));
    assert_eq!(run(&root, "", &["baseline", "shrink"]).0, 0);
    assert_eq!(check(&root, "true"), (0, String::new()));
}

#[test]
fn what_is_fixed_is_a_warning_here_and_an_error_in_ci() {
    let root = workspace("baseline_stale");
    assert_eq!(run(&root, "", &["baseline", "update"]).0, 0);
    source(&root, "mod a;\n");
    let message = "the baseline knows 1 of SL001 at `app`, and there are 0\n";
    let at = |level: &str| format!("{FILE}:4:1: {level}[SL905] {message}");
    assert_eq!(check(&root, ""), (0, at("warning")));
    assert_eq!(check(&root, "true"), (1, at("error")));
    assert_eq!(run(&root, "", &["baseline", "shrink"]).0, 0);
    assert_eq!(check(&root, "true"), (0, String::new()));
    assert_eq!(run(&root, "", &["baseline", "mv", "app", "b"]).0, 2);
}

#[test]
fn a_path_that_leads_nowhere_fails_when_all_must_be_known() {
    let root = workspace("strict_unresolved");
    source(&root, "mod a;\nfn f() { nowhere::g() }\n");
    assert_eq!(check(&root, ""), (0, String::new()));
    let strict = run(
        &root,
        "",
        &["check", "--format", "short", "--strict-unresolved"],
    );
    let finding = "Cargo.toml:1:1: error[SL906] 1 of 1 paths lead nowhere\n";
    assert_eq!(strict, (1, finding.to_owned()));
}
