//! Stored records for another reading, slice by slice.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use schema::{ConnectionId, TenantId};

/// A slice holds at most this much, but at least one record.
const ROWS: i64 = 500;
const BYTES: i64 = 8 << 20;

/// Some records of one object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice<'a> {
    pub(crate) connection: ConnectionId,
    pub(crate) object: &'a str,
    /// The place of the record before the first one; empty for the beginning.
    pub(crate) after: &'a str,
}

/// One stored record, held until the end of the transaction.
pub(crate) struct Stored {
    /// Where it stands among the others.
    pub(crate) place: String,
    pub(crate) payload: String,
    pub(crate) version: Option<DateTime<Utc>>,
    pub(crate) line: Option<i64>,
    /// Whether the payload is a record as it was received.
    pub(crate) readable: bool,
}

/// A source object with its records.
pub(crate) struct Object {
    pub(crate) object: String,
    pub(crate) system: String,
    pub(crate) entity: String,
}

/// The first object after `after` that fits each of the given names.
pub(crate) async fn find_object(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    after: &str,
    (object, system, entity): (Option<&str>, Option<&str>, Option<&str>),
) -> sqlx::Result<Option<Object>> {
    sqlx::query_as!(
        Object,
        r#"
        select object, system, entity
        from source_objects
        where tenant_id = $1 and connection_id = $2 and object > $3
          and ($4::text is null or object = $4)
          and ($5::text is null or system = $5)
          and ($6::text is null or entity = $6)
        order by object
        limit 1
        "#,
        tenant as _,
        connection as _,
        after,
        object,
        system,
        entity,
    )
    .fetch_optional(conn)
    .await
}

/// The next raw records. Held, so that no newer payload comes between reading and writing.
pub(crate) async fn list_raw(
    conn: &mut Conn,
    tenant: TenantId,
    slice: Slice<'_>,
) -> sqlx::Result<Vec<Stored>> {
    sqlx::query_as!(
        Stored,
        r#"
        select source_id place, payload, source_version version, null::bigint line,
          true "readable!"
        from (
          select *, sum(octet_length(payload)) over (order by source_id) size
          from (
            select source_id, payload, source_version
            from raw_records
            where tenant_id = $1 and connection_id = $2 and object = $3 and source_id > $4
              and not deleted
            order by source_id
            limit $5
            for update
          ) next
        ) sized
        where size - octet_length(payload) < $6
        order by source_id
        "#,
        tenant as _,
        slice.connection as _,
        slice.object,
        slice.after,
        ROWS,
        BYTES,
    )
    .fetch_all(conn)
    .await
}

/// The next quarantined records. One is readable if its payload was stored to the letter and is
/// a JSON object: a row of a file that could not be cut into cells is not.
pub(crate) async fn list_quarantined(
    conn: &mut Conn,
    tenant: TenantId,
    slice: Slice<'_>,
) -> sqlx::Result<Vec<Stored>> {
    sqlx::query_as!(
        Stored,
        r#"
        select encode(content_hash, 'hex') "place!", payload, null::timestamptz version, line,
          content_hash = sha256(convert_to(payload, 'UTF8')) and payload is json object "readable!"
        from (
          select *, sum(octet_length(payload)) over (order by content_hash) size
          from (
            select content_hash, payload, line
            from quarantined_records
            where tenant_id = $1 and connection_id = $2 and object = $3
              and content_hash > decode($4, 'hex')
            order by content_hash
            limit $5
            for update
          ) next
        ) sized
        where size - octet_length(payload) < $6
        order by content_hash
        "#,
        tenant as _,
        slice.connection as _,
        slice.object,
        slice.after,
        ROWS,
        BYTES,
    )
    .fetch_all(conn)
    .await
}

/// One stored record by the key that it has at its source.
pub(crate) struct Keyed {
    pub(crate) source_id: String,
    /// A JSON object of the key's columns, as the source wrote them; none where the payload lacks
    /// one of them.
    pub(crate) key: Option<String>,
}

/// The next raw records that are not deleted, with the values of these columns.
pub(crate) async fn list_keys(
    conn: &mut Conn,
    tenant: TenantId,
    slice: Slice<'_>,
    columns: &[String],
) -> sqlx::Result<Vec<Keyed>> {
    sqlx::query_as!(
        Keyed,
        r#"
        select source_id,
          (
            select case when bool_and(payload::json ->> name is not null)
              then json_object_agg(name, payload::json -> name)::text end
            from unnest($5::text[]) name
          ) key
        from raw_records
        where tenant_id = $1 and connection_id = $2 and object = $3 and source_id > $4
          and not deleted
        order by source_id
        limit $6
        "#,
        tenant as _,
        slice.connection as _,
        slice.object,
        slice.after,
        columns,
        ROWS,
    )
    .fetch_all(conn)
    .await
}
