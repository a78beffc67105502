//! The commands beside `check`, on small workspaces that are written to disk.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

mod harness;

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{run, write};

const TWO: &str = "//- a/src/lib.rs uses b\npub use b::f;\n//- b/src/lib.rs\npub fn f() {}\n";

fn tool(root: &Path, program: &str, args: &[&str]) {
    let output = Command::new(program)
        .args(args)
        .current_dir(root)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {text}");
}

fn compiles(root: &Path) {
    let cargo = std::env::var("CARGO").unwrap_or("cargo".into());
    tool(
        root,
        &cargo,
        &[
            "check",
            "--offline",
            "--quiet",
            "--workspace",
            "--target-dir",
            "target",
        ],
    );
}

#[test]
fn what_is_fixed_still_compiles_and_is_clean() {
    let root = write(
        "fix",
        "//- structure-lint.toml\nstrict = true\n\
         //- Cargo.toml\n[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"]\n[workspace.dependencies]\nb = { path = \"b\" }\n\
         //- a/Cargo.toml\n[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nb.workspace = true\n\
         //- b/Cargo.toml\n[package]\nname = \"b\"\nversion = \"0.1.0\"\nedition = \"2024\"\n//- b/src/lib.rs\npub fn f() {}\n\
         //- a/src/lib.rs\nextern crate b;\npub mod c;\npub fn top() { b::f() }\n\
         //- a/src/c.rs\npub mod d;\npub fn near() {}\n\
         //- a/src/c/d.rs\nuse self::super::near;\nuse super::super::top;\n\
         macro_rules! up { () => { super::super::top() } }\n\
         pub fn f() { near(); top(); self::super::super::top(); up!() }\n",
    );
    compiles(&root);
    let source = || fs::read_to_string(root.join("a/src/c/d.rs")).unwrap();
    let before = source();
    let (code, text) = run(&root, &["fix", "--dry-run"]);
    assert_eq!((code, before == source()), (0, true));
    assert!(
        text.contains("a/src/c/d.rs\n  1 - use self::super::near;\n  1 + use super::near;\n"),
        "{text}"
    );
    assert!(text.ends_with("would change 2 files\n"), "{text}");
    assert!(run(&root, &["fix"]).1.ends_with(" changed 2 files\n"));
    assert!(source().contains("use crate::top;") && source().contains("{ super::super::top() }"));
    compiles(&root);
    let (_, text) = run(&root, &["--format", "short"]);
    assert_eq!(text.lines().count(), 1, "only the macro is left: {text}");
    assert!(run(&root, &["fix"]).1.ends_with(" changed 0 files\n"));
}

#[test]
fn a_diff_shows_edges_that_came_and_went() {
    let root = write("diff", TWO);
    let git = |args: &[&str]| {
        let who = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        tool(&root, "git", &[&who[..], args].concat());
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "first"]);
    assert_eq!(run(&root, &["diff", "HEAD"]), (0, String::new()));
    fs::write(root.join("a/src/lib.rs"), "\npub use b::inner::f;\n").unwrap();
    fs::write(
        root.join("b/src/lib.rs"),
        "pub mod inner { pub fn f() {} }\n",
    )
    .unwrap();
    let expected = "- a -> b   a/src/lib.rs:1\n+ a -> b::inner   a/src/lib.rs:2\n";
    assert_eq!(run(&root, &["diff", "HEAD"]), (0, expected.to_owned()));
    let (code, text) = run(&root, &["diff", "nothing"]);
    assert!(
        code == 2 && text.contains("git cannot read `nothing`"),
        "{text}"
    );
    assert_eq!(run(&root, &["diff", "--", "--output=x"]).0, 2);
}

#[test]
fn an_inferred_configuration_passes_and_is_not_overwritten() {
    let root = write("infer", TWO);
    assert_eq!(run(&root, &["init", "--infer"]).0, 0);
    assert_eq!(run(&root, &["--format", "short"]), (0, String::new()));
    let (code, text) = run(&root, &["init"]);
    assert!(code == 2 && text.contains("already"), "{text}");
    assert_eq!(run(&root, &["self-test"]).0, 0);
    assert!(
        run(&root, &["self-test", "--table"])
            .1
            .contains("| SL010 |")
    );
}

#[test]
fn stats_and_graph_print_the_workspace() {
    let root = write("stats", TWO);
    let (code, text) = run(&root, &["stats"]);
    assert_eq!((code, text.lines().count()), (0, 5), "{text}");
    let (code, page) = run(&root, &["graph", "--format", "html"]);
    assert!(code == 0 && page.starts_with("<!doctype html>"), "{page}");
}

#[test]
fn what_is_not_there_is_a_usage_error_with_a_hint() {
    let root = write(
        "hints",
        "//- platform/src/lib.rs\npub mod limits;\n//- platform/src/limits.rs\n//- structure-lint.toml\n\
         [[forbid]]\nfrom = [\"crate::limits\"]\nto = [\"platfrom\"]\n",
    );
    let (code, text) = run(&root, &["why", "platfrom", "std"]);
    assert_eq!(
        (code, text.trim_end()),
        (
            2,
            "structure-lint: nothing is called `platfrom`; did you mean `platform`?"
        )
    );
    assert_eq!(run(&root, &["why", "platform", "std"]).0, 1);
    let (_, text) = run(&root, &[]);
    assert!(text.contains("did you mean `platform::limits`?"), "{text}");
    assert!(text.contains("did you mean `platform`?"), "{text}");
}

#[test]
fn what_only_tests_use_is_left_out_and_said_so() {
    let root = write(
        "left_out",
        "//- a/src/lib.rs uses b\n#[cfg(test)]\nmod tests { use b::f; }\n//- b/src/lib.rs\npub fn f() {}\n",
    );
    let said = "structure-lint: 1 uses by tests are left out, `--with-tests` counts them";
    let (code, text) = run(&root, &["why", "a", "b"]);
    assert_eq!(code, 1);
    assert!(text.contains(said), "{text}");
    let (code, text) = run(&root, &["why", "a", "b", "--with-tests"]);
    assert_eq!((code, text.contains(said)), (0, false), "{text}");
    let (_, text) = run(&root, &["graph", "--with-tests"]);
    assert!(text.contains("a -->|1| b"), "{text}");
    let (_, text) = run(&root, &["graph"]);
    assert!(!text.contains("a -->") && text.contains(said), "{text}");
    assert!(run(&root, &["stats"]).1.contains(said));
}
