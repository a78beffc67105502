//! The nodes that the parser enters, as a list: a node's children follow it, and it knows where they end.

use std::ops::Range;

use ra_ap_parser::{Step, SyntaxKind as K, TopEntryPoint};

use super::tokens::Tokens;

/// One node.
pub(super) struct Node {
    pub(super) kind: K,
    pub(super) parent: u32,
    /// Its first token.
    pub(super) start: u32,
    /// The token after its last one.
    pub(super) stop: u32,
    /// The node after its last child.
    pub(super) end: u32,
}

/// Nodes in the order in which they begin.
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Parses a range of tokens, with other brackets around it if there are any. None on any error.
    pub(super) fn parse(
        tokens: &Tokens,
        range: Range<usize>,
        brackets: Option<(K, K)>,
        entry: TopEntryPoint,
    ) -> Option<Tree> {
        // The bracket that is put before counts as the token before.
        let mut token = (range.start as u32).wrapping_sub(u32::from(brackets.is_some()));
        let output = entry.parse(&tokens.input(range, brackets));
        let mut nodes: Vec<Node> = Vec::new();
        let mut open: Vec<u32> = Vec::new();
        for step in output.iter() {
            let closed = match step {
                Step::Enter { kind } => {
                    let parent = open.last().copied().unwrap_or(0);
                    open.push(nodes.len() as u32);
                    nodes.push(Node {
                        kind,
                        parent,
                        start: token,
                        stop: token,
                        end: 0,
                    });
                    0
                }
                Step::Token { n_input_tokens, .. } => {
                    token = token.wrapping_add(u32::from(n_input_tokens));
                    0
                }
                Step::Exit => 1,
                // `a.0.1` is one number to the lexer and two fields to the parser.
                Step::FloatSplit { ends_in_dot } => {
                    token += 1;
                    1 + usize::from(!ends_in_dot)
                }
                Step::Error { .. } => return None,
            };
            for _ in 0..closed {
                let at = open.pop()?;
                let end = nodes.len() as u32;
                let node = &mut nodes[at as usize];
                (node.stop, node.end) = (token, end);
            }
        }
        open.is_empty().then_some(Tree { nodes })
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn kind(&self, at: usize) -> K {
        self.nodes.get(at).map_or(K::EOF, |it| it.kind)
    }

    /// The kind of the node around it.
    pub(super) fn place(&self, at: usize) -> K {
        if at == 0 {
            K::EOF
        } else {
            self.kind(self.parent(at))
        }
    }

    pub(super) fn parent(&self, at: usize) -> usize {
        self.nodes[at].parent as usize
    }

    pub(super) fn end(&self, at: usize) -> usize {
        self.nodes[at].end as usize
    }

    /// The tokens of a node.
    pub(super) fn tokens(&self, at: usize) -> Range<usize> {
        self.nodes[at].start as usize..self.nodes[at].stop as usize
    }

    pub(super) fn children(&self, at: usize) -> impl Iterator<Item = usize> {
        let end = self.end(at);
        let first = Some(at + 1).filter(|it| *it < end);
        std::iter::successors(first, move |it| Some(self.end(*it)).filter(|it| *it < end))
    }

    /// The first child of a kind.
    pub(super) fn child(&self, at: usize, kind: K) -> Option<usize> {
        self.children(at).find(|it| self.kind(*it) == kind)
    }

    /// The name that an item declares, as a token.
    pub(super) fn name(&self, at: usize) -> Option<usize> {
        self.child(at, K::NAME).map(|it| self.tokens(it).start)
    }
}
