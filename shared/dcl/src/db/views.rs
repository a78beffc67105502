//! Reading views: a page, its total, how fresh it is.

use chrono::{DateTime, Utc};
use schema::{ConnectionId, TenantId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::{row, select};
use crate::query::{Keyset, Query, Value, View};

/// Some records of a view, in its order.
#[derive(Debug)]
pub struct ViewRows {
    /// The records, a JSON object each, separated by commas.
    pub records: Vec<u8>,
    /// How many they are.
    pub count: usize,
    /// The place of the last one, if more follow.
    pub next: Option<Vec<Option<String>>>,
}

/// How current a view is with respect to one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Freshness {
    /// The connection's name.
    pub source: String,
    /// The connection.
    pub connection_id: ConnectionId,
    /// When its latest successful run ended.
    pub last_sync: Option<DateTime<Utc>>,
    /// Its open drifts.
    pub drift_open: i64,
    /// Its records in quarantine.
    pub quarantined: i64,
    /// Whether the last run of one of its objects is longer ago than its `max_age_minutes`.
    pub stale: bool,
}

/// The records that the query asks for.
pub async fn page(
    conn: &mut PgConnection,
    tenant: TenantId,
    view: &View,
    query: &Query,
    after: Option<&Keyset>,
) -> sqlx::Result<ViewRows> {
    let mut columns = query.columns.clone();
    let keysets: Vec<_> = query
        .order
        .iter()
        .map(|key| {
            columns
                .iter()
                .position(|it| *it == key.column)
                .unwrap_or_else(|| {
                    columns.push(key.column.clone());
                    columns.len() - 1
                })
        })
        .collect();
    let after = after.map(Vec::as_slice);
    let rows = select::page(tenant, view, query, &columns, after)
        .build()
        .fetch_all(conn)
        .await?;

    let limit = query.limit as usize;
    let mut records = Vec::with_capacity(rows.len() * 512);
    for (index, it) in rows.iter().take(limit).enumerate() {
        if index > 0 {
            records.push(b',');
        }
        row::write(it, &query.columns, &mut records)?;
    }
    let next = (rows.len() > limit).then(|| {
        let last = &rows[limit - 1];
        keysets
            .iter()
            .map(|&it| row::value(last, it, columns[it].kind))
            .collect()
    });
    Ok(ViewRows {
        records,
        count: rows.len().min(limit),
        next: next.transpose()?,
    })
}

/// One record as a JSON object, by its connection, object and id.
pub async fn find(
    conn: &mut PgConnection,
    tenant: TenantId,
    view: &View,
    key: &[Value; View::KEY_COLUMNS],
) -> sqlx::Result<Option<Vec<u8>>> {
    let found = select::record(tenant, view, key)
        .build()
        .fetch_optional(conn)
        .await?;
    found
        .map(|it| {
            let mut record = vec![];
            row::write(&it, &view.columns, &mut record)?;
            Ok(record)
        })
        .transpose()
}

/// How many records pass the query's filters.
pub async fn total(
    conn: &mut PgConnection,
    tenant: TenantId,
    view: &View,
    query: &Query,
) -> sqlx::Result<i64> {
    select::total(tenant, view, &query.filters)
        .build_query_scalar()
        .fetch_one(conn)
        .await
}

/// How fresh the view is, source by source.
pub async fn freshness(
    conn: &mut PgConnection,
    tenant: TenantId,
    view: &View,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Freshness>> {
    sqlx::query_as!(
        Freshness,
        r#"
        select
          c.name source, c.id "connection_id: _",
          (
            select r.finished_at
            from runs r
            where r.tenant_id = $1 and r.connection_id = c.id and r.object = any(o.objects)
              and r.status in ('success', 'partial')
            order by r.started_at desc
            limit 1
          ) last_sync,
          (
            select count(*)
            from drift_events d
            where d.tenant_id = $1 and d.connection_id = c.id and d.object = any(o.objects)
              and d.status = 'open'
          ) "drift_open!",
          (
            select count(*)
            from quarantined_records q
            where q.tenant_id = $1 and q.connection_id = c.id and q.object = any(o.objects)
          ) "quarantined!",
          exists (
            select
            from source_objects s
            where s.tenant_id = $1 and s.connection_id = c.id and s.object = any(o.objects)
              and s.max_age_minutes is not null
              and not exists (
                select
                from runs r
                where r.tenant_id = $1 and r.connection_id = c.id and r.object = s.object
                  and r.status in ('success', 'partial') and r.kind <> 'replay'
                  and r.finished_at >= $3::timestamptz - make_interval(mins => s.max_age_minutes)
              )
          ) "stale!"
        from connections c
        join (
          select connection_id, array_agg(object) objects
          from source_objects
          where tenant_id = $1 and entity = $2
          group by connection_id
        ) o on o.connection_id = c.id
        where c.tenant_id = $1
        order by c.name
        "#,
        tenant as _,
        &*view.entity.kind,
        now,
    )
    .fetch_all(conn)
    .await
}
