//! `bundle` and `bundle verify`, with a builder that writes binaries at once.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

mod harness;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use harness::{run, write};

/// Two functions and a crate that is none; the lock is as Cargo would write it.
const WORKSPACE: &str = r#"
//- Cargo.toml
[workspace]
resolver = "3"
members = ["api", "lambda_http", "tool"]
[workspace.metadata.lambda.watch.router]
"/api/{*rest}" = "api"
[workspace.metadata.lambda.deploy]
memory = 256
//- Cargo.lock
version = 4
[[package]]
name = "api"
version = "0.1.0"
dependencies = ["lambda_http"]
[[package]]
name = "lambda_http"
version = "0.1.0"
[[package]]
name = "tool"
version = "0.1.0"
//- api/Cargo.toml
[package]
name = "api"
version = "0.1.0"
edition = "2024"
license = "MIT/Apache-2.0"
[dependencies]
lambda_http = { path = "../lambda_http" }
//- api/src/main.rs
fn main() { lambda_http::run() }
//- api/src/bin/worker.rs
fn main() { lambda_http::run() }
//- lambda_http/Cargo.toml
[package]
name = "lambda_http"
version = "0.1.0"
edition = "2024"
//- lambda_http/src/lib.rs
pub fn run() {}
//- tool/Cargo.toml
[package]
name = "tool"
version = "0.1.0"
edition = "2024"
//- tool/src/main.rs
fn main() {}
"#;

/// What cargo-lambda does as far as a bundle sees it: a `bootstrap` for each `--bin`.
const BUILDER: &str = r#"#!/bin/sh
[ "$2" = --version ] && { echo "cargo-lambda 0.0.0"; exit; }
while [ $# -gt 0 ]; do
  case $1 in
    --lambda-dir) dir=$2 ;;
    --arm64) machine='\267' ;;
    --x86-64) machine='\076' ;;
    --bin)
      mkdir -p "$dir/$2"
      printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\003\000'"$machine"'\000 %s' "$2" >"$dir/$2/bootstrap" ;;
  esac
  shift
done
"#;

/// A workspace in git, whose tools are those in `.dev/`.
fn workspace(name: &str) -> PathBuf {
    let root = write(name, WORKSPACE);
    fs::write(root.join("Cargo.lock"), lock()).unwrap();
    fs::write(root.join(".gitignore"), "/target\n/.dev\n").unwrap();
    for (wheel, program) in [
        ("cargo-lambda-0/bin", "cargo-lambda"),
        ("ziglang-0/ziglang", "zig"),
    ] {
        let dir = root.join(".dev/wheels").join(wheel);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(program), BUILDER).unwrap();
        fs::set_permissions(dir.join(program), fs::Permissions::from_mode(0o755)).unwrap();
    }
    git(&root, &["init", "--quiet"]);
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "-m", "first"]);
    root
}

/// The fixture reader takes only what a check reads, and a lock is not among it.
fn lock() -> &'static str {
    let lock = WORKSPACE.split_once("//- Cargo.lock\n").unwrap().1;
    lock.split_once("//- ").unwrap().0
}

fn git(root: &Path, args: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
    assert!(git.args(args).current_dir(root).status().unwrap().success());
}

/// Runs the binary where only the workspace's own tools can be found.
fn bundle(root: &Path, args: &[&str]) -> (i32, String) {
    let programs = root.join("target/programs");
    if !programs.exists() {
        fs::create_dir_all(&programs).unwrap();
        for name in ["cargo", "git", "mkdir", "rustc"] {
            symlink(on_path(name), programs.join(name)).unwrap();
        }
    }
    let output = Command::new(env!("CARGO_BIN_EXE_structure-lint"))
        .arg("bundle")
        .args(args)
        .current_dir(root)
        .env("PATH", programs)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let code = output.status.code().unwrap();
    (code, String::from_utf8(text).unwrap())
}

fn on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let mut programs = std::env::split_paths(&path).map(|it| it.join(name));
    programs.find(|it| it.is_file()).unwrap()
}

