//! The same bytes wherever the workspace lies, with however many threads, with a cache and without.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

mod harness;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use harness::{run, write};
use structure_lint::Format;

/// Violations of many kinds in many files, so that an order that depends on anything shows.
fn fixture() -> String {
    let mut text = "//- structure-lint.toml\n[groups]\nparts = [\"part*\"]\n\
        [[layers]]\nname = \"w\"\norder = [\"base\", \"parts\"]\n\
        [[independent]]\nname = \"parts\"\nmembers = [\"parts\"]\n\
        [[confine]]\ncrate = \"std::env\"\nto = [\"base::env\"]\n\
        //- migrations/1.sql\ncreate table accounts (id bigint);\n\
        //- base/src/lib.rs\nuse part0::m0::T;\n#[derive(FromRow)]\nstruct Row { id: u8, name: String }\n"
        .to_owned();
    for part in 0..3 {
        let uses = (part + 1) % 3;
        let _ = writeln!(text, "//- part{part}/src/lib.rs uses base, part{uses}");
        for module in 0..5 {
            let _ = writeln!(text, "pub mod m{module};");
        }
        for module in 0..5 {
            let _ = write!(
                text,
                "//- part{part}/src/m{module}.rs\nuse part{uses}::m{module}::*;\nuse std::env;\nmod gone;\n\
                pub struct T;\n#[derive(FromRow)]\nstruct Row {{ id: u8, name: String, more: u8 }}\n\
                fn f() {{ sqlx::query!(\"delete from accounts where id = 1\"); unknown::f(); self::super::g(); }}\n"
            );
        }
    }
    text
}

/// What the binary says in one format: without a cache, with an empty one, with a full one.
fn outputs(root: &Path, args: &[&str]) -> Vec<(i32, String)> {
    let mut outputs = Vec::new();
    for threads in ["1", "4"] {
        let run = |more: &[&str]| run(root, &[args, &["--threads", threads], more].concat());
        outputs.extend([run(&["--no-cache"]), run(&["--no-cache"])]);
        let _ = fs::remove_dir_all(root.join("target"));
        outputs.extend([run(&[]), run(&[])]);
    }
    outputs
}

/// One workspace in two folders of different depth.
fn copies(name: &str) -> [PathBuf; 2] {
    let fixture = fixture();
    ["near", "a/good/deal/further down"].map(|it| write(&format!("{name}/{it}"), &fixture))
}

#[test]
fn every_format_is_the_same_bytes_everywhere() {
    let [near, far] = copies("formats");
    for format in Format::value_variants() {
        let value = format.to_possible_value().unwrap();
        let args = ["check", "--format", value.get_name()];
        let mut all = outputs(&near, &args);
        all.extend(outputs(&far, &args));
        let (code, text) = &all[0];
        assert_eq!(*code, 1);
        assert!(text.contains("accounts"), "{text}");
        assert!(!text.contains(env!("CARGO_TARGET_TMPDIR")), "{text}");
        for (at, other) in all.iter().enumerate() {
            assert!(*other == all[0], "run {at} of {args:?} differs");
        }
    }
}

#[test]
fn other_commands_are_the_same_bytes_everywhere() {
    let [near, far] = copies("commands");
    for args in [
        &["graph", "--format", "dot"][..],
        &["graph", "--format", "mermaid"],
        &["graph", "--format", "json"],
        &["graph", "--format", "html"],
        &["stats"],
        &["why", "part0", "part2"],
        &["self-test", "--table"],
    ] {
        let first = run(&near, args);
        assert!(first.1.contains("part"), "{args:?}: {}", first.1);
        assert!(run(&near, args) == first, "{args:?}");
        assert!(run(&far, args) == first, "{args:?}");
    }
}
