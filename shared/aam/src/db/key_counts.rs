//! How often the values of fields repeat over all that is stored of an object.

use schema::TenantId;
use schema::source::ObjectKey;
use sqlx::{Connection as _, Executor};

use super::{Connection, Result};

/// What was counted of one field, or of two together.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Its place among those that were asked for, from 1.
    pub place: i64,
    /// Records that were looked at.
    pub rows: i64,
    /// Those of them with a value.
    pub filled: i64,
    /// How many different ones there are.
    pub distinct: i64,
}

/// Fields to count, each one or two paths, as JSON arrays of keys.
#[derive(Debug, Default)]
pub struct Fields {
    /// The first one of each.
    pub first: Vec<String>,
    /// The second one, where there are two.
    pub second: Vec<Option<String>>,
}

/// Counts within at most so many records. None where it would take longer than three seconds, or a
/// payload is none that PostgreSQL can read.
///
/// Rows that came in two files are versions of one record, as in [`ingest`](crate::ingest): of
/// those, values are compared within a file. A value is compared by a hash of 64 bits: among a
/// million records two values pass for one in 3 of 100 million objects.
pub async fn count(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    (fields, most): (&Fields, i64),
) -> Result<Option<Vec<Counted>>> {
    let mut savepoint = conn.begin().await?;
    savepoint
        .execute("set local statement_timeout = '3s'")
        .await?;
    let counted = select(&mut savepoint, tenant, object, (fields, most)).await;
    // With it goes the time limit.
    savepoint.rollback().await?;
    match counted {
        Ok(counted) => Ok(Some(counted)),
        Err(sqlx::Error::Database(error)) => {
            tracing::info!(%error, "keys are not counted over {most} records");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn select(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    (fields, most): (&Fields, i64),
) -> Result<Vec<Counted>> {
    sqlx::query_as!(
        Counted,
        r#"
        with documents as materialized (
          select r.payload::jsonb document, case when u.kind = 'upload' then r.run_id end run
          from (
            select payload, run_id
            from raw_records
            where tenant_id = $1 and connection_id = $2 and object = $3 and not deleted
            order by source_id
            limit $6
          ) r
          left join runs u on u.tenant_id = $1 and u.id = r.run_id
          where strpos(r.payload, '\u0000') = 0
        ),
        wanted as materialized (
          select place, array(select jsonb_array_elements_text(one::jsonb)) one,
            case
              when other is not null then array(select jsonb_array_elements_text(other::jsonb))
            end other
          from unnest($4::text[], $5::text[]) with ordinality as given(one, other, place)
        ),
        keys as (
          select place, run,
            nullif(btrim(document #>> one, E' \t\r\n'), '') ||
              case
                when other is null then ''
                else E'\x1f' || nullif(btrim(document #>> other, E' \t\r\n'), '')
              end key
          from documents
          cross join wanted
        )
        select place "place!", count(*) "rows!", count(key) "filled!",
          count(distinct hashtextextended(coalesce(run::text, '') || ':' || key, 0)) "distinct!"
        from keys
        group by place
        order by place
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        &fields.first,
        &fields.second as _,
        most,
    )
    .fetch_all(conn)
    .await
}
