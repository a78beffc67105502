//! The names of the columns.

use std::collections::HashMap;

use crate::delimited::{Error, Result, json};

/// The columns of a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    names: Vec<String>,
    /// `{"a":`, `,"b":` and so on, escaped once for all rows.
    keys: Vec<Vec<u8>>,
}

impl Header {
    /// Trims the names; an empty one becomes `column_N`.
    pub(super) fn new(names: impl Iterator<Item = impl AsRef<str>>) -> Result<Self> {
        let names: Vec<String> = names
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
        Ok(Self { names, keys })
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
