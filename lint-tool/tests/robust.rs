//! Texts that no person writes: the checker answers, and neither panics, hangs nor overflows.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

mod harness;

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{run, write};
use proptest::prelude::*;
use structure_lint::check::with_deep_stack;
use structure_lint::facts::extract;

#[test]
fn deep_nesting_is_a_diagnostic() {
    let many = |open: &str, middle: &str, close: &str| {
        let (open, close) = (open.repeat(10_000), close.repeat(10_000));
        format!("fn f() {{ let _ = {open}{middle}{close}; }}")
    };
    let too_deep = [
        many("(", "1", ")"),
        many("[", "1", "]"),
        many("{", "1", "}"),
        many("m!(", "1", ")"),
        many("f(\")\", ", "1", ", \"(\")"),
        many("f(r#\"\")\"#, ", "1", ", r#\"\"(\"#)"),
        many("f(')', ", "1", ", '(')"),
        many("f(/*)*/", "1", "/*(*/)"),
        many("!", "1", ""),
        many("-", "1", ""),
        many("&", "1", ""),
        many("Vec::<", "u8", ">"),
        many("return ", "1", ""),
        many("a = ", "1", ""),
        many("|a| ", "1", ""),
        many("(\")\", ", "1", ", \"(\")"),
        format!("type T = {}u8;", "&".repeat(10_000)),
        format!("type T = {}u8{};", "V<".repeat(10_000), ">".repeat(10_000)),
    ];
    for text in too_deep {
        let facts = with_deep_stack(1, || extract(&text)).unwrap();
        let (_, message) = facts.error.unwrap();
        assert_eq!(message, "nested deeper than 1000 levels");
    }
}

#[test]
fn long_chains_are_no_nesting() {
    let many = |piece: &str, count| piece.repeat(count);
    for text in [
        format!("const A: u8 = 1{};", many(" + 1", 3_000)),
        format!("fn f() {{ a{} }}", many(".b()", 3_000)),
        format!("fn f() {{ if a {{}} {} }}", many("else if a {} ", 2_000)),
        format!("fn f() {{ {} }}", many("return ", 2_000)),
        format!("const A: &[u8] = &[{}];", many("(1), ", 5_000)),
        format!("use {}z;", many("a::", 2_000)),
        format!("fn f() {{ {} }}", many("if a < b { c } ", 2_000)),
        format!(
            "const A: &[u8] = &[{}];",
            many("1 << 2, a < b, 1<<2, ", 2_000)
        ),
    ] {
        let facts = with_deep_stack(1, || extract(&text)).unwrap();
        assert!(facts.error.is_none(), "{:?}\n{}", facts.error, &text[..60]);
    }
}

const SOURCE: &str = include_str!("../src/facts/walk.rs");

proptest! {
    #[test]
    fn any_text_has_facts(text in any::<String>()) {
        extract(&text);
    }

    #[test]
    fn mutated_rust_has_facts(
        cuts in prop::collection::vec((0..SOURCE.len(), 0..SOURCE.len(), "[\\PC]{0,3}|[\"'{}()\\[\\];:#!<>/*\\\\r]{1,4}"), 1..6),
    ) {
        let mut text = SOURCE.to_owned();
        for (start, end, with) in cuts {
            let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|it| text.is_char_boundary(*it)).unwrap_or(0);
            let (start, end) = (boundary(start), boundary(end));
            // Mostly small edits, so that most of the file still is Rust.
            let end = end.clamp(start, boundary(start + 20).max(start));
            text.replace_range(start..end, &with);
        }
        extract(&text);
    }
}

