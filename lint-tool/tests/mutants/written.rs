//! A struct as its parts of text, so that edits can be combined.

use structure_lint::files::SourceFiles;
use structure_lint::models::Model;
use syn::spanned::Spanned as _;
use syn::visit::Visit;

#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) name: String,
    /// Attributes, without comments.
    pub(crate) attributes: Vec<String>,
    pub(crate) fields: Vec<Field>,
    /// The columns as the first one has them.
    pub(crate) columns: Vec<String>,
    /// What stands before and after the struct.
    pub(crate) within: [&'static str; 2],
    /// The tables that `query_as!` reads into it.
    pub(crate) tables: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Field {
    /// The column, by which an edit finds it whatever another edit did.
    pub(crate) column: String,
    pub(crate) attributes: Vec<String>,
    pub(crate) name: String,
    pub(crate) ty: String,
}

impl Written {
    /// The text of a model, where a file has it written out (and no macro makes it up).
    pub(crate) fn find(files: &SourceFiles, model: &Model) -> Option<Written> {
        let mut finder = Finder {
            line: model.place.span.line as usize,
            found: None,
        };
        finder.visit_file(&syn::parse_file(files.get(&model.place.file)?).ok()?);
        let item = finder.found.filter(|it| it.ident == model.name)?;
        let fields = item.fields.iter().map(|field| {
            let name = field.ident.as_ref()?.to_string();
            Some(Field {
                column: name.clone(),
                attributes: attributes(&field.attrs),
                name,
                ty: field.ty.span().source_text()?,
            })
        });
        let fields = fields.collect::<Option<Vec<Field>>>()?;
        Some(Written {
            name: model.name.clone(),
            attributes: attributes(&item.attrs),
            columns: fields.iter().map(|it| it.column.clone()).collect(),
            fields,
            within: ["", ""],
            tables: model.tables.iter().cloned().collect(),
        })
    }

    /// The struct, and the query that maps it as the query of the first one does.
    pub(crate) fn text(&self) -> String {
        let [open, close] = self.within;
        let fields = self.fields.iter().map(|it| {
            let attributes = it.attributes.join(" ");
            format!("    {attributes} pub {}: {},\n", it.name, it.ty)
        });
        let (name, fields) = (&self.name, fields.collect::<String>());
        let query = |table: &String| {
            format!("fn q() {{ sqlx::query_as!({name}, \"select * from {table}\"); }}\n")
        };
        let queries: String = self.tables.iter().map(query).collect();
        let attributes = self.attributes.join("\n");
        format!("{open}\n{attributes}\npub struct {name} {{\n{fields}}}\n{queries}{close}\n")
    }
}

fn attributes(all: &[syn::Attribute]) -> Vec<String> {
    let all = all.iter().filter(|it| !it.path().is_ident("doc"));
    all.filter_map(|it| it.span().source_text()).collect()
}

struct Finder {
    line: usize,
    found: Option<syn::ItemStruct>,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if item.ident.span().start().line == self.line {
            self.found = Some(item.clone());
        }
    }
}
