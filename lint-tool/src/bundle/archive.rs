//! A function's zip: one file, `bootstrap`, which Lambda may run.
//!
//! **Invariant:** the bytes depend on the binary alone: a fixed time, mode, system and compression.

use std::io::{Cursor, Read as _, Write as _};

use zip::read::ZipArchive;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use crate::error::Error;

/// What Lambda's `provided` runtimes start, and so each function's handler.
pub(super) const ENTRY: &str = "bootstrap";
const MODE: u32 = 0o755;

/// The zip of a binary.
pub(super) fn write(binary: &[u8]) -> Result<Vec<u8>, Error> {
    let zipped = || -> ZipResult<Vec<u8>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(ENTRY, options())?;
        writer.write_all(binary)?;
        Ok(writer.finish()?.into_inner())
    };
    zipped().map_err(|err| Error::Unreadable(format!("cannot write a zip: {err}")))
}

/// Everything is said, as defaults differ by system and by what else uses the same crate.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .system(System::Unix)
        .unix_permissions(MODE)
        .last_modified_time(DateTime::default())
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
}

/// The binary of a function's zip; or what is wrong with the zip.
pub fn read(zip: &[u8]) -> Result<Vec<u8>, String> {
    let no_zip = |err| format!("is no zip: {err}");
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(no_zip)?;
    let names = archive.file_names().map(|it| it.map(String::from));
    let mut names: Vec<String> = names.collect::<ZipResult<_>>().map_err(no_zip)?;
    names.sort();
    if names != [ENTRY] {
        let names = names.join("`, `");
        return Err(format!("holds `{names}` instead of `{ENTRY}` alone"));
    }
    let mut entry = archive.by_index(0).map_err(no_zip)?;
    match entry.unix_mode().map(|it| it & 0o777) {
        Some(MODE) => {}
        Some(mode) => return Err(format!("`{ENTRY}` has mode {mode:o} instead of {MODE:o}")),
        None => return Err(format!("`{ENTRY}` has no mode; Lambda cannot run it")),
    }
    let mut binary = Vec::new();
    entry
        .read_to_end(&mut binary)
        .map_err(|err| format!("`{ENTRY}` cannot be unpacked: {err}"))?;
    Ok(binary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip_of(entries: &[(&str, u32)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, mode) in entries {
            let options = options().unix_permissions(*mode);
            writer.start_file(*name, options).unwrap();
            writer.write_all(b"code").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn the_same_binary_gives_the_same_bytes() {
        let binary: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let zip = write(&binary).unwrap();
        assert_eq!(zip, write(&binary).unwrap());
        assert!(zip.len() < binary.len());
        assert_eq!(read(&zip), Ok(binary));
    }

    #[test]
    fn a_zip_is_one_program_that_lambda_may_run() {
        let check = |entries: &[(&str, u32)]| read(&zip_of(entries)).err().unwrap_or_default();
        assert_eq!(check(&[("bootstrap", 0o755)]), "");
        assert_eq!(
            check(&[("bootstrap", 0o644)]),
            "`bootstrap` has mode 644 instead of 755"
        );
        assert_eq!(
            check(&[("bootstrap", 0o755), ("a.so", 0o644)]),
            "holds `a.so`, `bootstrap` instead of `bootstrap` alone"
        );
        assert_eq!(
            check(&[("main", 0o755)]),
            "holds `main` instead of `bootstrap` alone"
        );
        assert!(read(b"PK").unwrap_err().starts_with("is no zip: "));
    }
}
