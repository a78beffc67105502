//! Schemas as tests write them: `id:text! amount:integer|text? stage:text(open,won)`.
//!
//! `?` is nullable, `!` is part of the key, parentheses list the values.

use schema::source::{SourceField, SourceSchema, SourceType};

pub(crate) fn parse(text: &str) -> SourceSchema {
    let fields = text.split_whitespace().map(|field| {
        let (path, rest) = field.rsplit_once(':').expect("a field is path:types");
        let end = rest.find(['?', '!', '(']).unwrap_or(rest.len());
        let (types, marks) = rest.split_at(end);
        let values = marks
            .split_once('(')
            .map_or("", |it| it.1.trim_end_matches(')'));
        let field = SourceField {
            types: types
                .split('|')
                .filter(|it| !it.is_empty())
                .map(word)
                .collect(),
            nullable: marks.contains('?'),
            key: marks.contains('!'),
            values: values
                .split(',')
                .filter(|it| !it.is_empty())
                .map(str::to_owned)
                .collect(),
            ..SourceField::default()
        };
        (path.to_owned(), field)
    });
    SourceSchema {
        fields: fields.collect(),
    }
}

pub(crate) fn show(schema: &SourceSchema) -> String {
    let fields = schema.fields.iter().map(|(path, field)| {
        let types: Vec<String> = field
            .types
            .iter()
            .map(|it| format!("{it:?}").to_lowercase())
            .collect();
        format!(
            "{path}:{}{}",
            types.join("|"),
            if field.nullable { "?" } else { "" }
        )
    });
    fields.collect::<Vec<_>>().join(" ")
}

fn word(word: &str) -> SourceType {
    serde_json::from_value(word.into()).expect("a known type")
}
