//! What attributes say: `cfg(test)`, `path`, derives, table names, renames.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token};

/// Attributes whose string names a path.
pub(super) const PATH_STRINGS: [&str; 10] = [
    "with",
    "serialize_with",
    "deserialize_with",
    "default",
    "remote",
    "crate",
    "from",
    "into",
    "try_from",
    "skip_serializing_if",
];

/// Attributes that make a function a test.
pub(super) const TESTS: [&str; 4] = ["test", "bench", "rstest", "proptest"];

/// Attributes that name the table of a struct.
pub(super) const TABLE_SOURCES: [&str; 5] = ["diesel", "sea_orm", "table_name", "sqlx", "orm"];

/// Attributes that name the column of a field.
pub(super) const COLUMN_SOURCES: [&str; 4] = ["sqlx", "serde", "diesel", "sea_orm"];

/// Whether the item is compiled for tests only.
pub(super) fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let Some(last) = attr.path().segments.last() else {
            return false;
        };
        match &attr.meta {
            Meta::List(list) if last.ident == "cfg" => asks_for_test(list.tokens.clone()),
            _ => TESTS.iter().any(|it| last.ident == it),
        }
    })
}

/// Whether a `cfg` or `cfg_attr` stands on the item.
pub(super) fn is_conditional(attrs: &[Attribute]) -> bool {
    attrs
        .iter()
        .any(|it| it.path().is_ident("cfg") || it.path().is_ident("cfg_attr"))
}

fn asks_for_test(tokens: TokenStream) -> bool {
    let mut negated = false;
    for token in tokens {
        match token {
            TokenTree::Ident(it) if it == "test" => return true,
            TokenTree::Ident(it) => negated = it == "not",
            TokenTree::Group(it) if !negated && asks_for_test(it.stream()) => return true,
            _ => {}
        }
    }
    false
}

/// The literal of `key = "…"`.
pub(super) fn name_value<'a>(meta: &'a Meta, key: &str) -> Option<&'a LitStr> {
    match meta {
        Meta::NameValue(it) if it.path.is_ident(key) => literal(&it.value),
        _ => None,
    }
}

/// A string that is written out.
pub(super) fn literal(value: &Expr) -> Option<&LitStr> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

/// `#[path = "…"]` of an item, also inside `cfg_attr`.
pub(super) fn path_attr(attr: &Attribute) -> Option<LitStr> {
    if let Some(text) = name_value(&attr.meta, "path") {
        return Some(text.clone());
    }
    match &attr.meta {
        Meta::List(list) if attr.path().is_ident("cfg_attr") => string_after(&list.tokens, "path"),
        _ => None,
    }
}

/// The list attributes that an attribute is: itself, or those in a `cfg_attr`.
fn lists(attr: &Attribute) -> Vec<(String, TokenStream)> {
    let (Meta::List(list), Some(name)) = (&attr.meta, attr.path().get_ident()) else {
        return Vec::new();
    };
    if name != "cfg_attr" {
        return vec![(name.to_string(), list.tokens.clone())];
    }
    let tokens: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
    let within = tokens.windows(2).filter_map(|it| match it {
        [TokenTree::Ident(name), TokenTree::Group(group)] => {
            Some((name.to_string(), group.stream()))
        }
        _ => None,
    });
    within.collect()
}

/// The string after `key =` in a list, at its first level or in a `cfg_attr` there.
fn string_after(tokens: &TokenStream, key: &str) -> Option<LitStr> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let own = tokens.windows(3).find_map(|it| match it {
        [
            TokenTree::Ident(name),
            TokenTree::Punct(eq),
            TokenTree::Literal(_),
        ] if name == key && eq.as_char() == '=' => {
            syn::parse2(TokenStream::from(it[2].clone())).ok()
        }
        _ => None,
    });
    own.or_else(|| {
        tokens.windows(2).find_map(|it| match it {
            [TokenTree::Ident(name), TokenTree::Group(inner)] if name == "cfg_attr" => {
                string_after(&inner.stream(), key)
            }
            _ => None,
        })
    })
}

/// Strings of a list attribute that name paths, such as `serde(with = "…")`.
pub(super) fn path_strings(attr: &Attribute) -> Vec<LitStr> {
    let lists = lists(attr).into_iter().filter(|(name, _)| name == "serde");
    let strings = lists.flat_map(|(_, tokens)| {
        let keys = PATH_STRINGS.iter();
        keys.filter_map(move |key| string_after(&tokens, key))
    });
    strings.collect()
}

