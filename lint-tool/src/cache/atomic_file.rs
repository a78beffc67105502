//! A file that is either whole or not there.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use xxhash_rust::xxh3::xxh3_128;

/// The build that reads and writes, so that no other one's bytes are understood wrongly.
const BUILD: &str = concat!(
    "structure-lint ",
    env!("CARGO_PKG_VERSION"),
    " ",
    env!("STRUCTURE_LINT_BUILD"),
    "\n"
);

/// What was written, if all of it is there and this build wrote it.
pub(super) fn read(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = fs::read(path).ok()?;
    let sum = bytes.strip_prefix(BUILD.as_bytes())?.get(..16)?;
    let sum = u128::from_le_bytes(sum.try_into().ok()?);
    let body = bytes.split_off(BUILD.len() + 16);
    (xxh3_128(&body) == sum).then_some(body)
}

/// Writes beside the place and renames, so that a reader never sees a half.
pub(super) fn write(path: &Path, body: &[u8]) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(dir) = path.parent() else { return };
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
    let sum = xxh3_128(body).to_le_bytes();
    let written = fs::create_dir_all(dir)
        .and_then(|()| hide(dir))
        .and_then(|()| fs::write(&beside, [BUILD.as_bytes(), &sum, body].concat()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
}

/// Keeps the folder out of version control where `target` is not ignored.
fn hide(dir: &Path) -> std::io::Result<()> {
    let ignore = dir.join(".gitignore");
    if ignore.exists() {
        return Ok(());
    }
    fs::write(ignore, "*\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_or_from_another_build_does_not_count() {
        let dir = std::env::temp_dir().join(format!("structure-lint-{}", std::process::id()));
        let path = dir.join("facts");
        let check = |expected: Option<&[u8]>| assert_eq!(read(&path).as_deref(), expected);
        check(None);
        write(&path, b"facts");
        check(Some(b"facts"));
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            check(None);
            fs::write(&path, &whole[..at]).unwrap();
            check(None);
        }
        write(&path, b"");
        check(Some(b""));
        let left: Vec<_> = fs::read_dir(&dir).unwrap().collect();
        assert_eq!(left.len(), 2, "{left:?}");
        fs::remove_dir_all(&dir).unwrap();
    }
}
