//! The source fields that a mapping names, as a tree of keys.

use schema::source::parse_path;

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

/// The keys of a path that a mapping may name.
pub(super) fn parse(path: &str) -> Result<Vec<String>, &'static str> {
    let keys = parse_path(path)?;
    if keys.len() > MAX_KEYS {
        return Err("the path has more than 16 keys");
    }
    Ok(keys)
}

const MAX_KEYS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_at_most_16_keys() {
        assert_eq!(parse(&["a"; 16].join(".")).map(|it| it.len()), Ok(16));
        let refused = parse(&["a"; 17].join("."));
        assert_eq!(refused, Err("the path has more than 16 keys"));
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
