//! Facts without a tree of allocations: the tokens of a file, the order in which rust-analyzer's parser
//! enters and leaves their nodes, and one pass over both.
//!
//! **Invariant:** it says what [`super::extract()`] says, or nothing. Whatever it doubts (an error, a depth,
//! a syntax that the two parsers see differently) it leaves to the walk over `syn`'s tree.

mod arguments;
mod attributes;
mod items;
mod paths;
mod tokens;
mod tree;
mod walk;

use std::panic::{self, AssertUnwindSafe};

use ra_ap_parser::TopEntryPoint;

use self::tokens::Tokens;
use self::tree::Tree;
use super::Facts;
use super::extract::{Walker, code};

/// What a file says, unless the parser finds fault with it.
pub(super) fn extract(text: &str) -> Option<Facts> {
    // The parser is made for an editor and asserts what it believes; a file is no reason to end.
    panic::catch_unwind(AssertUnwindSafe(|| read(text))).ok()?
}

fn read(text: &str) -> Option<Facts> {
    let text = code(text);
    let tokens = Tokens::read(&text)?;
    let tree = Tree::parse(&tokens, 0..tokens.len(), None, TopEntryPoint::SourceFile)?;
    let mut flat = Fast {
        tokens: &tokens,
        out: Walker::default(),
        is_doubtful: false,
    };
    flat.file(&tree);
    (!flat.is_doubtful).then(|| flat.out.into_facts())
}

/// The walk, and what it writes down.
struct Fast<'a> {
    tokens: &'a Tokens<'a>,
    out: Walker,
    /// The two parsers may see something of this file differently.
    is_doubtful: bool,
}

#[cfg(test)]
mod tests;
