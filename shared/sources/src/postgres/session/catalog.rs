//! What the source's catalogue says.

use super::conn::{Cells, Conn, Most};
use super::error::{QueryError, query_error};
use crate::postgres::table::Column;
use crate::postgres::{Object, RowSecurity, Table};
use crate::{SourceError, SourceErrorKind};

/// PostgreSQL's tables have no more columns than that.
const COLUMNS: Most = Most {
    rows: 1_600,
    columns: 10,
    bytes: 8 << 20,
};

pub(super) async fn table(
    conn: &mut Conn,
    index: usize,
    object: &Object,
) -> Result<Table, SourceError> {
    let at = |class, message: String| {
        SourceError::new(class, format!("/objects/{index}/table"), message)
    };
    let name = object.name();
    let seen = look(conn, object).await.map_err(|err| query_error(&err))?;
    let (oid, user, row_security) = match seen {
        None => {
            let message = format!("the database has no table or view `{name}`");
            return Err(at(SourceErrorKind::Schema, message));
        }
        Some((_, false, user, ..)) => {
            let message = format!(
                "`{user}` may not read `{name}`: grant usage on its schema and select on all of it"
            );
            return Err(at(SourceErrorKind::Permission, message));
        }
        Some((oid, true, user, row_security, rows)) => {
            let rows = u64::try_from(rows).ok().filter(|it| 0 < *it);
            (oid, user, row_security.then_some(RowSecurity { rows }))
        }
    };
    let columns = columns(conn, oid).await.map_err(|err| query_error(&err))?;
    if columns.is_empty() {
        let message = format!("`{name}` has no column that `{user}` could read");
        return Err(at(SourceErrorKind::Schema, message));
    }
    Ok(Table {
        columns,
        row_security,
    })
}

/// A number, whether it may be read, and by whom; whether row-level security decides which rows
/// are shown, and how many there are by the statistics of the table and its children.
type Seen = (i64, bool, String, bool, i64);

async fn look(conn: &mut Conn, object: &Object) -> Result<Option<Seen>, QueryError> {
    let (schema, table) = object.parts();
    let sql = r#"
        select c.oid::bigint,
          has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'),
          current_user::text,
          row_security_active(c.oid) or exists (
            with recursive below as (
              select c.oid
              union
              select d.refobjid
              from below
              join pg_catalog.pg_rewrite r on r.ev_class = below.oid
              join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass
                and d.objid = r.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
            )
            -- A view reads as its owner, unless it says otherwise.
            select 1
            from below
            join pg_catalog.pg_class t on t.oid = below.oid
            join pg_catalog.pg_roles o on o.oid = c.relowner
            where t.oid <> c.oid and t.relrowsecurity and case
              when c.reloptions::text ~ 'security_invoker=(true|on|yes|1)'
                then row_security_active(t.oid)
              else not (o.rolsuper or o.rolbypassrls
                or t.relowner = c.relowner and not t.relforcerowsecurity)
            end
          ),
          (
            with recursive tree as (
              select c.oid
              union
              select i.inhrelid
              from tree
              join pg_catalog.pg_inherits i on i.inhparent = tree.oid
            )
            select sum(pg_catalog.pg_stat_get_live_tuples(oid))::bigint
            from tree
          )
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')
        "#;
    let most = Most {
        rows: 1,
        columns: 5,
        bytes: 1 << 10,
    };
    let rows = conn.rows(sql, &[schema, table], most).await?;
    let seen = |it: &Cells| {
        Ok((
            it.get(0)?,
            it.get(1)?,
            it.some_text(2)?,
            it.get(3)?,
            it.get(4)?,
        ))
    };
    rows.first().map(seen).transpose()
}

/// A type stands for the one below it where it is a domain.
async fn columns(conn: &mut Conn, table: i64) -> Result<Vec<Column>, QueryError> {
    let sql = r#"
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
        "#;
    let rows = conn.rows(sql, &[&table.to_string()], COLUMNS).await?;
    rows.iter().map(column).collect()
}

fn column(row: &Cells) -> Result<Column, QueryError> {
    let words: Option<Vec<String>> = match row.text(7)? {
        Some(words) => serde_json::from_str(&words).ok(),
        None => None,
    };
    Ok(Column {
        name: row.some_text(0)?,
        cast: row.some_text(1)?,
        schema: row.text(2)?,
        base: row.some_text(3)?,
        category: row.some_text(4)?,
        required: row.get(5)?,
        key: row.get(6)?,
        words: words.unwrap_or_default(),
        length: row.get(8)?,
        comment: row.text(9)?,
    })
}