/// Last segments of everything derived, also through `cfg_attr`.
pub(super) fn derives(attrs: &[Attribute]) -> Vec<String> {
    let mut names = Vec::new();
    for attr in attrs {
        if let Meta::List(list) = &attr.meta {
            if attr.path().is_ident("derive") {
                last_idents(list.tokens.clone(), &mut names);
            } else if attr.path().is_ident("cfg_attr") {
                derives_within(list.tokens.clone(), &mut names);
            }
        }
    }
    names
}

fn derives_within(tokens: TokenStream, names: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for pair in tokens.windows(2) {
        if let [TokenTree::Ident(name), TokenTree::Group(group)] = pair
            && name == "derive"
        {
            last_idents(group.stream(), names);
        }
    }
}

/// `Type` alone says nothing; with its crate it is a column of the database.
fn last_idents(tokens: TokenStream, names: &mut Vec<String>) {
    let mut last: Option<String> = None;
    for token in tokens {
        match token {
            TokenTree::Ident(it) if it == "Type" && last.as_deref() == Some("sqlx") => {
                last = Some("sqlx::Type".into());
            }
            TokenTree::Ident(it) => last = Some(it.to_string()),
            TokenTree::Punct(it) if it.as_char() == ',' => names.extend(last.take()),
            _ => {}
        }
    }
    names.extend(last);
}

/// The table that diesel's or sea-orm's attribute names.
pub(super) fn table(attrs: &[Attribute]) -> Option<String> {
    attrs.iter().find_map(|attr| {
        if let Some(text) = name_value(&attr.meta, "table_name") {
            return Some(text.value());
        }
        let lists = lists(attr)
            .into_iter()
            .filter(|(name, _)| TABLE_SOURCES.contains(&name.as_str()));
        lists.map(|(_, it)| it).find_map(|tokens| {
            let text = string_after(&tokens, "table_name").map(|it| it.value());
            text.or_else(|| ident_after(tokens, "table_name"))
        })
    })
}

fn ident_after(tokens: TokenStream, key: &str) -> Option<String> {
    let mut tokens = tokens
        .into_iter()
        .skip_while(|it| it.to_string() != key)
        .skip(2);
    let mut last = None;
    for token in tokens.by_ref() {
        match token {
            TokenTree::Ident(it) => last = Some(it.to_string()),
            TokenTree::Punct(it) if it.as_char() == ':' => {}
            _ => break,
        }
    }
    last
}

/// What a field is called in the database or on the wire.
pub(super) fn rename(attrs: &[Attribute]) -> Option<String> {
    let lists = attrs
        .iter()
        .flat_map(lists)
        .filter(|(name, _)| COLUMN_SOURCES.contains(&name.as_str()));
    lists.map(|(_, it)| it).find_map(|tokens| {
        let mut keys = ["rename", "column_name"].iter();
        keys.find_map(|key| string_after(&tokens, key))
            .map(|it| it.value())
    })
}

/// The path that a `concat!` of literals is, and whether it counts from the package, as it does after
/// `env!("CARGO_MANIFEST_DIR")`.
pub(super) fn joined_path(tokens: &TokenStream) -> Option<(String, bool)> {
    let list = Punctuated::<Expr, Token![,]>::parse_terminated;
    let concat = syn::parse2::<syn::Macro>(tokens.clone()).ok()?;
    if !concat.path.is_ident("concat") {
        return None;
    }
    let parts = list.parse2(concat.tokens.clone()).ok()?;
    let mut parts = parts.iter().peekable();
    let from_manifest = match parts.peek()? {
        Expr::Macro(it) if it.mac.path.is_ident("env") => {
            let name = it.mac.parse_body::<LitStr>().ok()?;
            (name.value() == "CARGO_MANIFEST_DIR").then_some(true)?
        }
        _ => false,
    };
    let path: Option<String> = parts
        .skip(usize::from(from_manifest))
        .map(|it| Some(literal(it)?.value()))
        .collect();
    let path = path?;
    Some(if from_manifest {
        (path.trim_start_matches('/').to_owned(), true)
    } else {
        (path, false)
    })
}
