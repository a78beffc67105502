//! What the source's catalogue says.

use sqlx::PgConnection;

use super::failure::trouble;
use crate::connectors::postgres::table::Column;
use crate::connectors::postgres::{Object, Secured, Table};
use crate::connectors::{Trouble, TroubleClass};

/// No arrays: the driver would trust their counts.
type Described = (
    String,
    String,
    Option<String>,
    String,
    String,
    bool,
    Option<i32>,
    Option<String>,
    Option<i32>,
    Option<String>,
);

pub(super) async fn table(
    conn: &mut PgConnection,
    index: usize,
    object: &Object,
) -> Result<Table, Trouble> {
    let at =
        |class, message: String| Trouble::new(class, format!("/objects/{index}/table"), message);
    let name = object.name();
    let seen = look(conn, object).await.map_err(|err| trouble(&err))?;
    let (oid, user, secured) = match seen {
        None => {
            let message = format!("the database has no table or view `{name}`");
            return Err(at(TroubleClass::Schema, message));
        }
        Some((_, false, user, ..)) => {
            let message = format!(
                "`{user}` may not read `{name}`: grant usage on its schema and select on all of it"
            );
            return Err(at(TroubleClass::Permission, message));
        }
        Some((oid, true, user, secured, rows)) => {
            let rows = u64::try_from(rows).ok().filter(|it| 0 < *it);
            (oid, user, secured.then_some(Secured { rows }))
        }
    };
    let columns = columns(conn, oid).await.map_err(|err| trouble(&err))?;
    if columns.is_empty() {
        let message = format!("`{name}` has no column that `{user}` could read");
        return Err(at(TroubleClass::Schema, message));
    }
    Ok(Table { columns, secured })
}

/// Its number, whether it may be read, and by whom; whether row-level security decides which of its
/// rows, and how many there are in the source's own statistics, which count all.
async fn look(
    conn: &mut PgConnection,
    object: &Object,
) -> sqlx::Result<Option<(i64, bool, String, bool, i64)>> {
    let (schema, table) = object.parts();
    sqlx::query_as(
        r#"
        select c.oid::bigint,
          has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'),
          current_user::text,
          row_security_active(c.oid),
          coalesce(nullif(pg_catalog.pg_stat_get_live_tuples(c.oid), 0), c.reltuples::bigint)
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')
        "#,
    )
    .bind(schema)
    .bind(table)
    .persistent(false)
    .fetch_optional(conn)
    .await
}

/// A type stands for the one below it where it is a domain.
async fn columns(conn: &mut PgConnection, table: i64) -> sqlx::Result<Vec<Column>> {
    let rows: Vec<Described> = sqlx::query_as(
        r#"
        with recursive typed as (
          select a.attnum, a.atttypmod typmod, t.*
          from pg_catalog.pg_attribute a
          join pg_catalog.pg_type t on t.oid = a.atttypid
          where a.attrelid = $1::oid
          union all
          select typed.attnum, typed.typtypmod, t.*
          from typed
          join pg_catalog.pg_type t on t.oid = typed.typbasetype
          where typed.typtype = 'd'
        )
        select a.attname::text,
          format_type(b.oid, b.typmod),
          (
            select n.nspname::text
            from pg_catalog.pg_namespace n
            where n.oid = b.typnamespace and n.nspname <> 'pg_catalog'),
          b.typname::text, b.typcategory::text,
          a.attnotnull,
          case when array_position(i.indkey::smallint[], a.attnum) < i.indnkeyatts
            then array_position(i.indkey::smallint[], a.attnum) + 1 end,
          (
            select json_agg(e.enumlabel::text)::text
            from pg_catalog.pg_enum e
            where e.enumtypid = b.oid),
          case when b.typname in ('varchar', 'bpchar') and a.atttypmod > 4
            then a.atttypmod - 4 end,
          col_description(a.attrelid, a.attnum)
        from pg_catalog.pg_attribute a
        join typed b on b.attnum = a.attnum and b.typtype <> 'd'
        left join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
        where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
        order by a.attnum
        "#,
    )
    .bind(table)
    .persistent(false)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(column).collect())
}

fn column(row: Described) -> Column {
    let (name, cast, schema, base, category, required, key, words, length, comment) = row;
    let words = words.and_then(|it| serde_json::from_str(&it).ok());
    Column {
        name,
        cast,
        schema,
        base,
        category,
        required,
        key,
        words: words.unwrap_or_default(),
        length,
        comment,
    }
}
