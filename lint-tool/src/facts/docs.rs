//! Doc comments made plain, so that the parser need not turn each line into an attribute.
//!
//! **Invariant:** every other character keeps its place, so spans stay true.

/// Blanks the third sign of each line that is a doc comment. Inside a string or a comment that does
/// no harm: neither ends by it, and no fact reads such a line.
pub(super) fn blank(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_ascii_start().len();
        let (before, rest) = line.split_at(indent);
        plain.push_str(before);
        match rest.as_bytes() {
            // `///*` inside a block comment would open another one.
            [b'/', b'/', b'/' | b'!', third, ..] if *third != b'*' => {
                plain.push_str("// ");
                plain.push_str(&rest[3..]);
            }
            _ => plain.push_str(rest),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_doc_comments_change_and_nothing_moves() {
        let check = |text: &str, expected: &str| assert_eq!(blank(text), expected);
        check(
            "//! a\r\n  /// é\n\t//// x\n",
            "//  a\r\n  //  é\n\t// / x\n",
        );
        check("a; /// b\n/**/ // c\n///", "a; /// b\n/**/ // c\n///");
        check("/*\n///*/\n*/*/", "/*\n///*/\n*/*/");
    }
}