#[test]
fn odd_bytes_have_a_place_and_are_no_crash() {
    let root = write("bytes", "//- src/lib.rs\nmod a;\nmod b;\nmod c;\nmod d;\n");
    fs::write(root.join("src/a.rs"), [b'f', b'n', 0xff, 0xfe]).unwrap();
    fs::write(root.join("src/b.rs"), "\u{feff}mod gone;\r\n").unwrap();
    fs::write(
        root.join("src/c.rs"),
        "#!/usr/bin/env run\r\nuse self::super::x;\r\n",
    )
    .unwrap();
    fs::write(root.join("src/d.rs"), "\0").unwrap();
    let (code, text) = run(&root, &["--format", "short"]);
    assert_eq!(code, 1);
    for expected in [
        "src/a.rs:1:1: error[SL900]",
        "src/b.rs:1:5: error[SL901] module `gone` has no file",
        "src/c.rs:2:5: warning[SL004]",
        "src/d.rs:1:1: error[SL900]",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}

/// Sparse: 100 MB that nobody has to write.
fn huge(root: &Path, path: &str) {
    fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
    let file = fs::File::create(root.join(path)).unwrap();
    file.set_len(100 << 20).unwrap();
}

#[test]
fn a_huge_file_is_a_finding_and_costs_nothing() {
    let root = write("huge", "//- a/src/lib.rs\nmod a;\n");
    for path in ["a/src/a.rs", "migrations/1.sql", "a/dump.sql", "dump.sql"] {
        huge(&root, path);
    }
    let message = "1:1: error[SL900] cannot read the file: it is larger than 16 MB";
    let expected = format!("a/src/a.rs:{message}\nmigrations/1.sql:{message}\n");
    assert_eq!(run(&root, &["--format", "short"]), (1, expected));
}

#[test]
fn what_configures_the_check_is_not_left_out() {
    for file in ["structure-lint.toml", "structure-lint.baseline.json"] {
        let root = write("odd_configuration", "//- a/src/lib.rs\n");
        fs::write(root.join(file), [b'#', 0xff, b'\n']).unwrap();
        let (code, text) = run(&root, &[]);
        assert_eq!(code, 3, "{text}");
        assert!(text.contains(&format!("cannot read `{file}`")), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_end() {
    let root = write("circle", "//- src/lib.rs\nmod a;\n//- src/a.rs\n");
    std::os::unix::fs::symlink(&root, root.join("src/again")).unwrap();
    std::os::unix::fs::symlink("loop", root.join("src/loop")).unwrap();
    assert_eq!(run(&root, &["--format", "short"]), (0, String::new()));
}

#[cfg(unix)]
#[test]
fn a_linked_module_is_one_like_any_other() {
    let fixture = "//- src/lib.rs\nmod linked;\nmod folder;\nmod elsewhere;\n//- shared/one.rs\nfn f() { gone::f() }\n\
                   //- shared/two/mod.rs\nmod three;\n//- shared/two/three.rs\nfn f() { lost::f() }\n";
    let root = write("linked", fixture);
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, root.join(name)).unwrap();
    };
    link("../shared/one.rs", "src/linked.rs");
    link("../shared/two", "src/folder");
    link("/dev/null/nowhere", "src/elsewhere.rs");
    let (code, text) = run(&root, &["--format", "short", "--strict-unresolved"]);
    assert_eq!(code, 1, "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    let (_, text) = run(&root, &["--strict-unresolved"]);
    assert!(text.contains("src/linked.rs:1:10"), "{text}");
    assert!(text.contains("src/folder/three.rs:1:10"), "{text}");
}

#[test]
fn a_cache_that_cannot_be_written_or_is_damaged_changes_nothing() {
    let root = write("cache", "//- src/lib.rs\nmod gone;\n");
    let first = run(&root, &["--format", "json"]);
    assert_eq!(run(&root, &["--format", "json"]), first);
    let dir = root.join("target/structure-lint");
    for file in ["facts", "report"] {
        fs::write(dir.join(file), "damaged").unwrap();
    }
    assert_eq!(run(&root, &["--format", "json"]), first);
    fs::remove_dir_all(&dir).unwrap();
    fs::write(&dir, "a file where the folder should be").unwrap();
    assert_eq!(run(&root, &["--format", "json"]), first);
    assert_eq!(
        run(&root, &["--format", "json", "--no-cache", "--threads", "1"]),
        first
    );
    assert_eq!(
        run(&root, &["--format", "json", "--no-cache", "--threads", "7"]),
        first
    );
}

#[cfg(unix)]
#[test]
fn a_folder_that_nobody_may_write_to_changes_nothing() {
    use std::os::unix::fs::PermissionsExt as _;

    let root = write("read_only", "//- src/lib.rs\nmod gone;\n");
    let expected = run(&root, &["--format", "json", "--no-cache"]);
    let allow = |mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(root.join("target"), mode).unwrap();
    };
    fs::create_dir(root.join("target")).unwrap();
    allow(0o555);
    // Modes do not bind root: a name that is no folder for anybody stands for them.
    let link = root.join("target/structure-lint");
    let _ = std::os::unix::fs::symlink("/dev/null/nowhere", link);
    let found = [0, 1].map(|_| run(&root, &["--format", "json"]));
    allow(0o755);
    assert_eq!(found, [expected.clone(), expected]);
}

#[test]
fn line_ends_and_marks_move_nothing() {
    let source = "use self::super::x;\n/* ä */ mod gone;\n// structure-lint: allow(SL004) reason=\"x\"\nuse self::super::y;\n";
    let found = |name: &str, text: String| {
        let root = write(name, "//- src/lib.rs\nmod a;\n");
        fs::write(root.join("src/a.rs"), text).unwrap();
        run(&root, &["--format", "short"])
    };
    let plain = found("line_ends_lf", source.to_owned());
    assert!(
        plain.1.contains("src/a.rs:2:13: error[SL901]"),
        "{}",
        plain.1
    );
    let marked = format!("\u{feff}{}", source.replace('\n', "\r\n"));
    assert_eq!(found("line_ends_crlf", marked), plain);
}

#[test]
fn runs_at_once_do_not_disturb_each_other() {
    let root = write("at_once", "//- src/lib.rs\nmod gone;\n");
    let expected = run(&root, &["--format", "json", "--no-cache"]).1;
    for _ in 0..5 {
        let _ = fs::remove_dir_all(root.join("target"));
        let start = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_structure-lint"));
            let command = command.args(["--format", "json"]).current_dir(&root);
            command
                .env_remove("CARGO_TARGET_DIR")
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        };
        let running: Vec<_> = (0..6).map(|_| start()).collect();
        for child in running {
            let output = child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        }
    }
    let left = fs::read_dir(root.join("target/structure-lint")).unwrap();
    let names: Vec<_> = left.map(|it| it.unwrap().file_name()).collect();
    assert!(
        !names
            .iter()
            .any(|it| it.to_string_lossy().ends_with(".tmp")),
        "{names:?}"
    );
}

#[test]
fn a_check_writes_nothing_but_its_cache() {
    let root = write("nothing", "//- src/lib.rs\nmod gone;\n");
    run(&root, &["check", "--no-cache"]);
    assert!(!root.join("target").exists());
}

#[test]
fn a_workspace_without_a_crate_is_a_usage_error() {
    let root = write("no_crate", "//- Cargo.toml\n[workspace]\nmembers = []\n");
    let (code, text) = run(&root, &[]);
    assert_eq!(code, 2);
    assert!(text.contains("0 files scanned"), "{text}");
}

#[test]
fn the_obvious_thing_is_checked_whatever_is_named() {
    let root = write(
        "named",
        "//- crates/a/src/lib.rs uses b\nmod gone;\n//- crates/b/src/lib.rs\n",
    );
    let found = run(&root, &["--format", "short"]);
    assert_eq!(found.0, 1, "{}", found.1);
    for path in ["crates/a", "Cargo.toml", "crates/a/Cargo.toml", "."] {
        assert_eq!(run(&root, &["--format", "short", path]), found, "{path}");
    }
    let (code, text) = run(&root, &["crates/c"]);
    assert_eq!(code, 2);
    assert!(text.contains("name a folder or a `Cargo.toml`"), "{text}");
}

#[test]
fn a_root_manifest_that_cannot_be_read_is_no_workspace() {
    let root = write("broken_root", "//- Cargo.toml\n[package\n//- src/lib.rs\n");
    let (code, text) = run(&root, &[]);
    assert_eq!(code, 2, "{text}");
    assert!(text.starts_with("structure-lint: Cargo.toml:1:"), "{text}");
}

#[test]
fn the_only_source_may_be_no_text() {
    let root = write("no_text", "//- src/lib.rs\n");
    fs::write(root.join("src/lib.rs"), [b'f', 0xff]).unwrap();
    let (code, text) = run(&root, &["--format", "short"]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("src/lib.rs:1:1: error[SL900] cannot read the file"),
        "{text}"
    );
}
