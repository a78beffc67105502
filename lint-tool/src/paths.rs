//! Paths inside the checked root: relative, with `/` on each system.
//!
//! **Invariant:** no absolute path ever enters a fact or a diagnostic.

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

/// Whether the components of `text` begin with those of `pattern`, and how many of them do.
///
/// `*` stands for any run of characters in one component, `**` for any number of components.
pub(crate) fn match_prefix(pattern: &[&str], text: &[&str]) -> Option<usize> {
    match pattern.split_first() {
        None => Some(0),
        Some((&"**", rest)) => {
            (0..=text.len()).find_map(|skip| Some(skip + match_prefix(rest, &text[skip..])?))
        }
        Some((first, rest)) => {
            let (head, tail) = text.split_first()?;
            wildcard(first, head)
                .then(|| match_prefix(rest, tail))
                .flatten()
                .map(|n| n + 1)
        }
    }
}

/// Matches one component against a pattern with `*`.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len())
                .filter(|&at| tail.is_char_boundary(at))
                .any(|at| wildcard(rest, &tail[at..]))
        }),
    }
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
}
