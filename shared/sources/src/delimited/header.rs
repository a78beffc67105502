//! The names of the columns.

use std::collections::HashMap;

use crate::delimited::{Error, Result, json};

/// The columns of a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    names: Vec<String>,
    /// `{"a":`, `,"b":` and so on, escaped once for all rows.
    keys: Vec<Vec<u8>>,
    /// How many columns at the end have no name of their own.
    nameless: usize,
}

impl Header {
    /// Trims the names; an empty one becomes `column_N`.
    pub(super) fn new(names: impl Iterator<Item = impl AsRef<str>>) -> Result<Self> {
        let mut nameless = 0;
        let names: Vec<String> = names
            .inspect(|name| {
                let is_nameless = name.as_ref().trim().is_empty();
                nameless = if is_nameless { nameless + 1 } else { 0 };
            })
            .enumerate()
            .map(|(index, name)| match name.as_ref().trim() {
                "" => format!("column_{}", index + 1),
                name => name.to_owned(),
            })
            .collect();
        refuse_duplicates(&names)?;
        let keys = names
            .iter()
            .enumerate()
            .map(|(index, name)| key(index, name))
            .collect();
        let nameless = nameless.min(names.len() - 1);
        Ok(Self {
            names,
            keys,
            nameless,
        })
    }

    /// How many columns at the end have no name: behind a trailing delimiter there is a cell more,
    /// but no column, unless a row has something in it.
    pub fn nameless(&self) -> usize {
        self.nameless
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn keys(&self) -> &[Vec<u8>] {
        &self.keys
    }
}

fn refuse_duplicates(names: &[String]) -> Result<()> {
    let mut seen = HashMap::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name, index) {
            return Err(Error::DuplicateColumn {
                name: name.clone(),
                first: first + 1,
                second: index + 1,
            });
        }
    }
    Ok(())
}

fn key(index: usize, name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 4);
    key.push(if index == 0 { b'{' } else { b',' });
    json::write_string(name, &mut key);
    key.push(b':');
    key
}
