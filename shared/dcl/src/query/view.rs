//! What a view shows: the columns that the entity declares, and those of each record's origin.

use schema::entity::{CustomId, Entities, EntityRef, Kind, Text};
use schema::{Error, Result};
use serde_json::{Value, json};

/// A list of one entity's records.
#[derive(Debug, Clone)]
pub struct View {
    /// What the records are.
    pub entity: EntityRef,
    /// Every column, in the order in which a record shows them.
    pub columns: Vec<Column>,
}

/// One column of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name on the wire.
    pub name: Text,
    /// Where its values are.
    pub place: Place,
    /// What its values are.
    pub kind: ColumnKind,
    /// Whether a record may have no value there.
    pub nullable: bool,
}

/// Where a table has a column's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a column of this name.
    Named(Text),
    /// Among those of custom fields.
    Custom(CustomId),
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// As an entity's field.
    Field(Kind),
    /// The id of a connection.
    Uuid,
    /// JSON of any kind.
    Json,
}

const EXTRAS: Column = origin("extras", "extras", ColumnKind::Json);
const CONNECTION: Column = origin("source_connection_id", "connection_id", ColumnKind::Uuid);
const OBJECT: Column = origin("source_object", "object", TEXT);
const SOURCE_ID: Column = origin("source_id", "source_id", TEXT);
const ORIGIN: [Column; 5] = [
    origin("source_system", "source_system", TEXT),
    CONNECTION,
    OBJECT,
    SOURCE_ID,
    origin("synced_at", "synced_at", ColumnKind::Field(Kind::Timestamp)),
];
const TEXT: ColumnKind = ColumnKind::Field(Kind::Text);

impl View {
    /// The columns that tell a tenant's records apart, in the order of the primary key.
    pub const KEY: [Column; 3] = [CONNECTION, OBJECT, SOURCE_ID];
    /// How many they are.
    pub const KEY_COLUMNS: usize = 3;

    /// The view of that name (`accounts`).
    ///
    /// # Errors
    /// [`Error::UnknownName`] with those that there are.
    pub fn get(entities: &Entities, name: &str) -> Result<View> {
        let entity = entities.find_plural(name).ok_or_else(|| {
            let names: Vec<_> = entities.iter().map(|it| &*it.plural).collect();
            Error::UnknownName {
                what: "view",
                names: names.join(", "),
            }
        })?;
        Ok(View::of(entity))
    }

    /// The view of an entity.
    pub fn of(entity: impl Into<EntityRef>) -> View {
        let entity = entity.into();
        let declared = entity.fields.iter().map(|it| Column {
            name: it.name.clone(),
            place: match it.custom {
                Some(id) => Place::Custom(id),
                None => Place::Named(it.name.clone()),
            },
            kind: match (it.custom, it.kind) {
                // Kept as JSON, and shown as it is kept.
                (Some(_), Kind::TextList) => ColumnKind::Json,
                _ => ColumnKind::Field(it.kind),
            },
            // A record that came before a field was declared has none.
            nullable: !it.required || it.custom.is_some(),
        });
        View {
            columns: declared.chain([EXTRAS]).chain(ORIGIN).collect(),
            entity,
        }
    }

    /// The JSON Schema of a record.
    pub fn json_schema(&self) -> Value {
        let mut schema = self.entity.json_schema();
        let instant = json!({"type": "string", "format": "date-time"});
        for (name, kind, doc) in [
            (
                "extras",
                json!({"type": "object"}),
                "Source fields that no canonical field is for, as the source has them.",
            ),
            (
                "source_system",
                json!({"type": "string"}),
                "The system it comes from.",
            ),
            (
                "source_connection_id",
                json!({"type": "string", "format": "uuid"}),
                "The connection it came through.",
            ),
            (
                "source_object",
                json!({"type": "string"}),
                "The source object it belongs to.",
            ),
            (
                "source_id",
                json!({"type": "string"}),
                "Its id within the source object.",
            ),
            ("synced_at", instant, "When it last changed here."),
        ] {
            schema["properties"][name] = kind;
            schema["properties"][name]["description"] = doc.into();
            if let Some(required) = schema["required"].as_array_mut() {
                required.push(name.into());
            }
        }
        schema["title"] = (*self.entity.kind).into();
        schema
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<Column> {
        self.columns.iter().find(|it| it.name == name).cloned()
    }
}

impl Column {
    /// Whether it is a list of texts, by which records can be filtered.
    pub fn is_list(&self) -> bool {
        let is_kept_as_json = matches!(self.place, Place::Custom(_));
        match self.kind {
            ColumnKind::Json => is_kept_as_json,
            kind => kind == ColumnKind::Field(Kind::TextList),
        }
    }

    /// Whether it has one value, by which records can be filtered and ordered.
    pub fn is_scalar(&self) -> bool {
        !matches!(
            self.kind,
            ColumnKind::Json | ColumnKind::Field(Kind::TextList)
        )
    }
}

impl ColumnKind {
    /// The column type in PostgreSQL.
    pub const fn sql(self) -> &'static str {
        match self {
            ColumnKind::Field(kind) => kind.sql(),
            ColumnKind::Uuid => "uuid",
            ColumnKind::Json => "jsonb",
        }
    }
}

const fn origin(name: &'static str, sql: &'static str, kind: ColumnKind) -> Column {
    Column {
        name: Text::Borrowed(name),
        place: Place::Named(Text::Borrowed(sql)),
        kind,
        nullable: false,
    }
}
