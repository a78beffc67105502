//! Whether a text is a value, such as a table of numbers, and no module could hold it.

/// Whether the text is an expression, so that `mod` could not load it.
pub(crate) fn is_value(text: &str) -> bool {
    let is_module = super::extract::parse(text).is_ok_and(|it| !it.items.is_empty());
    // The braces let a parser that knows modules judge how deep the expression is.
    let is_value = !is_module && {
        let body = format!("fn value() {{ let _ = {{\n{text}\n}}; }}");
        super::extract::parse(&body).is_ok()
    };
    proc_macro2::extra::invalidate_current_thread_spans();
    is_value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_no_module_holds() {
        for text in [
            "[1, 2, 3]",
            "// numbers\n&[(1, \"a\")]",
            "\"a\"",
            "f(1)",
            "{ let x = 1; x }",
        ] {
            assert!(is_value(text), "{text}");
        }
        for text in [
            "fn f() {}",
            "use a::b;\nmod c;",
            "m! { a }",
            "not rust at ( all",
        ] {
            assert!(!is_value(text), "{text}");
        }
    }
}
