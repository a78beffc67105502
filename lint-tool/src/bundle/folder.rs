//! Where a bundle is written.
//!
//! **Invariant:** a folder that bears the bundle's name is a whole bundle. It is made under another
//! name and renamed, and nothing but an earlier bundle is ever replaced.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::manifest::{Artefact, FILE_NAME};
use crate::error::Error;

/// A bundle that is being made.
#[derive(Debug)]
pub(super) struct Folder {
    out: PathBuf,
    unfinished: PathBuf,
}

impl Folder {
    /// Makes sure that nothing else lives where the bundle will.
    pub(super) fn claim(out: &Path) -> Result<Folder, Error> {
        let is_taken = match fs::read_dir(out) {
            Ok(mut entries) => entries.next().is_some() && !out.join(FILE_NAME).is_file(),
            Err(err) => err.kind() != io::ErrorKind::NotFound,
        };
        if is_taken {
            let message = format!(
                "`{}` holds something else than a bundle: name a folder that is empty or new",
                out.display()
            );
            return Err(Error::Usage(message));
        }
        let mut unfinished = out.as_os_str().to_owned();
        unfinished.push(".new");
        let folder = Folder {
            out: out.to_owned(),
            unfinished: unfinished.into(),
        };
        remove(&folder.unfinished).map_err(failed)?;
        fs::create_dir_all(&folder.unfinished).map_err(failed)?;
        Ok(folder)
    }

    /// Where the bundle will be.
    pub(super) fn out(&self) -> &Path {
        &self.out
    }

    /// Adds a file.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<Artefact, Error> {
        fs::write(self.unfinished.join(name), bytes).map_err(failed)?;
        Ok(Artefact::of(name, bytes))
    }

    /// Puts the bundle in its place.
    pub(super) fn publish(self) -> Result<(), Error> {
        remove(&self.out).map_err(failed)?;
        fs::rename(&self.unfinished, &self.out).map_err(failed)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A failure here leaves a folder that the next run clears away.
        let _ = remove(&self.unfinished);
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
        _ => Ok(()),
    }
}

fn failed(err: io::Error) -> Error {
    Error::Unreadable(format!("cannot write the bundle: {err}"))
}
