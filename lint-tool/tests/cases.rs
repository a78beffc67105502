//! The accuracy of the rules: each workspace of `cases/` is compiled by rustc and has the findings that
//! its lines are marked with, and no other.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use structure_lint::self_test::cases::{self, Case, Finding};
use structure_lint::workspace::{Extern, Package, TargetKind, Workspace};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

#[test]
fn every_file_of_cases_is_read() {
    let files = fs::read_dir(folder()).unwrap().map(|it| it.unwrap().path());
    let files = files.filter(|it| it.extension().is_some_and(|it| it == "case"));
    let heads = files.map(|it| {
        let text = fs::read_to_string(it).unwrap();
        text.lines().filter(|it| it.starts_with("//= ")).count()
    });
    assert_eq!(heads.sum::<usize>(), cases::all().len());
}

#[test]
fn every_case_has_its_verdict() {
    let mut wrong = String::new();
    for case in cases::all() {
        let found = cases::findings(&case.files).unwrap();
        let list = |from: &BTreeSet<Finding>, other: &BTreeSet<Finding>, word: &str| -> String {
            let only = from.difference(other);
            only.map(|it| format!("{}: {word} {}:{} {}\n", case.name, it.0, it.1, it.2))
                .collect()
        };
        wrong += &list(&case.expected, &found, "silent at");
        wrong += &list(&found, &case.expected, "wrong at");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_rule_has_a_violation_and_there_are_as_many_traps() {
    let cases = cases::all();
    let names: BTreeSet<&str> = cases.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases share a name");
    let shown: BTreeSet<&str> = cases
        .iter()
        .flat_map(|it| &it.expected)
        .map(|it| it.2.as_str())
        .collect();
    let rules: BTreeSet<&str> = structure_lint::rules::RULES
        .iter()
        .map(|it| it.code())
        .collect();
    assert_eq!(shown, rules);
    let traps = cases.iter().filter(|it| it.expected.is_empty()).count();
    assert!(
        cases.len() <= 2 * traps,
        "{traps} traps in {} cases",
        cases.len()
    );
}

#[test]
fn every_case_compiles() {
    let stubs = Stubs::build();
    let cases: Vec<Case> = cases::all().into_iter().filter(|it| it.builds).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut errors = String::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            errors += &build(case, &stubs);
        }
        errors
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let errors: String = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(errors.is_empty(), "\n{errors}");
}

/// Crates from elsewhere, compiled once.
struct Stubs(BTreeMap<String, PathBuf>);

impl Stubs {
    fn build() -> Stubs {
        let out = fresh("stubs");
        let mut stubs = Stubs(BTreeMap::new());
        for name in ["derives", "serde", "sqlx", "log"] {
            let source = folder().join(format!("stubs/{name}.rs"));
            let mut rustc = rustc(&out, "2021", name);
            let file = if name == "derives" {
                rustc.args(["--crate-type", "proc-macro"]);
                out.join(format!(
                    "{}derives{}",
                    std::env::consts::DLL_PREFIX,
                    std::env::consts::DLL_SUFFIX
                ))
            } else {
                rustc.args(["--crate-type", "lib", "--emit", "metadata"]);
                out.join(format!("lib{name}.rmeta"))
            };
            for (name, file) in &stubs.0 {
                rustc
                    .arg("--extern")
                    .arg(format!("{name}={}", file.display()));
            }
            assert_eq!(run(rustc.arg(source)), "");
            stubs.0.insert(name.to_owned(), file);
        }
        stubs
    }
}

fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("cases")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn rustc(out: &Path, edition: &str, name: &str) -> Command {
    let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or("rustc".into()));
    rustc.args([
        "--edition",
        edition,
        "--crate-name",
        name,
        "--cap-lints",
        "allow",
    ]);
    rustc.arg("--out-dir").arg(out).arg("-L").arg(out);
    rustc
}

