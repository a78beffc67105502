//! Paths inside the checked root: relative, with `/` on each system.
//!
//! **Invariant:** no absolute path ever enters a fact or a diagnostic.

use std::collections::BTreeMap;

/// Joins `relative` to the folder `dir` and resolves `.` and `..`. `None` means that it leaves the root.
pub(crate) fn join(dir: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') || relative.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = dir.split('/').filter(|it| !it.is_empty()).collect();
    for part in relative.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The folder of a file, `""` for the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// The last component.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether `path` is `dir` or lies below it.
pub(crate) fn is_within(path: &str, dir: &str) -> bool {
    dir.is_empty()
        || path
            .strip_prefix(dir)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What each `{name}` of a pattern stood for.
pub(crate) type Captures = BTreeMap<String, String>;

/// Whether the components of `text` begin with those of `pattern`, and how many of them do.
///
/// `*` stands for any run of characters in one component, `**` for any number of components, and
/// `{name}` for one or more characters, the same ones wherever the name stands.
pub(crate) fn match_prefix(pattern: &[&str], text: &[&str]) -> Option<usize> {
    capture_prefix(pattern, text, &mut Captures::new())
}

/// As [`match_prefix`], and writes down what the names stood for.
pub(crate) fn capture_prefix(
    pattern: &[&str],
    text: &[&str],
    caught: &mut Captures,
) -> Option<usize> {
    match pattern.split_first() {
        None => Some(0),
        Some((&"**", rest)) => (0..=text.len()).find_map(|skip| {
            let mut attempt = caught.clone();
            let count = capture_prefix(rest, &text[skip..], &mut attempt)?;
            *caught = attempt;
            Some(skip + count)
        }),
        Some((first, rest)) => {
            let (head, tail) = text.split_first()?;
            capture(first, head, caught)
                .then(|| capture_prefix(rest, tail, caught))
                .flatten()
                .map(|n| n + 1)
        }
    }
}

/// Matches one component against a pattern with `*` and `{name}`.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    capture(pattern, text, &mut Captures::new())
}

fn capture(pattern: &str, text: &str, caught: &mut Captures) -> bool {
    let Some(at) = pattern.find(['*', '{']) else {
        return pattern == text;
    };
    let Some(tail) = text.strip_prefix(&pattern[..at]) else {
        return false;
    };
    let (name, rest) = match pattern[at + 1..].split_once('}') {
        Some((name, rest)) if pattern[at..].starts_with('{') => (Some(name), rest),
        _ => (None, &pattern[at + 1..]),
    };
    let mut ends =
        (usize::from(name.is_some())..=tail.len()).filter(|at| tail.is_char_boundary(*at));
    ends.any(|end| {
        let mut attempt = caught.clone();
        let known = name.and_then(|it| attempt.insert(it.to_owned(), tail[..end].to_owned()));
        let agrees = known.is_none_or(|it| it == tail[..end]);
        let matches = agrees && capture(rest, &tail[end..], &mut attempt);
        if matches {
            *caught = attempt;
        }
        matches
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_resolves_dots_and_notices_an_escape() {
        assert_eq!(join("a/b", "../c.rs").as_deref(), Some("a/c.rs"));
        assert_eq!(join("", "./x").as_deref(), Some("x"));
        assert_eq!(join("a", "../../x"), None);
        assert_eq!(join("a", "/etc/x"), None);
    }

    #[test]
    fn a_pattern_covers_what_lies_below_it() {
        let check = |pattern: &str, path: &str| {
            let (pattern, path): (Vec<_>, Vec<_>) =
                (pattern.split('/').collect(), path.split('/').collect());
            match_prefix(&pattern, &path)
        };
        assert_eq!(check("functions/*", "functions/auth/src/lib.rs"), Some(2));
        assert_eq!(check("**/db", "shared/aam/src/db/x.rs"), Some(4));
        assert_eq!(check("**/db", "shared/aam/src/dbx/x.rs"), None);
        assert_eq!(check("a/**", "a/b/c"), Some(1));
        assert_eq!(check("a-*-c", "a-b-c"), Some(1));
    }

    #[test]
    fn a_name_stands_for_the_same_characters_everywhere() {
        let check = |pattern: &str, path: &str| {
            let mut caught = Captures::new();
            let (pattern, path): (Vec<_>, Vec<_>) =
                (pattern.split('/').collect(), path.split('/').collect());
            let count = capture_prefix(&pattern, &path, &mut caught);
            count.map(|count| format!("{count} {caught:?}"))
        };
        let one = |text: &str| Some(text.to_owned());
        assert_eq!(
            check("functions/{f}", "functions/auth/src"),
            one("2 {\"f\": \"auth\"}")
        );
        assert_eq!(
            check("**/dcl-{f}/x", "a/dcl-query/x"),
            one("3 {\"f\": \"query\"}")
        );
        assert_eq!(check("{f}/{f}", "a/b"), None);
        assert_eq!(check("{f}/{f}", "a/a"), one("2 {\"f\": \"a\"}"));
        assert_eq!(check("a{f}", "a"), None);
    }
}
