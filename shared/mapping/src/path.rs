//! The source fields that a mapping names, as a tree of keys.

/// One key of the tree, or its root.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Where its value goes. A node without children is a source; one with children may be.
    pub(super) slot: usize,
    pub(super) is_source: bool,
    /// By the length of the key, so that most keys are told apart without being read.
    children: Vec<Vec<(Box<str>, Node)>>,
}

impl Node {
    pub(super) fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }

    pub(super) fn child(&self, key: &str) -> Option<&Node> {
        let of_length = self.children.get(key.len())?;
        of_length
            .iter()
            .find(|(name, _)| **name == *key)
            .map(|(_, node)| node)
    }

    /// Whether that holds for a node below this one.
    pub(super) fn any_below(&self, holds: &impl Fn(&Node) -> bool) -> bool {
        let mut below = self.children.iter().flatten();
        below.any(|(_, it)| holds(it) || it.any_below(holds))
    }

    /// Adds the path below this node and returns its slot; `slots` counts those given out.
    pub(super) fn insert(&mut self, path: &[String], slots: &mut usize) -> usize {
        let Some((key, rest)) = path.split_first() else {
            self.is_source = true;
            return self.slot;
        };
        if self.children.len() <= key.len() {
            self.children.resize_with(key.len() + 1, Vec::new);
        }
        let of_length = &mut self.children[key.len()];
        let index = match of_length.iter().position(|(name, _)| **name == **key) {
            Some(index) => index,
            None => {
                let node = Node {
                    slot: *slots,
                    ..Node::default()
                };
                *slots += 1;
                of_length.push((key.as_str().into(), node));
                of_length.len() - 1
            }
        };
        of_length[index].1.insert(rest, slots)
    }
}

/// The keys of a path: `a.b` is two, `a\.b` is one.
pub(super) fn parse(path: &str) -> Result<Vec<String>, &'static str> {
    let mut keys = vec![String::new()];
    let mut chars = path.chars();
    while let Some(char) = chars.next() {
        let last = keys.last_mut().expect("starts with one, only grows");
        match char {
            '.' => keys.push(String::new()),
            '\\' => match chars.next() {
                Some(escaped @ ('.' | '\\')) => last.push(escaped),
                _ => {
                    return Err(
                        r"a `\` escapes a dot or another `\`; write `\\` for the character",
                    );
                }
            },
            _ => last.push(char),
        }
    }
    if keys.iter().any(String::is_empty) {
        return Err("a key of the path is empty");
    }
    if keys.len() > MAX_KEYS {
        return Err("the path has more than 16 keys");
    }
    Ok(keys)
}

const MAX_KEYS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, want: &str) {
        let got = match parse(path) {
            Ok(keys) => keys.join(" | "),
            Err(err) => format!("error: {err}"),
        };
        assert_eq!(got, want, "{path}");
    }

    #[test]
    fn a_path_is_keys_between_dots() {
        check("Id", "Id");
        check("Owner.Name", "Owner | Name");
        check(r"a\.b.c\\d", r"a.b | c\d");
        check("straße.größe", "straße | größe");
    }

    #[test]
    fn an_unreadable_path_is_refused() {
        check("", "error: a key of the path is empty");
        check("a..b", "error: a key of the path is empty");
        check("a.", "error: a key of the path is empty");
        check(
            r"a\n",
            r"error: a `\` escapes a dot or another `\`; write `\\` for the character",
        );
        check(
            &["a"; 17].join("."),
            "error: the path has more than 16 keys",
        );
    }

    #[test]
    fn a_path_keeps_its_slot() {
        let (mut root, mut slots) = (Node::default(), 0);
        let org = root.insert(&["org".into()], &mut slots);
        let value = root.insert(&["org".into(), "value".into()], &mut slots);
        assert_eq!(root.insert(&["org".into()], &mut slots), org);
        assert_ne!(org, value);
        assert_eq!(slots, 2);
        let node = root.child("org").and_then(|it| it.child("value")).unwrap();
        assert_eq!(
            (node.slot, node.is_source, node.is_leaf()),
            (value, true, true)
        );
        assert!(root.child("gro").is_none());
    }
}
