//! The paths of fields: keys joined by dots, a dot or backslash in a key escaped by a backslash.
//!
//! A structure has paths of array elements besides, `path[]`. Keys know nothing of them: to
//! [`parse_path`], brackets are characters like others.

/// The keys of a path: `a.b` is two, `a\.b` is one.
///
/// # Errors
/// Says what is wrong with a path that [`child_path`] cannot have made.
pub fn parse_path(path: &str) -> Result<Vec<String>, &'static str> {
    let (mut keys, mut start) = (Vec::new(), 0);
    for end in separators(path).chain([path.len()]) {
        keys.push(unescape(&path[start..end])?);
        start = end + 1;
    }
    if keys.iter().any(String::is_empty) {
        return Err("a key of the path is empty");
    }
    Ok(keys)
}

/// The path of `key` within the object at `parent`; the root is the empty path.
pub fn child_path(parent: &str, key: &str) -> String {
    let mut path = String::with_capacity(parent.len() + key.len() + 1);
    path.push_str(parent);
    if !parent.is_empty() {
        path.push('.');
    }
    for character in key.chars() {
        if matches!(character, '.' | '\\') {
            path.push('\\');
        }
        path.push(character);
    }
    path
}

/// The path of the object or array that holds `path`; empty for a field of the record itself.
pub fn parent_path(path: &str) -> &str {
    if let Some(array) = path.strip_suffix("[]") {
        return array;
    }
    &path[..separators(path).last().unwrap_or(0)]
}

/// Where the dots are that no backslash escapes.
fn separators(path: &str) -> impl Iterator<Item = usize> {
    let mut escaped = false;
    path.bytes().enumerate().filter_map(move |(at, byte)| {
        let separates = byte == b'.' && !escaped;
        escaped = byte == b'\\' && !escaped;
        separates.then_some(at)
    })
}

fn unescape(text: &str) -> Result<String, &'static str> {
    let mut key = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some(escaped @ ('.' | '\\')) => key.push(escaped),
                _ => {
                    return Err(
                        r"a `\` escapes a dot or another `\`; write `\\` for the character",
                    );
                }
            },
            _ => key.push(char),
        }
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(path: &str, want: &str) {
        let got = match parse_path(path) {
            Ok(keys) => keys.join(" | "),
            Err(err) => format!("error: {err}"),
        };
        assert_eq!(got, want, "{path}");
    }

    fn render(keys: &[String]) -> String {
        let root = String::new();
        keys.iter().fold(root, |path, key| child_path(&path, key))
    }

    #[test]
    fn a_path_is_keys_between_dots() {
        check("Id", "Id");
        check("Owner.Name", "Owner | Name");
        check(r"a\.b.c\\d", r"a.b | c\d");
        check(r"a\\.b", r"a\ | b");
        check("straße.größe", "straße | größe");
        check("a[].b", "a[] | b");
    }

    #[test]
    fn an_unreadable_path_is_refused() {
        for empty in ["", ".", "a..b", "a.", ".a"] {
            check(empty, "error: a key of the path is empty");
        }
        for escape in [r"a\n", r"a\", r"..\é", r"a\\\"] {
            check(
                escape,
                r"error: a `\` escapes a dot or another `\`; write `\\` for the character",
            );
        }
    }

    #[test]
    fn a_path_leads_back_to_what_holds_it() {
        for (parent, key) in [
            ("", "a"),
            ("a", "b"),
            ("a.b", "c.d"),
            ("", "x.y"),
            ("a[]", "é"),
        ] {
            assert_eq!(parent_path(&child_path(parent, key)), parent, "{key}");
        }
        assert_eq!(child_path("a", r"c.d\e"), r"a.c\.d\\e");
        assert_eq!(parent_path("a.b[]"), "a.b");
    }

    /// Keys of what has a meaning in a path, mostly.
    fn keys() -> impl Strategy<Value = Vec<String>> {
        let key = prop_oneof![r"[a.\\é\[\]]{1,6}", any::<String>()];
        let key = key.prop_filter("no path has an empty key", |it| !it.is_empty());
        prop::collection::vec(key, 1..6)
    }

    proptest! {
        #[test]
        fn keys_are_read_as_they_were_written(keys in keys()) {
            prop_assert_eq!(parse_path(&render(&keys)), Ok(keys));
        }

        #[test]
        fn a_path_that_can_be_read_is_written_in_one_way(path in r"[ab.\\é\[\]]{0,12}") {
            if let Ok(keys) = parse_path(&path) {
                prop_assert_eq!(render(&keys), path);
            }
        }

        #[test]
        fn the_last_key_is_behind_the_parent(keys in keys()) {
            let (last, parents) = keys.split_last().unwrap();
            prop_assume!(!last.ends_with("[]"));
            let path = render(&keys);
            prop_assert_eq!(parent_path(&path), render(parents));
        }
    }
}