/// What rustc has to say, if it fails.
fn run(rustc: &mut Command) -> String {
    let output = rustc.output().unwrap();
    if output.status.success() {
        return String::new();
    }
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Compiles each target of each package, dependencies first.
fn build(case: &Case, stubs: &Stubs) -> String {
    let root = fresh(&case.name);
    for path in case.files.paths() {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, case.files.get(path).unwrap()).unwrap();
    }
    fs::write(root.join("generated.rs"), "").unwrap();
    let workspace = Workspace::load(&case.files).unwrap();
    let mut errors = String::new();
    let mut done = BTreeSet::new();
    while done.len() < workspace.packages.len() {
        let is_ready = |package: &Package| {
            package.externs.values().all(|it| match it {
                Extern::Member(member) => {
                    done.contains(member) || !is_normal(&workspace, package, *member)
                }
                Extern::Outside(_) => true,
            })
        };
        let mut open = workspace
            .packages
            .iter()
            .enumerate()
            .filter(|(it, _)| !done.contains(it));
        let (index, package) = open
            .find(|(_, it)| is_ready(it))
            .expect("no circle of packages");
        errors += &build_library(&workspace, package, &root, stubs);
        done.insert(index);
    }
    for package in &workspace.packages {
        errors += &build_others(&workspace, package, &root, stubs);
    }
    if errors.is_empty() {
        return errors;
    }
    format!("{} does not compile:\n{errors}\n", case.name)
}

/// Whether the library itself needs the member, not only its tests.
fn is_normal(workspace: &Workspace, package: &Package, member: usize) -> bool {
    let mut needs = package.manifest.dependencies.iter();
    needs.any(|it| {
        it.kind == structure_lint::manifest::DependencyKind::Normal
            && workspace.member_of(&package.manifest, it) == Some(member)
    })
}

fn build_library(workspace: &Workspace, package: &Package, root: &Path, stubs: &Stubs) -> String {
    let library = package.targets.iter().find(|it| it.kind == TargetKind::Lib);
    library.map_or(String::new(), |it| {
        let kind = ["--crate-type", "lib", "--emit", "metadata"];
        compile(
            workspace,
            package,
            root,
            stubs,
            &package.lib_name,
            &it.root,
            &kind,
        )
    })
}

/// Binaries and tests, and the library's own tests.
fn build_others(workspace: &Workspace, package: &Package, root: &Path, stubs: &Stubs) -> String {
    let mut errors = String::new();
    for (index, target) in package.targets.iter().enumerate() {
        let kind: &[&str] = match target.kind {
            TargetKind::Lib if has_tests(root, &package.dir) => &["--test", "--emit", "metadata"],
            TargetKind::Lib => continue,
            TargetKind::Test => &["--test", "--emit", "metadata"],
            _ => &["--crate-type", "bin", "--emit", "metadata"],
        };
        let name = format!("{}_target_{index}", package.ident);
        errors += &compile(workspace, package, root, stubs, &name, &target.root, kind);
    }
    errors
}

fn has_tests(root: &Path, dir: &str) -> bool {
    let mut files = vec![root.join(dir).join("src")];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(path).unwrap().map(|it| it.unwrap().path()));
        } else if fs::read_to_string(path).is_ok_and(|it| it.contains("cfg(test)")) {
            return true;
        }
    }
    false
}

fn compile(
    workspace: &Workspace,
    package: &Package,
    root: &Path,
    stubs: &Stubs,
    name: &str,
    source: &str,
    kind: &[&str],
) -> String {
    let mut rustc = rustc(root, &package.edition.to_string(), name);
    rustc.args(kind).current_dir(root);
    rustc
        .env("CARGO_MANIFEST_DIR", root.join(&package.dir))
        .env("OUT_DIR", root);
    let mut link = |name: &str, file: PathBuf| {
        if file.exists() {
            rustc
                .arg("--extern")
                .arg(format!("{name}={}", file.display()));
        }
    };
    for (name, target) in &package.externs {
        match target {
            Extern::Member(member) => {
                let library = &workspace.packages[*member].lib_name;
                link(name, root.join(format!("lib{library}.rmeta")));
            }
            Extern::Outside(krate) => link(name, stubs.0[krate].clone()),
        }
    }
    if !kind.contains(&"lib") {
        link(
            &package.lib_name,
            root.join(format!("lib{}.rmeta", package.lib_name)),
        );
    }
    let stubs = stubs.0.values().next().unwrap().parent().unwrap();
    run(rustc.arg("-L").arg(stubs).arg(root.join(source)))
}
