//! The two ways to facts, held against each other.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use crate::check::with_deep_stack;
use crate::facts::{Facts, extract_by_tree};
use crate::files::SourceFiles;

/// All facts as text. What one walk meets before the other is put in one order.
fn said(mut facts: Facts) -> String {
    facts.paths.sort_by_key(|it| (it.span(), it.text()));
    facts.sql.sort_by_key(|it| it.span);
    facts.includes.sort_by_key(|it| it.span);
    facts.path_attrs.sort_by_key(|it| it.span);
    facts.row_types.sort_by_key(|it| it.path.span());
    facts.lines = 0;
    facts.generated = false;
    facts.allows.clear();
    format!("{facts:#?}")
}

/// Whether the quick way was taken. Where both have facts, they are the same.
fn compare(name: &str, text: &str) -> bool {
    let tree = extract_by_tree(text);
    let flat = super::extract(text);
    let is_flat = flat.is_some();
    // One parser may know a syntax that the other does not.
    if let Some(flat) = flat.filter(|_| tree.error.is_none()) {
        let (flat, tree) = (said(flat), said(tree));
        let differing = flat.lines().zip(tree.lines()).find(|(a, b)| a != b);
        assert_eq!(flat, tree, "{name}\n{text}\n{differing:?}");
    }
    is_flat
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// The string literals of a file: fixtures, examples, and much that is not Rust at all.
fn literals(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(it) => literals(it.stream(), found),
            TokenTree::Literal(it) => {
                if let syn::Lit::Str(text) = syn::Lit::new(it) {
                    found.push(text.value());
                }
            }
            _ => {}
        }
    }
}

fn repository() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    sources(&root, &mut found);
    let read = |it: &PathBuf| (it.display().to_string(), fs::read_to_string(it).unwrap());
    found.iter().map(read).collect()
}

#[test]
fn each_source_of_this_repository_says_the_same_both_ways() {
    let all = repository();
    assert!(all.len() > 100, "{}", all.len());
    let slow = || {
        let slow = all.iter().filter(|(name, text)| !compare(name, text));
        slow.map(|it| it.0.clone()).collect::<Vec<_>>()
    };
    let slow = with_deep_stack(1, slow).unwrap();
    // Its macro call has `enum` among its words, which looks like an item.
    let excepted = |it: &String| it.ends_with("platform/src/page/parameters.rs");
    assert!(slow.iter().all(excepted), "{slow:#?}");
}

#[test]
fn each_fixture_and_example_says_the_same_both_ways() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(root, &mut files);
    let mut texts = Vec::new();
    for file in files {
        literals(
            fs::read_to_string(file).unwrap().parse().unwrap(),
            &mut texts,
        );
    }
    let (mut quick, mut all) = (0, 0);
    for text in &texts {
        let fixture = SourceFiles::fixture(text);
        let rust = fixture.paths().filter(|it| it.ends_with(".rs"));
        let rust = rust.filter_map(|it| fixture.get(it)).chain([text.as_str()]);
        for it in rust {
            all += 1;
            quick += usize::from(compare("a literal", it));
        }
    }
    assert!(quick > 500 && quick < all, "{quick} of {all}");
}

#[test]
fn odd_syntax_says_the_same_both_ways() {
    for text in [
        "fn f() { <T as a::Tr<b::X>>::Y::z::<c::D>(); <a::T>::n(); <[u8]>::len(x); }",
        "type T = <<A as b::B>::C as d::D>::E; type U = a::F(b::G) -> c::H;",
        "impl<T: a::B> From<c::D> for &'static e::F<T> where T: ::g::H {}",
        "fn f() { x.0.1; x.0.; 1.0.max(a::B); a::b!(c::d, 1.5, 'x', 'a: loop {}) }",
        "use ::{a, b::{self as c, *}}; use self::d as _; pub(in crate::e) use f::r#type;",
        "struct S<T, const N: usize>(a::B<{ c::N }>) where T: d::E; struct U; union V { a: b::C }",
        "struct S { #[serde(rename = \"b\", with = \"a::b\")] a: a::B<dyn c::D + 'static, [e::F; g::N]>, r#type: fn(a::B) -> c::D }",
        "#[cfg_attr(x, derive(a::B, C), path = \"y.rs\")] mod m; #[cfg(any(not(x), test))] mod n { #![allow(a::b)] mod o; }",
        "m! { struct S; mod a; fn f() { use a::b; } } m!(a::b; n); m![x = a::b, y => c::d]; m!($a::b, $crate::c, ::d::e, f.g::h)",
        "fn f() { { #![allow(clippy::x)] struct A; b::C } let x = if a::B { 1 } else { 2 }; const { c::D }; async move { e::f } }",
        "macro_rules! m { ($x:ident) => { mod $x; mod y; a::b!(include!(\"z.rs\"), stringify!(c::d)) } }",
        "fn f() { sqlx::query_as::<_, a::Row>(\"select a from b\"); query_as!(c::Row, r#\"select a from d\"#, x); query(\"\\n delete from e\") }",
        "#![doc = include_str!(\"x.md\")] #[doc = a::b!()] #[unsafe(no_mangle)] extern \"C\" fn f(x: a::B, ...) { include!(concat!(env!(\"OUT_DIR\"), \"/x.rs\")) }",
        "trait T: a::B { type C: d::E; fn f<X>(&self) -> X::Y { g::h() } const N: u8 = i::J; }",
        "extern crate a as b; extern crate self as c; extern { static X: a::B; fn f(_: c::D); }",
        "\u{feff}#!/bin/sh\nuse a::b; /// x\n// é\nfn f() { /* a::b */ \"é\"; c::d }",
        "thread_local! { static X: a::B = c::D; } task_local! { pub static Y: e::F; } bitflags! { struct G: u8 { const A = h::I; } }",
        "fn f() { match x { a::B { c, .. } | d::E(_) => 1, f::G..=h::I => 2, ref j @ k::L => 3, m::N!() => 4, _ => 5 } }",
        "fn f() { |x: a::B| -> c::D { e }; for<'a> |x: &'a f::G| {}; x as h::I < y; z::<{ j::K }>(); loop { break 'a l::M } }",
        "impl const a::B for C {} impl !d::E for F {} default impl g::H for I {} auto trait J {}",
        "const A: &str = concat!(\"insert into a \", \"(x) values (1)\"); const B: &str = m!(concat!(\"update b \", r#\"set x = 1\"#)); \
         const C: &str = concat!(\"delete from c where x =\", N); m! { a => concat!(\"select x from d \", \"where x = 1\") }",
        "#[cfg_attr(x, cfg_attr(y, path = \"z.rs\"))] mod m; include!(concat!(\"a/\", \"b.rs\")); #[macro_export] macro_rules! n { () => {} }",
        "static mut X: a::B = c::D { ..e::f() }; const _: () = assert!(g::H); type T;",
    ] {
        with_deep_stack(1, || compare("odd syntax", text)).unwrap();
    }
}
