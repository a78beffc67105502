//! The canonical tables: one per entity, with the columns that its declaration names.
//!
//! The statements follow from the declarations, so they are built here, once, from names that
//! are part of the program.

use std::{collections::HashMap, fmt::Write, sync::LazyLock};

use chrono::{DateTime, Utc};
use schema::TenantId;
use schema::entity::{ENTITIES, Entity, Field, Kind};
use schema::source::{ObjectKey, ObjectRef};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres};

use super::{Connection, Result};
use mapping::{Cell, Record};

static INSERTS: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
    ENTITIES
        .iter()
        .map(|it| (it.kind, insert_sql(it)))
        .collect()
});
static UPSERTS: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
    ENTITIES
        .iter()
        .map(|it| (it.kind, upsert_sql(it)))
        .collect()
});
static DELETES: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
    ENTITIES
        .iter()
        .map(|it| (it.kind, delete_sql(it)))
        .collect()
});

/// Writes records over what is there. Lock their ids in `raw_records` before, and give each id
/// once.
pub async fn upsert(
    conn: &mut Connection,
    tenant: TenantId,
    (object, entity): (&ObjectRef, &'static Entity),
    rows: &[(&str, &Record<'_>)],
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = UPSERTS[entity.kind].as_str();
    write(conn, tenant, (sql, object, entity), rows, now).await
}

/// Writes records of ids that none is stored under. Give each id once.
///
/// # Errors
/// Those of the database, a unique violation where one is there.
pub(super) async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    (object, entity): (&ObjectRef, &'static Entity),
    rows: &[(&str, &Record<'_>)],
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = INSERTS[entity.kind].as_str();
    write(conn, tenant, (sql, object, entity), rows, now).await
}

async fn write(
    conn: &mut Connection,
    tenant: TenantId,
    (sql, object, entity): (&'static str, &ObjectRef, &'static Entity),
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
        .bind(extras);
    for (index, field) in entity.fields.iter().enumerate() {
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
    entity: &'static Entity,
    source_ids: &[&str],
) -> Result<()> {
    sqlx::query(AssertSqlSafe(DELETES[entity.kind].as_str()))
        .bind(tenant)
        .bind(object.connection)
        .bind(object.name)
        .bind(source_ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes records out, whatever they became.
pub async fn delete_of_any_entity(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    source_ids: &[&str],
) -> Result<()> {
    for entity in ENTITIES {
        delete(conn, tenant, object, entity, source_ids).await?;
    }
    Ok(())
}

fn upsert_sql(entity: &Entity) -> String {
    let mut sql = insert_sql(entity);
    sql.push_str(
        " on conflict (tenant_id, connection_id, object, source_id) do update set \
         source_system = excluded.source_system, synced_at = excluded.synced_at, \
         extras = excluded.extras",
    );
    for field in entity.fields {
        let _ = write!(sql, ", {0} = excluded.{0}", field.name);
    }
    sql
}

fn insert_sql(entity: &Entity) -> String {
    let names = |prefix: &str, name: fn(&Field) -> String| {
        let mut text = String::new();
        for field in entity.fields {
            let _ = write!(text, ", {prefix}{}", name(field));
        }
        text
    };
    let columns = names("", |it| it.name.to_owned());
    let values = names("given.", |it| match it.kind {
        Kind::TextList | Kind::Decimal => format!("{}::{}", it.name, it.kind.sql()),
        _ => it.name.to_owned(),
    });
    let mut arrays = String::new();
    for (index, field) in entity.fields.iter().enumerate() {
        let _ = write!(arrays, ", ${}::{}[]", index + 8, wire(field.kind));
    }
    let table = entity.plural;
    format!(
        "insert into {table} (tenant_id, connection_id, object, source_id, source_system, \
         synced_at, extras{columns}) \
         select $1, $2, $3, given.source_id, $4, $5, given.extras::jsonb{values} \
         from unnest($6::text[], $7::text[]{arrays}) as given(source_id, extras{columns})"
    )
}

fn delete_sql(entity: &Entity) -> String {
    format!(
        "delete from {} where tenant_id = $1 and connection_id = $2 and object = $3 \
         and source_id = any($4)",
        entity.plural
    )
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
