//! The paths seen so far as a tree in one vector, so that a known field costs a comparison.

use std::collections::HashMap;

use schema::source::{SourceTypes, child_path};

use super::stored::Field;
use super::{MAX_PATHS, Seen};

/// Longer paths have no room; what makes them is data used as keys.
const MAX_PATH_BYTES: usize = 1024;

/// A place in the tree.
pub(super) type Id = u32;

/// The record itself.
pub(super) const ROOT: Id = 0;

/// One path and its counters.
#[derive(Debug, Clone)]
pub(super) struct Node {
    path: Box<str>,
    key: Box<str>,
    parent: Id,
    children: HashMap<Box<str>, Id>,
    /// The elements, where it is an array. They have no key.
    elements: Option<Id>,
    /// The field that came first last time, where it is an object.
    first: Id,
    /// The sibling that followed last time: sources write their keys in one order.
    next: Id,
    types: SourceTypes,
    present: u64,
    nulls: u64,
    /// How many objects were seen here.
    pub(super) objects: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    pub(super) overflow: u64,
}

impl Tree {
    pub(super) fn new() -> Tree {
        let root = Node::new(String::new(), "", ROOT);
        Tree {
            nodes: vec![root],
            overflow: 0,
        }
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    /// The field that followed `previous` last time, with its key; `previous` is
    /// the object itself for the first field.
    #[inline]
    pub(super) fn guess(&self, parent: Id, previous: Id) -> Option<(Id, &str)> {
        let before = self.node(previous);
        let guess = if previous == parent {
            before.first
        } else {
            before.next
        };
        (guess != ROOT).then(|| (guess, &*self.node(guess).key))
    }

    /// The field `key` of an object, which follows `previous` there. None if there is no room for
    /// a new path.
    pub(super) fn child(&mut self, parent: Id, key: &str, previous: Id) -> Option<Id> {
        let child = match self.node(parent).children.get(key) {
            Some(&child) => child,
            // No path can name it: that of the record itself is empty.
            None if key.is_empty() => return None,
            None => {
                let child = self.insert(child_path(&self.node(parent).path, key), key, parent)?;
                self.node_mut(parent).children.insert(key.into(), child);
                child
            }
        };
        // A key that JSON escapes is never guessed: its bytes in the text are others.
        if !key.contains(['"', '\\']) {
            let before = self.node_mut(previous);
            *(if previous == parent {
                &mut before.first
            } else {
                &mut before.next
            }) = child;
        }
        Some(child)
    }

    /// The elements of an array. None if there is no room for a new path.
    pub(super) fn elements(&mut self, array: Id) -> Option<Id> {
        if let Some(elements) = self.node(array).elements {
            return Some(elements);
        }
        let elements = self.insert(format!("{}[]", self.node(array).path), "", array)?;
        self.node_mut(array).elements = Some(elements);
        Some(elements)
    }

    fn insert(&mut self, path: String, key: &str, parent: Id) -> Option<Id> {
        if self.nodes.len() > MAX_PATHS || path.len() > MAX_PATH_BYTES {
            self.overflow += 1;
            return None;
        }
        let id = Id::try_from(self.nodes.len()).ok()?;
        self.nodes.push(Node::new(path, key, parent));
        Some(id)
    }

    #[inline]
    pub(super) fn count_values(&mut self, id: Id, types: SourceTypes, times: u64) {
        let node = self.node_mut(id);
        node.types = node.types.union(types);
        node.present += times;
    }

    #[inline]
    pub(super) fn count_null(&mut self, id: Id) {
        self.node_mut(id).nulls += 1;
    }

    pub(super) fn count_objects(&mut self, id: Id, times: u64) {
        self.node_mut(id).objects += times;
    }

    /// Keeps the paths alone.
    pub(super) fn forget_values(&mut self) {
        for node in &mut self.nodes {
            node.types = SourceTypes::NONE;
            node.present = 0;
            node.nulls = 0;
            node.objects = 0;
        }
    }

    /// Adds the counters of another tree, path by path.
    pub(super) fn merge(&mut self, other: &Tree) {
        self.overflow += other.overflow;
        // A parent stands before its children, so its own place here is known when they come.
        let mut places: Vec<Option<Id>> = Vec::with_capacity(other.nodes.len());
        for theirs in other.stored() {
            let place = match (places.get(theirs.parent as usize), &theirs.key) {
                (None, _) => Some(ROOT),
                (Some(None), _) => None,
                (Some(&Some(parent)), None) => self.elements(parent),
                (Some(&Some(parent)), Some(key)) => self.child(parent, key, parent),
            };
            if let Some(place) = place {
                self.add(place, &theirs);
            }
            places.push(place);
        }
    }

    pub(super) fn add(&mut self, id: Id, field: &Field) {
        self.count_values(id, field.types, field.present);
        self.count_objects(id, field.objects);
        self.node_mut(id).nulls += field.nulls;
    }

    /// The record itself and every field, a parent before its children.
    pub(super) fn stored(&self) -> impl Iterator<Item = Field> {
        (ROOT..).zip(&self.nodes).map(|(id, node)| Field {
            parent: node.parent,
            key: (self.node(node.parent).elements != Some(id)).then(|| node.key.clone()),
            types: node.types,
            present: node.present,
            nulls: node.nulls,
            objects: node.objects,
        })
    }

    /// Every field, a parent before its children.
    pub(super) fn fields(&self) -> impl Iterator<Item = Seen<'_>> {
        (ROOT..).zip(&self.nodes).skip(1).filter_map(|(id, node)| {
            let parent = self.node(node.parent);
            // An array holds as many elements as it holds: none can be missing.
            let is_element = parent.elements == Some(id);
            let chances = if is_element {
                node.present + node.nulls
            } else {
                parent.objects
            };
            let is_nothing = is_element && chances == 0;
            (!is_nothing).then_some(Seen {
                path: &node.path,
                types: node.types,
                present: node.present,
                objects: node.objects,
                chances,
            })
        })
    }
}

impl Node {
    fn new(path: String, key: &str, parent: Id) -> Node {
        Node {
            path: path.into(),
            key: key.into(),
            parent,
            children: HashMap::new(),
            elements: None,
            first: ROOT,
            next: ROOT,
            types: SourceTypes::NONE,
            present: 0,
            nulls: 0,
            objects: 0,
        }
    }
}
