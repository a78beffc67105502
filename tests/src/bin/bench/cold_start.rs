//! From exec to the first answer, of each function that was bundled, against the least there is.
//!
//! It runs the very programs of a bundle: `BUNDLE`, else `target/bundle`. Make one with
//! `cargo run -p lint-tool --bin structure-lint -- bundle --arch x86_64`.

mod runtime;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use structure_lint::bundle::{self, Bundle};

use crate::report::{Report, median};
use runtime::{Runtime, Start};

const TURNS: usize = 100;
const REFERENCE: &str = "hello world with lambda_http, turn by turn";
/// The bar for a zip.
const MEGABYTES: f64 = 6.0;

pub(crate) fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder =
        std::env::var_os("BUNDLE").map_or_else(|| root.join("target/bundle"), PathBuf::from);
    let manifest = fs::read(folder.join("bundle.json")).with_context(|| {
        format!(
            "no bundle in {}: `structure-lint bundle` makes one",
            folder.display()
        )
    })?;
    let manifest: Bundle = serde_json::from_slice(&manifest)?;
    let programs = std::env::temp_dir().join(format!("cold-start-{}", std::process::id()));
    fs::create_dir_all(&programs)?;
    let runtime = Runtime::new(&programs)?;
    let hello = hello(&root, &manifest.toolchain.profile)?;
    for function in &manifest.functions {
        zip_size(&function.name, function.zip.size)?;
        // One that only events start waits for another event than this.
        if !function.routes.is_empty() {
            let zip = fs::read(folder.join(&function.zip.file))?;
            let program = programs.join(&function.name);
            unpack(&zip, &program)?;
            compare(&runtime, &function.name, &program, &hello)?;
        }
    }
    fs::remove_dir_all(&programs)?;
    Ok(())
}

fn unpack(zip: &[u8], program: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let binary = bundle::unpack(zip).map_err(anyhow::Error::msg)?;
    fs::write(program, binary)?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// Built as the functions are.
fn hello(root: &Path, profile: &str) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args([
            "build",
            "--quiet",
            "--package",
            "hello",
            "--profile",
            profile,
        ])
        .status()?;
    ensure!(status.success(), "hello world cannot be built");
    Ok(root.join("target").join(profile).join("hello"))
}

fn compare(runtime: &Runtime, name: &str, program: &Path, hello: &Path) -> anyhow::Result<()> {
    // The first turn of each reads the program from the disk and is not counted.
    runtime.start(program)?;
    runtime.start(hello)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(runtime.start(program)?);
        theirs.push(runtime.start(hello)?);
    }
    let report = |what: &str, unit: &str, figure: fn(&Start) -> f64| {
        let median = |it: &[Start]| median(it.iter().map(figure).collect());
        let (ours, theirs) = (median(&ours), median(&theirs));
        Report {
            name: what,
            value: ours,
            unit,
            reference: REFERENCE,
            reference_value: theirs,
            ratio: ours / theirs,
            n: TURNS,
            data: &format!("{name}, GET /health/live through a runtime API on this machine"),
        }
        .print()
    };
    report("cold-start", "ms", |it| it.time.as_secs_f64() * 1e3)?;
    report("cold-start-memory", "MB", |it| {
        it.peak_kilobytes as f64 / 1024.0
    })
}

fn zip_size(name: &str, bytes: u64) -> anyhow::Result<()> {
    let value = bytes as f64 / f64::from(1 << 20);
    Report {
        name: "cold-start-zip",
        value,
        unit: "MB",
        reference: "the bar",
        reference_value: MEGABYTES,
        ratio: value / MEGABYTES,
        n: 1,
        data: name,
    }
    .print()
}
