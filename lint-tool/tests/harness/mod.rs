//! Workspaces on disk, and the binary that checks them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use structure_lint::files::SourceFiles;

/// Writes a fixture to a new folder of this test.
pub(crate) fn write(name: &str, fixture: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    let files = SourceFiles::fixture(fixture);
    for path in files.paths().filter(|_| !fixture.is_empty()) {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, files.get(path).unwrap()).unwrap();
    }
    root
}

/// Runs the binary, and returns its exit code and everything that it says. Where its cache lies and
/// how strict it is shall not depend on who runs the tests.
pub(crate) fn run(root: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_structure-lint"))
        .args(args)
        .current_dir(root)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CI")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}
