//! A table as the source's catalogue describes it: what it looks like, and how it can be read.

use aws_lc_rs::digest::{SHA256, digest};
use schema::source::{SourceField, SourceSchema, SourceType, SourceTypes, child_path};
use serde::{Deserialize, Serialize};

use super::Object;
use crate::{SourceError, SourceErrorKind, StreamDescription};

/// The cursor of a table that has it and whose config names none.
const CURSOR: &str = "updated_at";

/// One table or view.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(super) columns: Vec<Column>,
    /// Where row-level security decides which rows are shown, of it or of a table below it: how many
    /// there are, as the source itself counts them.
    pub row_security: Option<RowSecurity>,
}

/// A table or view whose rows may not all be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RowSecurity {
    /// How many rows the source's statistics count; none where they count nothing.
    pub rows: Option<u64>,
}

/// One column.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its type as a cast names it, with its modifier; the one below where it is a domain.
    pub(super) cast: String,
    /// The schema of that type, unless it is PostgreSQL's own.
    pub(super) schema: Option<String>,
    /// The plain name of its type, or of the one below a domain.
    pub(super) base: String,
    /// PostgreSQL's category of the type.
    pub(super) category: String,
    pub(super) required: bool,
    /// Its place in the primary key, from 1.
    pub(super) key: Option<i32>,
    /// The words of an enumeration.
    pub(super) words: Vec<String>,
    pub(super) length: Option<i32>,
    pub(super) comment: Option<String>,
}

/// In which order a table is read, so that it can be gone on with after any row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReadOrder {
    /// What tells rows apart.
    pub key: Vec<KeyColumn>,
    /// What rises when a row changes.
    pub cursor: Option<KeyColumn>,
    /// How far before the last value of the cursor the next sync begins, where the config says:
    /// minutes of a time, else as a number.
    #[serde(default)]
    pub lookback: Option<i64>,
    /// Whether the cursor may be null: an incremental sync does not read such a row.
    #[serde(default)]
    pub nullable: bool,
    /// Keys can be compared with those that were read by an order of the same shape: a hash of the
    /// key's columns, types and words.
    #[serde(default)]
    pub shape: String,
}

/// One column of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyColumn {
    /// The column.
    pub name: String,
    /// Its type as a cast names it.
    pub cast: String,
    /// The schema of its type, unless that is PostgreSQL's own.
    #[serde(default)]
    pub schema: Option<String>,
}

impl Table {
    /// Its structure.
    pub(crate) fn schema(&self) -> SourceSchema {
        let field = |it: &Column| {
            let field = SourceField {
                types: it.types(),
                nullable: !it.required,
                key: it.key.is_some(),
                values: it.words.iter().cloned().collect(),
                length: it.length.and_then(|it| u32::try_from(it).ok()),
                label: it.comment.clone(),
            };
            (child_path("", &it.name), field)
        };
        SourceSchema {
            fields: self.columns.iter().map(field).collect(),
        }
    }

    /// What it looks like, and what could tell its rows and their changes apart.
    pub(super) fn describe(&self) -> StreamDescription {
        let key: Vec<_> = self
            .primary_key()
            .iter()
            .map(|it| it.name.clone())
            .collect();
        let rising = self.columns.iter().filter(|it| it.rises());
        let mut cursors: Vec<_> = rising.map(|it| it.name.clone()).collect();
        cursors.sort_by_key(|it| it != CURSOR);
        StreamDescription {
            schema: self.schema(),
            keys: Some(key).filter(|it| !it.is_empty()).into_iter().collect(),
            cursors,
        }
    }

    /// How it can be read as the config wants it.
    ///
    /// # Errors
    /// [`SourceErrorKind::Schema`] where a column is not there, or nothing tells the rows apart.
    pub(crate) fn order(&self, index: usize, object: &Object) -> Result<ReadOrder, SourceError> {
        let error = |field: &str, message: String| {
            let pointer = format!("/objects/{index}/{field}");
            SourceError::new(SourceErrorKind::Schema, pointer, message)
        };
        let name = object.name();
        let find = |field: &str, column: &str| {
            self.column(column).ok_or_else(|| {
                error(
                    field,
                    format!("`{name}` has no column `{column}`: name another one"),
                )
            })
        };
        let key = match &object.key {
            Some(names) => names
                .iter()
                .map(|it| find("key", it))
                .collect::<Result<_, _>>()?,
            None => self.primary_key(),
        };
        if key.is_empty() {
            let message =
                format!("`{name}` has no primary key: name the columns that tell its rows apart");
            return Err(error("key", message));
        }
        let cursor = match &object.cursor {
            Some(column) => Some(find("cursor", column)?),
            None => self.column(CURSOR).filter(|it| it.rises()),
        };
        if let Some(cursor) = cursor
            && !cursor.rises()
        {
            let message = format!(
                "`{}` of `{name}` is of the type {}: a cursor is a time or a whole number",
                cursor.name, cursor.cast
            );
            return Err(error("cursor", message));
        }
        let shape = shape(&key);
        Ok(ReadOrder {
            key: key.into_iter().map(Column::part).collect(),
            cursor: cursor.map(Column::part),
            lookback: object.lookback,
            nullable: cursor.is_some_and(|it| !it.required),
            shape,
        })
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|it| it.name == name)
    }

    fn primary_key(&self) -> Vec<&Column> {
        let mut key: Vec<_> = self.columns.iter().filter(|it| it.key.is_some()).collect();
        key.sort_by_key(|it| it.key);
        key
    }
}

