//! A view's rows as JSON text, written straight from what PostgreSQL sent.
//!
//! PostgreSQL could build the text itself, and takes 2.5 times as long for the page.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use schema::entity::Kind;
use serde::Serialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::query::{Column, ColumnKind};

/// How a statement must name a column for [`write`] and [`value`] to read it.
pub(super) fn expression(column: &Column) -> String {
    match column.kind {
        // As text, for neither has a Rust type here that would keep it to the letter.
        ColumnKind::Object | ColumnKind::Field(Kind::Decimal) => format!("{}::text", column.sql),
        _ => column.sql.to_owned(),
    }
}

/// Appends the row as a JSON object of these columns, which it begins with.
pub(super) fn write(row: &PgRow, columns: &[Column], out: &mut Vec<u8>) -> sqlx::Result<()> {
    out.push(b'{');
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json(out, column.name);
        out.push(b':');
        write_value(row, index, column.kind, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_value(row: &PgRow, index: usize, kind: ColumnKind, out: &mut Vec<u8>) -> sqlx::Result<()> {
    match kind {
        ColumnKind::Uuid => json(out, &row.try_get::<Option<Uuid>, _>(index)?),
        ColumnKind::Object => verbatim(out, row.try_get(index)?),
        ColumnKind::Field(kind) => match kind {
            Kind::Text => json(out, &row.try_get::<Option<&str>, _>(index)?),
            Kind::TextList => json(out, &row.try_get::<Option<Vec<Option<String>>>, _>(index)?),
            Kind::Integer => json(out, &row.try_get::<Option<i64>, _>(index)?),
            Kind::Decimal => verbatim(out, row.try_get(index)?),
            Kind::Boolean => json(out, &row.try_get::<Option<bool>, _>(index)?),
            Kind::Date => json(out, &row.try_get::<Option<NaiveDate>, _>(index)?),
            Kind::Timestamp => json(out, &row.try_get::<Option<DateTime<Utc>>, _>(index)?),
        },
    }
    Ok(())
}

fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("plain data into memory");
}

fn verbatim(out: &mut Vec<u8>, text: Option<&str>) {
    out.extend_from_slice(text.unwrap_or("null").as_bytes());
}

/// The value of a scalar column, as a cursor holds it.
pub(super) fn value(row: &PgRow, index: usize, kind: ColumnKind) -> sqlx::Result<Option<String>> {
    Ok(match kind {
        ColumnKind::Uuid => row
            .try_get::<Option<Uuid>, _>(index)?
            .map(|it| it.to_string()),
        ColumnKind::Field(Kind::Integer) => row
            .try_get::<Option<i64>, _>(index)?
            .map(|it| it.to_string()),
        ColumnKind::Field(Kind::Boolean) => row
            .try_get::<Option<bool>, _>(index)?
            .map(|it| it.to_string()),
        ColumnKind::Field(Kind::Date) => row
            .try_get::<Option<NaiveDate>, _>(index)?
            .map(|it| it.to_string()),
        ColumnKind::Field(Kind::Timestamp) => row
            .try_get::<Option<DateTime<Utc>>, _>(index)?
            .map(|it| it.to_rfc3339_opts(SecondsFormat::Micros, true)),
        ColumnKind::Object | ColumnKind::Field(Kind::Text | Kind::TextList | Kind::Decimal) => {
            row.try_get(index)?
        }
    })
}
