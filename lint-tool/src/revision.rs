//! The files of a git revision, read through `git` so that nothing is checked out.

use std::io::{BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::files::{self, SourceFiles};

/// The tree of `root` as it was at `revision`.
pub fn read(root: &Path, revision: &str) -> Result<SourceFiles, Error> {
    let paths = list(root, revision)?;
    let mut child = git(root, &["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (Some(mut asks), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Error::Unreadable("git has no streams".into()));
    };
    let questions: String = paths.iter().map(|(id, _)| format!("{id}\n")).collect();
    // Written beside the reading, as both pipes are short.
    let writer = std::thread::spawn(move || asks.write_all(questions.as_bytes()));
    let mut answers = BufReader::new(answers);
    let mut files = SourceFiles::default();
    for (_, path) in &paths {
        files.put(path, blob(&mut answers).map_err(failed)?);
    }
    drop(writer.join());
    child.wait().map_err(failed)?;
    Ok(files)
}

/// Object and path of each file that a check reads.
fn list(root: &Path, revision: &str) -> Result<Vec<(String, String)>, Error> {
    if revision.starts_with('-') {
        return Err(Error::Usage(format!("`{revision}` is no git revision")));
    }
    let output = git(root, &["ls-tree", "-r", "-z", revision]).output();
    let output = output.map_err(failed)?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        let message = format!("git cannot read `{revision}`: {}", reason.trim());
        return Err(Error::Usage(message));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // `100644 blob <object>\t<path>`; a link has the mode 120000.
    let entries = text.split('\0').filter_map(|it| it.split_once('\t'));
    let files = entries.filter(|(head, path)| head.starts_with("100") && files::is_wanted(path));
    Ok(files
        .filter_map(|(head, path)| Some((head.rsplit(' ').next()?.to_owned(), path.to_owned())))
        .collect())
}

/// `<object> blob <size>\n<bytes>\n`
fn blob(answers: &mut impl std::io::BufRead) -> std::io::Result<Vec<u8>> {
    let mut head = String::new();
    answers.read_line(&mut head)?;
    let size = head
        .trim()
        .rsplit(' ')
        .next()
        .and_then(|it| it.parse().ok());
    let size: usize = size.ok_or_else(|| std::io::Error::other(format!("git says `{head}`")))?;
    let mut bytes = vec![0; size + 1];
    answers.read_exact(&mut bytes)?;
    bytes.pop();
    Ok(bytes)
}

fn git(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(args);
    command
}

fn failed(err: std::io::Error) -> Error {
    Error::Unreadable(format!("cannot run git: {err}"))
}
