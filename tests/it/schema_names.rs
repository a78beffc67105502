//! Names of schemas in the API's document: two of one name would silently be one.

use std::collections::BTreeMap;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, ItemEnum, ItemMacro, ItemStruct};
use tests::fixtures::sources::{ROOT, rust_files};

/// Configs of connectors are told by the catalog, each by itself.
const APART: [&str; 1] = ["Config"];

#[derive(Default)]
struct Schemas {
    file: String,
    by_name: BTreeMap<String, Vec<String>>,
}

impl Schemas {
    fn add(&mut self, name: String) {
        let files = self.by_name.entry(name).or_default();
        files.push(self.file.clone());
    }

    fn item(&mut self, ident: &Ident, attributes: &[Attribute]) {
        if attributes.iter().any(|it| has(it, "derive", "ToSchema")) {
            let renamed = attributes.iter().find_map(renamed);
            self.add(renamed.unwrap_or_else(|| ident.to_string()));
        }
    }
}

impl<'ast> Visit<'ast> for Schemas {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.item(&item.ident, &item.attrs);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.item(&item.ident, &item.attrs);
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        if item.mac.path.is_ident("list_body") {
            let mut tokens = item.mac.tokens.clone().into_iter();
            let name = tokens.find_map(|it| match it {
                TokenTree::Ident(name) => Some(name.to_string()),
                _ => None,
            });
            self.add(name.unwrap());
        }
        visit::visit_item_macro(self, item);
    }
}

fn tokens(attribute: &Attribute, path: &str) -> Option<TokenStream> {
    let list = attribute.meta.require_list().ok()?;
    attribute.path().is_ident(path).then(|| list.tokens.clone())
}

fn has(attribute: &Attribute, path: &str, word: &str) -> bool {
    let words = tokens(attribute, path).into_iter().flatten();
    words.into_iter().any(|it| it.to_string() == word)
}

/// The name after `as =`.
fn renamed(attribute: &Attribute) -> Option<String> {
    let words: Vec<_> = tokens(attribute, "schema")?
        .into_iter()
        .map(|it| it.to_string())
        .collect();
    let at = words.windows(2).position(|it| it == ["as", "="])?;
    words.get(at + 2).cloned()
}

#[test]
fn no_two_schemas_of_the_document_have_one_name() {
    let root = Path::new(ROOT);
    let mut schemas = Schemas::default();
    for file in ["functions", "shared"]
        .iter()
        .flat_map(|it| rust_files(&root.join(it)))
    {
        let source = std::fs::read_to_string(&file).unwrap();
        schemas.file = file.display().to_string();
        schemas.visit_file(&syn::parse_file(&source).unwrap());
    }
    assert!(schemas.by_name.len() > 100, "{}", schemas.by_name.len());
    for (name, files) in &schemas.by_name {
        assert!(
            files.len() == 1 || APART.contains(&name.as_str()),
            "two schemas are called {name}: rename one with #[schema(as = …)] in {files:?}"
        );
    }
}
