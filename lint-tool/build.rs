//! Names this build, so that what another build cached is not taken for its own.

use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=src");
    let mut hasher = DefaultHasher::new();
    hash(Path::new("src"), &mut hasher)?;
    println!(
        "cargo::rustc-env=STRUCTURE_LINT_BUILD={:016x}",
        hasher.finish()
    );
    Ok(())
}

fn hash(dir: &Path, hasher: &mut DefaultHasher) -> std::io::Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(dir)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            hash(&path, hasher)?;
        } else {
            hasher.write(&std::fs::read(path)?);
        }
    }
    Ok(())
}
