//! Fixes in Rust sources.

use super::{Edit, offset};
use crate::check::Analysis;
use crate::diagnostic::Diagnostic;
use crate::facts::{PathRef, fixable};
use crate::modules::Module;

/// `self::super::x` without `self::`.
pub(super) fn self_super(it: &Diagnostic, text: &str) -> Option<Edit> {
    let start = plain_place(it, text)?;
    text[start..].starts_with("self::super::").then(|| Edit {
        file: it.place.file.clone(),
        start,
        end: start + "self::".len(),
        with: String::new(),
    })
}

/// `super::super::x` as a path from the crate's root.
pub(super) fn super_chain(analysis: &Analysis, it: &Diagnostic, text: &str) -> Option<Edit> {
    let start = plain_place(it, text)?;
    let root = only_module(analysis, &it.place.file)?;
    // In the middle of a path, or of a group, it does not begin at the root.
    let before = text[..start].trim_end();
    if before.ends_with("::") || before.ends_with(['{', ',']) && !is_expression(before) {
        return None;
    }
    let (id, path) = path_at(analysis, root, it)?;
    let count = path
        .segments
        .iter()
        .take_while(|it| it.name == "super")
        .count();
    let written = "super::".repeat(count);
    let module =
        std::iter::successors(Some(id), |it| analysis.modules.all[*it].parent).nth(count)?;
    let inner = analysis.modules.all[module].path.split_once("::");
    let inner = inner.map_or(String::new(), |(_, inner)| format!("{inner}::"));
    text[start..].starts_with(&written).then(|| Edit {
        file: it.place.file.clone(),
        start,
        end: start + written.len(),
        with: format!("crate::{inner}"),
    })
}

/// Whether a sign before a path can only belong to an expression or item: no `use` begins after the
/// last end of a statement.
fn is_expression(before: &str) -> bool {
    let statement = before.rsplit(';').next().unwrap_or(before);
    !statement
        .split(|it: char| !(it.is_alphanumeric() || it == '_'))
        .any(|it| it == "use")
}

/// `extern crate x;` away, where `x` is known anyway and nothing reaches it through this module.
pub(super) fn extern_crate(analysis: &Analysis, it: &Diagnostic, text: &str) -> Option<Edit> {
    let plain = fixable(text)?;
    let at = (it.place.span.line, it.place.span.column);
    let (name, range) = plain
        .externs
        .iter()
        .find(|(_, range)| range.contains(&at))?;
    let root = only_module(analysis, &it.place.file)?;
    let module = &analysis.modules.all[root];
    let package = &analysis.workspace.packages[module.package];
    if !package.externs.contains_key(name) || module.parent.is_some() {
        return None;
    }
    let files = analysis
        .modules
        .files()
        .filter(|(_, it, _)| it.root == root);
    let mut used = false;
    for (_, _, facts) in files {
        for import in facts.uses.iter().filter(|it| !it.extern_crate) {
            let names = names(&import.path);
            let through = matches!(names.first(), Some(&"crate" | &"self" | &"super"));
            if through && (names.contains(&name.as_str()) || import.glob) {
                return None;
            }
            used |= names.first() == Some(&name.as_str());
        }
        for path in &facts.paths {
            let names = names(path);
            let through = matches!(names.first(), Some(&"crate" | &"self" | &"super"));
            if through && names.contains(&name.as_str()) {
                return None;
            }
            used |= names.first() == Some(&name.as_str());
        }
    }
    let (start, mut end) = (offset(text, range.start)?, offset(text, range.end)?);
    let with = if used {
        String::new()
    } else {
        format!("use {name} as _;")
    };
    if used && text[end..].starts_with('\n') {
        end += 1;
    }
    let file = it.place.file.clone();
    Some(Edit {
        file,
        start,
        end,
        with,
    })
}

fn names(path: &PathRef) -> Vec<&str> {
    path.segments.iter().map(|it| it.name.as_str()).collect()
}

/// The byte that a finding begins at, unless a macro's tokens stand there.
fn plain_place(it: &Diagnostic, text: &str) -> Option<usize> {
    let at = (it.place.span.line, it.place.span.column);
    fixable(text)?
        .is_plain(at)
        .then(|| offset(text, at))
        .flatten()
}

/// The module that a file is, if it is only one.
fn only_module(analysis: &Analysis, file: &str) -> Option<usize> {
    let is_it = |it: &&(usize, &Module)| it.1.file == file && it.1.scope == 0;
    let all: Vec<_> = analysis.modules.all.iter().enumerate().collect();
    let mut found = all.iter().filter(|it| is_it(it));
    let first = found.next()?;
    found.next().is_none().then_some(first.0)
}

/// The path that a finding speaks of, and the module that it stands in.
fn path_at<'a>(
    analysis: &'a Analysis,
    root: usize,
    it: &Diagnostic,
) -> Option<(usize, &'a PathRef)> {
    let facts = analysis.modules.facts.get(&it.place.file)?;
    let paths = facts.uses.iter().map(|it| &it.path).chain(&facts.paths);
    let begins = |path: &&PathRef| {
        path.segments.first().is_some_and(|first| {
            first.name == "super"
                && (first.span.line, first.span.column)
                    == (it.place.span.line, it.place.span.column)
        })
    };
    let path = { paths }.find(begins)?;
    Some((analysis.modules.by_scope(root)[path.scope], path))
}
