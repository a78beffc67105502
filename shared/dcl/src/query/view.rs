//! What a view shows: the columns that the entity declares, and those of each record's origin.

use schema::Entity;
use schema::entity::{self, Kind};
use serde_json::{Value, json};

/// A list of one entity's records.
#[derive(Debug, Clone)]
pub struct View {
    /// What the records are.
    pub entity: &'static Entity,
    /// Every column, in the order in which a record shows them.
    pub columns: Vec<Column>,
}

/// One column of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name on the wire.
    pub name: &'static str,
    /// The name in the table.
    pub sql: &'static str,
    /// What its values are.
    pub kind: ColumnKind,
    /// Whether a record may have no value there.
    pub nullable: bool,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// As an entity's field.
    Field(Kind),
    /// The id of a connection.
    Uuid,
    /// A JSON object.
    Object,
}

const EXTRAS: Column = origin("extras", "extras", ColumnKind::Object);
const ORIGIN: [Column; 5] = [
    origin("source_system", "source_system", TEXT),
    origin("source_connection_id", "connection_id", ColumnKind::Uuid),
    origin("source_object", "object", TEXT),
    origin("source_id", "source_id", TEXT),
    origin("synced_at", "synced_at", ColumnKind::Field(Kind::Timestamp)),
];
const TEXT: ColumnKind = ColumnKind::Field(Kind::Text);

impl View {
    /// The columns that tell a tenant's records apart, in the order of the primary key.
    pub const KEY: [Column; 3] = [ORIGIN[1], ORIGIN[2], ORIGIN[3]];

    /// The view of that name (`accounts`).
    pub fn find(name: &str) -> Option<View> {
        entity::find_plural(name).map(View::of)
    }

    /// The view of an entity.
    pub fn of(entity: &'static Entity) -> View {
        let declared = entity.fields.iter().map(|it| Column {
            name: it.name,
            sql: it.name,
            kind: ColumnKind::Field(it.kind),
            nullable: !it.required,
        });
        View {
            entity,
            columns: declared.chain([EXTRAS]).chain(ORIGIN).collect(),
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
        schema["title"] = self.entity.kind.into();
        schema
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<Column> {
        self.columns.iter().copied().find(|it| it.name == name)
    }
}

impl Column {
    /// Whether it has one value, by which records can be filtered and ordered.
    pub fn is_scalar(&self) -> bool {
        !matches!(
            self.kind,
            ColumnKind::Object | ColumnKind::Field(Kind::TextList)
        )
    }
}

impl ColumnKind {
    /// The column type in PostgreSQL.
    pub const fn sql(self) -> &'static str {
        match self {
            ColumnKind::Field(kind) => kind.sql(),
            ColumnKind::Uuid => "uuid",
            ColumnKind::Object => "jsonb",
        }
    }
}

const fn origin(name: &'static str, sql: &'static str, kind: ColumnKind) -> Column {
    Column {
        name,
        sql,
        kind,
        nullable: false,
    }
}
