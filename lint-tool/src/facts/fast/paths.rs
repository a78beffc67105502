//! Paths and types of the list of nodes.

use ra_ap_parser::SyntaxKind as K;

use super::Fast;
use super::tree::Tree;
use crate::facts::{PathRef, Segment};

/// The segments of a path node, outermost last, as nodes.
fn segments(tree: &Tree, path: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = path;
    loop {
        let qualifier = Some(at + 1).filter(|it| tree.kind(*it) == K::PATH);
        let own = qualifier.map_or(at + 1, |it| tree.end(it));
        if own < tree.end(at) {
            found.push(own);
        }
        match qualifier {
            Some(it) => at = it,
            None => break,
        }
    }
    found.reverse();
    found
}

/// Whether a path node is the beginning of another one, or the trait of one.
pub(super) fn is_part(tree: &Tree, at: usize) -> bool {
    let parent = tree.parent(at);
    match tree.kind(parent) {
        K::PATH => at > 0,
        K::PATH_TYPE => tree.place(parent) == K::TYPE_ANCHOR && tree.parent(parent) + 1 != parent,
        _ => false,
    }
}

/// The generic arguments of a path's last segment.
pub(super) fn arguments(tree: &Tree, path: usize) -> Option<usize> {
    let last = *segments(tree, path).last()?;
    tree.child(last, K::GENERIC_ARG_LIST)
}

/// The path of a type, also of a borrowed one.
pub(super) fn of_type(tree: &Tree, ty: usize) -> Option<usize> {
    let mut ty = ty;
    while tree.kind(ty) == K::REF_TYPE {
        ty = tree.children(ty).find(|it| tree.kind(*it) != K::LIFETIME)?;
    }
    let path = (tree.kind(ty) == K::PATH_TYPE).then_some(ty + 1);
    path.filter(|it| tree.kind(*it) == K::PATH)
}

impl Fast<'_> {
    /// The path of a node, and whether it begins at the name of something.
    pub(super) fn path_at(&self, tree: &Tree, path: usize) -> PathRef {
        let (segments, leading) = self.named(tree, path);
        self.out.path_ref(segments, leading)
    }

    fn named(&self, tree: &Tree, path: usize) -> (Vec<Segment>, bool) {
        let mut found = Vec::new();
        let mut leading = false;
        for (index, it) in segments(tree, path).into_iter().enumerate() {
            match tree.kind(it + 1) {
                // `<T as a::Trait>::X` is a path to `X` of the trait.
                K::TYPE_ANCHOR => {
                    let of_trait = tree.children(it + 1).nth(1);
                    match of_trait.and_then(|it| of_type(tree, it)) {
                        Some(path) => (found, leading) = self.named(tree, path),
                        None => leading = true,
                    }
                }
                _ => {
                    leading |= index == 0 && self.tokens.is_colons(tree.tokens(it).start);
                    found.push(self.tokens.segment(tree.tokens(it + 1).start));
                }
            }
        }
        (found, leading)
    }

    /// Notes a path of two or more segments.
    pub(super) fn path(&mut self, tree: &Tree, path: usize) {
        // Most have one segment: a name, or a name with arguments.
        let is_plain = tree.kind(path + 1) == K::PATH_SEGMENT
            && !self.tokens.is_colons(tree.tokens(path).start)
            && tree.kind(path + 2) == K::NAME_REF;
        if is_plain {
            let name = tree.tokens(path + 2).start;
            return self.out.name(self.tokens.segment(name));
        }
        if self.is_of_type_alone(tree, path) {
            return;
        }
        let found = self.path_at(tree, path);
        if found.segments.len() > 1 || found.leading_colon {
            self.out.facts.paths.push(found);
        }
    }

    /// `<T>::X` leads to no module.
    fn is_of_type_alone(&self, tree: &Tree, path: usize) -> bool {
        let first = segments(tree, path).first().map(|it| it + 1);
        first
            .is_some_and(|it| tree.kind(it) == K::TYPE_ANCHOR && tree.children(it).nth(1).is_none())
    }

    /// The names that a type is made of, without the paths before them.
    pub(super) fn words(&self, tree: &Tree, node: usize, words: &mut String) {
        let mut at = node;
        while at < tree.end(node) {
            if tree.kind(at) != K::PATH || is_part(tree, at) {
                at += 1;
                continue;
            }
            let segments = segments(tree, at);
            if let Some(anchor) = segments.first().map(|it| it + 1)
                && tree.kind(anchor) == K::TYPE_ANCHOR
            {
                self.words(tree, anchor + 1, words);
            }
            if let Some(last) = segments.last() {
                words.push_str(self.tokens.text(tree.tokens(last + 1).start));
                let mut arguments = tree.children(*last).skip(1).peekable();
                if arguments.peek().is_some() {
                    words.push('<');
                    arguments.for_each(|it| self.words(tree, it, words));
                    words.push('>');
                }
            }
            at = tree.end(at);
        }
    }
}
