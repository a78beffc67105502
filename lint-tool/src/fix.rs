//! Fixes what can be fixed without a doubt: SL003, SL004, SL005 and SL024.
//!
//! **Invariant:** code that compiled compiles afterwards and means the same. Where that is not
//! certain, the finding stays: in tokens of macros, in files that two crates load, and where a name
//! could mean something else.

mod manifest;
mod source;

use std::collections::BTreeMap;

use crate::check::{self, Analysis};
use crate::config::Config;
use crate::date::Date;
use crate::diagnostic::Diagnostic;
use crate::error::Error;
use crate::files::SourceFiles;

/// One fix can make room for another: `self::super::super::x`.
const ROUNDS: usize = 5;

/// A piece of a file and what stands there instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Edit {
    file: String,
    start: usize,
    end: usize,
    with: String,
}

/// The files that change, with their new text.
pub fn fix(
    mut files: SourceFiles,
    config: &Config,
    today: Date,
) -> Result<BTreeMap<String, String>, Error> {
    let mut changed = BTreeMap::new();
    for _ in 0..ROUNDS {
        let report = check::check_files(&files, config, today)?;
        let analysis = check::analyse(&files)?;
        let edits = report.diagnostics.iter();
        let mut edits: Vec<Edit> = edits.filter_map(|it| edit(&files, &analysis, it)).collect();
        edits.sort();
        edits.dedup();
        if edits.is_empty() {
            break;
        }
        for (file, text) in applied(&files, &edits) {
            files.set(&file, text.clone());
            changed.insert(file, text);
        }
    }
    Ok(changed)
}

fn edit(files: &SourceFiles, analysis: &Analysis, it: &Diagnostic) -> Option<Edit> {
    let text = files.get(&it.place.file)?;
    match it.code {
        "SL003" => source::extern_crate(analysis, it, text),
        "SL004" => source::self_super(it, text),
        "SL005" => source::super_chain(analysis, it, text),
        "SL024" => manifest::inherit(files, it, text),
        _ => None,
    }
}

/// The new texts. Of two edits that overlap the first one is done, the other one in the next round.
fn applied(files: &SourceFiles, edits: &[Edit]) -> Vec<(String, String)> {
    let by_file = edits.chunk_by(|one, next| one.file == next.file);
    let texts = by_file.filter_map(|edits| {
        let text = files.get(&edits[0].file)?;
        let (mut new, mut done) = (String::new(), 0);
        for edit in edits {
            if edit.start >= done {
                new.push_str(&text[done..edit.start]);
                new.push_str(&edit.with);
                done = edit.end;
            }
        }
        new.push_str(&text[done..]);
        Some((edits[0].file.clone(), new))
    });
    texts.collect()
}

/// The byte at a line and column that count from 1.
fn offset(text: &str, (line, column): (u32, u32)) -> Option<usize> {
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines
        .by_ref()
        .take(line.checked_sub(1)? as usize)
        .map(str::len)
        .sum();
    let chars = lines.next().unwrap_or_default().chars();
    let within: usize = chars
        .take(column.checked_sub(1)? as usize)
        .map(char::len_utf8)
        .sum();
    Some(before + within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fixture: &str, file: &str, expected: &str) {
        let files = SourceFiles::fixture(fixture);
        let before = files.get(file).unwrap().to_owned();
        let config = Config::parse("strict = true").unwrap();
        let changed = fix(files, &config, "2026-11-22".parse().unwrap()).unwrap();
        let after = changed.get(file).unwrap_or(&before);
        assert_eq!(after, expected);
    }

    #[test]
    fn chains_of_super_become_paths_from_the_root() {
        let inside =
            |source: &str| format!("mod a;\n//- src/a.rs\nmod b;\n//- src/a/b.rs\n{source}\n");
        let check = |source: &str, expected: &str| {
            check(&inside(source), "src/a/b.rs", &format!("{expected}\n"));
        };
        check("use super::super::top;", "use crate::top;");
        check("/* é */ use self::super::c;", "/* é */ use super::c;");
        check("use self::super::super::top;", "use crate::top;");
        check(
            "mod m { use super::super::super::a::x; }",
            "mod m { use crate::a::x; }",
        );
        // What only a macro understands stays.
        check("m!(super::super::top());", "m!(super::super::top());");
        check("use super::{super::top};", "use super::{super::top};");
    }

    #[test]
    fn an_extern_crate_goes_where_nothing_needs_it() {
        let check = |source: &str, expected: &str| {
            let fixture = format!("//- app/src/lib.rs uses serde\n{source}\n");
            check(&fixture, "app/src/lib.rs", &format!("{expected}\n"));
        };
        check("extern crate serde;\nuse serde::X;", "use serde::X;");
        check(
            "extern crate serde;\nfn f() {}",
            "use serde as _;\nfn f() {}",
        );
        for kept in [
            "#[macro_use]\nextern crate serde;",
            "pub extern crate serde;",
            "extern crate serde;\nuse crate::serde::X;",
            "extern crate serde;\nmod m { use super::*; }",
            "extern crate rustc_ast;\nuse rustc_ast::X;",
        ] {
            check(kept, kept);
        }
    }

    #[test]
    fn a_dependency_is_inherited_where_both_entries_say_the_same() {
        let check = |shared: &str, own: &str, expected: &str| {
            let fixture = |own: &str| format!("[package]\nname = \"a\"\n[dependencies]\n{own}\n");
            let text = format!(
                "//- Cargo.toml\n[workspace]\nmembers = [\"a\"]\n[workspace.dependencies]\n{shared}\n//- a/src/lib.rs\n//- a/Cargo.toml\n{}",
                fixture(own)
            );
            check(&text, "a/Cargo.toml", &fixture(expected));
        };
        check("x = \"1\"", "x = \"1\"", "x.workspace = true");
        check(
            "x = { version = \"1\", features = [\"a\"] }",
            "x = { version = \"1\", features = [\"a\"] }",
            "x.workspace = true",
        );
        check(
            "x = { version = \"1\", default-features = false }",
            "x = { version = \"1\", default-features = false, features = [\"a\"] }",
            "x = { workspace = true, features = [\"a\"] }",
        );
        let own = "x = { version = \"1\", features = [\"a\"] }";
        check("x = { version = \"1\", features = [\"b\"] }", own, own);
        check(
            "x = { version = \"1\" }",
            "x = { version = \"1\", features = [\"a\"], optional = true } # why",
            "x = { workspace = true, features = [\"a\"], optional = true } # why",
        );
        for own in [
            "x = \"2\"",
            "x = { version = \"1\", default-features = false }",
        ] {
            check("x = \"1\"", own, own);
        }
        let own = "x = \"1\"";
        check(
            "x = { version = \"1\", default-features = false }",
            own,
            own,
        );
        check("x = { version = \"1\", registry = \"r\" }", own, own);
    }
}