/// The first bits of a hash: enough to tell a table's few shapes apart.
fn shape(key: &[&Column]) -> String {
    let shape: Vec<_> = key
        .iter()
        .map(|it| (&it.name, &it.cast, &it.words))
        .collect();
    let hash = digest(&SHA256, format!("{shape:?}").as_bytes());
    hash.as_ref()[..4]
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect()
}

impl Column {
    fn part(&self) -> KeyColumn {
        KeyColumn {
            name: self.name.clone(),
            cast: self.cast.clone(),
            schema: self.schema.clone(),
        }
    }

    /// Whether it can be a cursor.
    fn rises(&self) -> bool {
        self.is_time() || matches!(self.base.as_str(), "int2" | "int4" | "int8")
    }

    fn is_time(&self) -> bool {
        matches!(self.base.as_str(), "timestamp" | "timestamptz" | "date")
    }

    /// What its values are as JSON.
    fn types(&self) -> SourceTypes {
        use SourceType::{Array, Boolean, Date, Decimal, Integer, Object, Text, Timestamp};
        let one = match (self.category.as_str(), self.base.as_str()) {
            (_, "json" | "jsonb") => {
                return [Array, Boolean, Decimal, Object, Text]
                    .into_iter()
                    .collect();
            }
            ("B", _) => Boolean,
            ("A", _) => Array,
            ("C", _) => Object,
            (_, "date") => Date,
            (_, "timestamp" | "timestamptz") => Timestamp,
            (_, "int2" | "int4" | "int8" | "oid") => Integer,
            (_, "numeric" | "float4" | "float8") => Decimal,
            _ => Text,
        };
        SourceTypes::of(one)
    }
}

impl ReadOrder {
    /// All of its columns.
    pub(super) fn parts(&self) -> impl Iterator<Item = &KeyColumn> {
        self.key.iter().chain(&self.cursor)
    }
}

impl KeyColumn {
    /// The source's own time as a value of its type, where that is a time.
    pub(super) fn now(&self) -> Option<&'static str> {
        match self.cast.as_str() {
            "date" => Some("(now() at time zone 'UTC')::date"),
            it if it.ends_with("without time zone") => Some("now() at time zone 'UTC'"),
            it if it.ends_with("with time zone") => Some("now()"),
            _ => None,
        }
    }

    /// A little before `$1`, in SQL: there the next sync begins, as a transaction that was late
    /// with its commit has left smaller values behind. The least values have none before them.
    pub(super) fn since(&self, lookback: Option<i64>) -> String {
        let cast = &self.cast;
        let least = match cast.as_str() {
            "smallint" => i64::from(i16::MIN),
            "integer" => i64::from(i32::MIN),
            "bigint" => i64::MIN,
            _ => {
                let minutes = lookback.unwrap_or(5);
                return format!(
                    "case when $1::{cast} < '4710-01-01 BC' then '-infinity'::{cast} \
                     else $1::{cast} - interval '{minutes} minutes' end"
                );
            }
        };
        let number = lookback.unwrap_or(1000);
        format!("greatest($1::numeric - {number}, {least})::{cast}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(columns: &[(&str, &str, Option<i32>)]) -> Table {
        let column = |(name, base, key): &(&str, &str, Option<i32>)| Column {
            name: (*name).to_owned(),
            cast: (*base).to_owned(),
            base: (*base).to_owned(),
            key: *key,
            ..Column::default()
        };
        Table {
            row_security: None,
            columns: columns.iter().map(column).collect(),
        }
    }

    /// The order as `key,key|cursor`, or the pointer of what is wrong.
    #[track_caller]
    fn check(table: &Table, object: serde_json::Value, expected: &str) {
        let mut whole = json!({ "table": "t", "entity": "account" });
        whole
            .as_object_mut()
            .unwrap()
            .extend(object.as_object().unwrap().clone());
        let object: Object = serde_json::from_value(whole).unwrap();
        let found = match table.order(3, &object) {
            Ok(order) => {
                let key: Vec<_> = order.key.iter().map(|it| it.name.as_str()).collect();
                let cursor = order.cursor.as_ref().map_or("", |it| it.name.as_str());
                format!("{}|{cursor}", key.join(","))
            }
            Err(error) => error.pointer,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_catalogue_says_what_the_config_leaves_out() {
        let usual = table(&[
            ("b", "int4", Some(2)),
            ("a", "text", Some(1)),
            ("updated_at", "timestamptz", None),
        ]);
        check(&usual, json!({}), "a,b|updated_at");
        check(&usual, json!({ "key": ["b"], "cursor": "b" }), "b|b");
        check(&usual, json!({ "cursor": "a" }), "/objects/3/cursor");
        check(&usual, json!({ "cursor": "c" }), "/objects/3/cursor");
        check(&usual, json!({ "key": ["c"] }), "/objects/3/key");
        let view = table(&[("a", "text", None), ("updated_at", "text", None)]);
        check(&view, json!({}), "/objects/3/key");
        check(&view, json!({ "key": ["a"] }), "a|");
    }
}
