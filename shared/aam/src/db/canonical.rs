//! The canonical tables: one per entity, with the columns that its declaration names.
//!
//! The statements follow from the declarations, so they are built here, once, from names that
//! are part of the program.

use std::{collections::HashMap, fmt::Write, sync::LazyLock};

use chrono::{DateTime, SecondsFormat, Utc};
use schema::TenantId;
use schema::entity::{CUSTOM_TABLE, ENTITIES, Entity, Kind};
use schema::source::{ObjectKey, ObjectRef};
use serde::Serialize;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres};

use super::{Connection, Result};
use mapping::{Cell, Record};

/// What is written to a table.
struct Statements {
    insert: String,
    upsert: String,
    delete: String,
}

static STATEMENTS: LazyLock<HashMap<&str, Statements>> = LazyLock::new(|| {
    let canonical = ENTITIES.iter().copied().map(|it| (&*it.plural, it));
    // What is common to all custom entities: no column of any field.
    let none = schema::entity::UNMAPPED;
    let tables = canonical.chain([(CUSTOM_TABLE, none)]);
    let statements = |(table, entity)| (table, Statements::of(table, entity));
    tables.map(statements).collect()
});

/// Writes records over what is there. Lock their ids in `raw_records` before, and give each id
/// once.
pub async fn upsert(
    conn: &mut Connection,
    tenant: TenantId,
    (object, entity): (&ObjectRef, &Entity),
    rows: &[(&str, &Record<'_>)],
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = STATEMENTS[entity.table()].upsert.as_str();
    write(conn, tenant, (sql, object, entity), rows, now).await
}

/// Writes records of ids that none is stored under. Give each id once.
///
/// # Errors
/// Those of the database, a unique violation where one is there.
pub(super) async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    (object, entity): (&ObjectRef, &Entity),
    rows: &[(&str, &Record<'_>)],
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = STATEMENTS[entity.table()].insert.as_str();
    write(conn, tenant, (sql, object, entity), rows, now).await
}

async fn write(
    conn: &mut Connection,
    tenant: TenantId,
    (sql, object, entity): (&'static str, &ObjectRef, &Entity),
    rows: &[(&str, &Record<'_>)],
    now: DateTime<Utc>,
) -> Result<()> {
    let ids: Vec<_> = rows.iter().map(|it| it.0).collect();
    let extras: Vec<_> = rows.iter().map(|it| it.1.extras.as_str()).collect();
    let mut query = sqlx::query(AssertSqlSafe(sql))
        .bind(tenant)
        .bind(object.connection)
        .bind(&object.name)
        .bind(&object.system)
        .bind(now)
        .bind(ids)
        .bind(extras)
        .bind(custom_values(entity, rows));
    if entity.is_custom {
        query = query.bind(&*entity.kind);
    }
    for (index, field) in entity.columns() {
        let cells = rows.iter().map(|it| &it.1.cells[index]);
        query = bind(query, field.kind, cells);
    }
    query.execute(conn).await?;
    Ok(())
}

/// Takes records out.
pub async fn delete(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    entity: &Entity,
    source_ids: &[&str],
) -> Result<()> {
    delete_from(conn, tenant, object, entity.table(), source_ids).await
}

/// Takes records out, whatever they became.
pub async fn delete_of_any_entity(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    source_ids: &[&str],
) -> Result<()> {
    for table in STATEMENTS.keys() {
        delete_from(conn, tenant, object, table, source_ids).await?;
    }
    Ok(())
}

async fn delete_from(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    table: &str,
    source_ids: &[&str],
) -> Result<()> {
    sqlx::query(AssertSqlSafe(STATEMENTS[table].delete.as_str()))
        .bind(tenant)
        .bind(object.connection)
        .bind(object.name)
        .bind(source_ids)
        .execute(conn)
        .await?;
    Ok(())
}

impl Statements {
    fn of(table: &str, entity: &Entity) -> Statements {
        let insert = insert_sql(table, entity);
        Statements {
            upsert: upsert_sql(&insert, table, entity),
            insert,
            delete: format!(
                "delete from {table} where tenant_id = $1 and connection_id = $2 and object = $3 \
                 and source_id = any($4)"
            ),
        }
    }
}

fn upsert_sql(insert: &str, table: &str, entity: &Entity) -> String {
    let mut sql = format!(
        "{insert} on conflict on constraint {table}_pkey do update set \
         source_system = excluded.source_system, synced_at = excluded.synced_at, \
         extras = excluded.extras, custom = excluded.custom"
    );
    if table == CUSTOM_TABLE {
        sql.push_str(", entity = excluded.entity");
    }
    for field in entity.fields.iter() {
        let _ = write!(sql, ", {0} = excluded.{0}", field.name);
    }
    sql
}

fn insert_sql(table: &str, entity: &Entity) -> String {
    let (mut columns, mut values, mut arrays) = (String::new(), String::new(), String::new());
    for (index, field) in entity.fields.iter().enumerate() {
        let (name, kind) = (&field.name, field.kind);
        let _ = write!(columns, ", {name}");
        let _ = match kind {
            Kind::TextList | Kind::Decimal => write!(values, ", given.{name}::{}", kind.sql()),
            _ => write!(values, ", given.{name}"),
        };
        let _ = write!(arrays, ", ${}::{}[]", index + 9, wire(kind));
    }
    // A table says which entity it is of, but for that of the custom ones, which has no columns of
    // fields.
    let (entity, kind) = match table == CUSTOM_TABLE {
        true => (", entity", ", $9"),
        false => ("", ""),
    };
    format!(
        "insert into {table} (tenant_id, connection_id, object, source_id, source_system, \
         synced_at, extras, custom{entity}{columns}) \
         select $1, $2, $3, given.source_id, $4, $5, given.extras::jsonb, given.custom::jsonb\
         {kind}{values} \
         from unnest($6::text[], $7::text[], $8::text[]{arrays}) \
         as given(source_id, extras, custom{columns})"
    )
}

/// The values of custom fields, a JSON object per record: a list, a number and a boolean as in
/// JSON, a date and an instant as texts that sort as they do. None where a record has none.
fn custom_values(entity: &Entity, rows: &[(&str, &Record<'_>)]) -> Vec<Option<String>> {
    let fields: Vec<_> = entity.custom_fields().map(|it| (it.0, it.2.0)).collect();
    let of_record = |record: &Record<'_>| {
        let mut text = String::new();
        for (index, id) in &fields {
            let value = match &record.cells[*index] {
                Cell::Null => continue,
                Cell::Timestamp(at) => json(&at.to_rfc3339_opts(SecondsFormat::Micros, true)),
                cell => json(cell),
            };
            let before = if text.is_empty() { '{' } else { ',' };
            let _ = write!(text, "{before}\"{id}\":{value}");
        }
        (!text.is_empty()).then(|| text + "}")
    };
    match fields.is_empty() {
        true => vec![None; rows.len()],
        false => rows.iter().map(|it| of_record(it.1)).collect(),
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data")
}

/// The type that a column's values are sent as. A list of lists would be flattened, and exact
/// decimals have no type of their own in the driver, so both are sent as text.
fn wire(kind: Kind) -> &'static str {
    match kind {
        Kind::TextList | Kind::Decimal => "text",
        other => other.sql(),
    }
}

type Bound<'q> = Query<'q, Postgres, PgArguments>;

fn bind<'q, 'c: 'q>(
    query: Bound<'q>,
    kind: Kind,
    cells: impl Iterator<Item = &'c Cell<'c>>,
) -> Bound<'q> {
    match kind {
        Kind::Text => query.bind(column(cells, |it| match it {
            Cell::Text(text) => Some(&**text),
            _ => None,
        })),
        Kind::TextList => query.bind(column(cells, |it| match it {
            Cell::TextList(texts) => Some(array_literal(texts)),
            _ => None,
        })),
        Kind::Integer => query.bind(column(cells, |it| match it {
            Cell::Integer(number) => Some(*number),
            _ => None,
        })),
        Kind::Decimal => query.bind(column(cells, |it| match it {
            Cell::Decimal(number) => Some(number.to_string()),
            _ => None,
        })),
        Kind::Boolean => query.bind(column(cells, |it| match it {
            Cell::Boolean(value) => Some(*value),
            _ => None,
        })),
        Kind::Date => query.bind(column(cells, |it| match it {
            Cell::Date(day) => Some(*day),
            _ => None,
        })),
        Kind::Timestamp => query.bind(column(cells, |it| match it {
            Cell::Timestamp(at) => Some(*at),
            _ => None,
        })),
    }
}

fn column<'c, T>(
    cells: impl Iterator<Item = &'c Cell<'c>>,
    value: impl Fn(&'c Cell<'c>) -> Option<T>,
) -> Vec<Option<T>> {
    cells.map(value).collect()
}

/// A list as PostgreSQL writes arrays.
fn array_literal(texts: &[std::borrow::Cow<'_, str>]) -> String {
    let mut literal = String::from("{");
    for (index, text) in texts.iter().enumerate() {
        if 0 < index {
            literal.push(',');
        }
        literal.push('"');
        for char in text.chars() {
            if matches!(char, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(char);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}
