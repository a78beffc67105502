//! What people change when they copy a struct.

use crate::written::{Field, Written};

pub(crate) type Edit = (&'static str, fn(&mut Written));

pub(crate) const EDITS: [Edit; 14] = [
    ("another name", |it| it.name = "Copied".into()),
    ("a name of rows", |it| it.name += "Row"),
    ("field renamed", |it| {
        on(it, 1, |it| it.name = "other_word".into())
    }),
    ("field more", |it| {
        it.fields.push(Field {
            column: "extra".into(),
            attributes: Vec::new(),
            name: "extra".into(),
            ty: "u8".into(),
        })
    }),
    ("field less", |it| drop(it.fields.pop())),
    ("option flip", |it| on(it, 2, flip)),
    ("full paths", |it| {
        it.fields
            .iter_mut()
            .for_each(|it| it.ty = full_path(&it.ty))
    }),
    ("reorder", |it| it.fields.reverse()),
    ("serde rename", |it| on(it, 0, |it| rename(it, "serde"))),
    ("sqlx rename", |it| on(it, 3, |it| rename(it, "sqlx"))),
    ("raw identifier", |it| {
        on(it, 4, |it| {
            it.name = format!("r#{}", it.name.trim_start_matches("r#"))
        })
    }),
    ("inline module", |it| it.within = ["mod rows {", "}"]),
    ("cfg", |it| it.attributes.push("#[cfg(unix)]".into())),
    ("cfg_attr", |it| {
        it.attributes
            .push("#[cfg_attr(unix, derive(sqlx::FromRow))]".into())
    }),
];

/// Changes the field that was written at `index`, wherever it is now.
fn on(it: &mut Written, index: usize, change: fn(&mut Field)) {
    let column = &it.columns[index % it.columns.len()];
    if let Some(field) = it.fields.iter_mut().find(|it| it.column == *column) {
        change(field);
    }
}

fn flip(field: &mut Field) {
    let inner = field.ty.strip_prefix("Option<");
    let inner = inner.and_then(|it| it.strip_suffix('>'));
    field.ty = inner.map_or_else(|| format!("Option<{}>", field.ty), str::to_owned);
}

fn rename(field: &mut Field, by: &str) {
    let column = field.name.trim_start_matches("r#");
    field
        .attributes
        .push(format!("#[{by}(rename = \"{column}\")]"));
    field.name = format!("my_{column}");
}

/// Each name of a type with the path that leads to it.
fn full_path(ty: &str) -> String {
    let mut full = String::new();
    let mut rest = ty;
    while !rest.is_empty() {
        let end = rest.find(|it: char| !is_part(it)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end.max(1));
        let is_name = name.starts_with(|it: char| it.is_ascii_uppercase());
        full += if is_name { "::some::path::" } else { "" };
        full += name;
        rest = after;
    }
    full
}

fn is_part(it: char) -> bool {
    it.is_alphanumeric() || it == '_' || it == ':'
}