fn json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    let mut files: Vec<_> = entries
        .map(|it| {
            (
                it.file_name().into_string().unwrap(),
                fs::read(it.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_same_commit_gives_the_same_bytes() {
    let root = workspace("bundle_same");
    let (code, text) = bundle(&root, &["--out", "one"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
    let (code, text) = bundle(&root, &["--out", "two"]);
    assert_eq!(code, 0, "{text}");
    let (mut one, mut two) = (files(&root.join("one")), files(&root.join("two")));
    // The first bundle, which git sees, makes the second one's sources dirty.
    assert_eq!(one.pop().unwrap().0, "worker.zip");
    assert_eq!(two.pop().unwrap().0, "worker.zip");
    one.retain(|it| it.0 != "bundle.json");
    two.retain(|it| it.0 != "bundle.json");
    let names: Vec<&str> = one.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(names, ["api.cdx.json", "api.zip", "worker.cdx.json"]);
    assert!(one == two);
    fs::remove_dir_all(root.join("two")).unwrap();
    let before = files(&root.join("one"));
    assert_eq!(bundle(&root, &["--out", "one"]).0, 0);
    assert!(
        before == files(&root.join("one")),
        "a bundle replaces itself"
    );
}

#[test]
fn a_bundle_says_what_it_was_made_of() {
    let root = workspace("bundle_says");
    assert_eq!(bundle(&root, &[]).0, 0);
    let out = root.join("target/bundle");
    let manifest = json(&out.join("bundle.json"));
    assert_eq!(manifest["source"]["dirty"], false);
    assert_eq!(manifest["source"]["commit"].as_str().unwrap().len(), 40);
    assert_eq!(manifest["policy"]["verdict"], "clean");
    assert_eq!(manifest["toolchain"]["target"], "aarch64-unknown-linux-gnu");
    let [api, worker] = manifest["functions"].as_array().unwrap().as_slice() else {
        panic!("{manifest}")
    };
    assert_eq!(api["routes"][0]["path"], "/api/{*rest}");
    assert_eq!(
        (&api["memory"], &api["handler"]),
        (&256.into(), &"bootstrap".into())
    );
    assert_eq!(
        (&worker["package"], &worker["routes"]),
        (&"api".into(), &Value::Array(vec![]))
    );
    let sbom = json(&out.join("worker.cdx.json"));
    assert_eq!(sbom["metadata"]["component"]["name"], "worker");
    let purl = "pkg:cargo/api@0.1.0?download_url=file:api";
    assert_eq!(sbom["components"][0]["purl"], purl);
    assert_eq!(
        sbom["components"][0]["licenses"][0]["expression"],
        "MIT OR Apache-2.0"
    );
    assert_eq!(sbom["dependencies"][0]["ref"], "function:worker");
    assert_eq!(sbom["dependencies"][0]["dependsOn"][0], purl);
    assert!(!sbom.to_string().contains(&root.display().to_string()));
    fs::write(root.join("api/src/main.rs"), "fn main() {}\n").unwrap();
    assert_eq!(bundle(&root, &[]).0, 0);
    assert_eq!(json(&out.join("bundle.json"))["source"]["dirty"], true);
}

#[test]
fn a_finding_stops_the_build() {
    let root = workspace("bundle_refuses");
    fs::write(
        root.join("api/src/main.rs"),
        "#[path = \"x.rs\"]\nmod y;\nfn main() {}\n",
    )
    .unwrap();
    let (code, text) = bundle(&root, &[]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("SL901") && text.contains("not bundled: fix the findings first"),
        "{text}"
    );
    assert!(!root.join("target/bundle").exists());
}

#[test]
fn a_missing_tool_is_named_with_its_package() {
    let root = workspace("bundle_tools");
    let here = std::env::consts::ARCH.replace("aarch64", "arm64");
    let other = if here == "arm64" { "x86_64" } else { "arm64" };
    let check = |gone: &str, arch: &str, expected: &str| {
        let _ = fs::remove_dir_all(root.join(".dev/wheels").join(gone));
        let (code, text) = bundle(&root, &["--arch", arch]);
        assert_eq!((code, text), (2, format!("structure-lint: {expected}\n")));
    };
    let zig = format!(
        "zig is not installed: it links for {other} on this machine; `pip install ziglang`"
    );
    check("ziglang-0", other, &zig);
    let builder =
        "cargo-lambda is not installed: it builds the functions; `pip install cargo-lambda`";
    check("cargo-lambda-0", &here, builder);
    assert!(!root.join("target/bundle").exists());
}

#[test]
fn a_folder_with_something_else_is_left_alone() {
    let root = workspace("bundle_folder");
    let (code, text) = bundle(&root, &["--out", "api"]);
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("holds something else than a bundle"),
        "{text}"
    );
    assert!(root.join("api/src/main.rs").exists());
}

#[test]
fn a_bundle_that_was_tampered_with_is_found_out() {
    let root = workspace("bundle_verify");
    assert_eq!(bundle(&root, &["--out", "whole"]).0, 0);
    let clean = "structure-lint: `whole` is what its manifest says: 2 functions\n";
    assert_eq!(
        run(&root, &["bundle", "verify", "whole"]),
        (0, clean.to_owned())
    );
    let check = |expected: &[&str], tamper: &dyn Fn(&Path)| {
        let dir = root.join("part");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        for (name, bytes) in files(&root.join("whole")) {
            fs::write(dir.join(name), bytes).unwrap();
        }
        tamper(&dir);
        let (code, text) = run(&root, &["bundle", "verify", "part"]);
        assert_eq!(code, 1, "{expected:?}: {text}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), expected.len() + 1, "{text}");
        for (line, start) in lines.iter().zip(expected) {
            assert!(line.starts_with(start), "{line}\n{start}");
        }
    };
    let edit = |dir: &Path, name: &str, from: &str, to: &str| {
        let text = fs::read_to_string(dir.join(name)).unwrap();
        assert!(text.contains(from));
        fs::write(dir.join(name), text.replacen(from, to, 1)).unwrap();
    };
    let flip = |dir: &Path| {
        let mut bytes = fs::read(dir.join("api.zip")).unwrap();
        bytes[45] ^= 1;
        fs::write(dir.join("api.zip"), bytes).unwrap();
    };
    check(&["api.zip: has sha256 ", "api.zip: "], &flip);
    check(&["api.zip: is missing"], &|it| {
        fs::remove_file(it.join("api.zip")).unwrap()
    });
    check(&["worker.cdx.json: is missing"], &|it| {
        fs::remove_file(it.join("worker.cdx.json")).unwrap();
    });
    check(&["more.txt: is not in bundle.json"], &|it| {
        fs::write(it.join("more.txt"), "").unwrap()
    });
    check(
        &[
            "api.zip: has ",
            "api.zip: `bootstrap` has ",
            "worker.zip: has ",
            "worker.zip: `bootstrap` has ",
        ],
        &|it| {
            fs::rename(it.join("api.zip"), it.join("x")).unwrap();
            fs::rename(it.join("worker.zip"), it.join("api.zip")).unwrap();
            fs::rename(it.join("x"), it.join("worker.zip")).unwrap();
        },
    );
    let renamed = [
        "worker.cdx.json: has ",
        "worker.cdx.json: is about \"rogue!\" instead of `worker`",
    ];
    check(&renamed, &|it| {
        edit(
            it,
            "worker.cdx.json",
            "\"name\": \"worker\"",
            "\"name\": \"rogue!\"",
        )
    });
    check(
        &["worker.cdx.json: has ", "worker.cdx.json: is no JSON"],
        &|it| {
            fs::write(it.join("worker.cdx.json"), "{").unwrap();
        },
    );
    check(&["bundle.json: cannot be read: "], &|it| {
        fs::write(it.join("bundle.json"), "{}").unwrap()
    });
    check(&["bundle.json: the policy's verdict is `dirty`"], &|it| {
        edit(it, "bundle.json", "\"clean\"", "\"dirty\"");
    });
    check(&["bundle.json: version 9 is not known"], &|it| {
        edit(it, "bundle.json", "\"version\": 1,", "\"version\": 9,");
    });
    let outside = [
        "bundle.json: `../api.zip` is no name of a file in the bundle",
        "api.zip: is not in",
    ];
    check(&outside, &|it| {
        edit(it, "bundle.json", "\"api.zip\"", "\"../api.zip\"")
    });
    assert_eq!(run(&root, &["bundle", "verify", "nowhere"]).0, 3);
}
