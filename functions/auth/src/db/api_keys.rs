//! API keys, by the hashes of their secrets.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use platform::page::Page;
use schema::{ApiKeyId, Scope, TenantId, UserId};
use uuid::Uuid;

/// A key to be stored.
pub(crate) struct NewRow<'a> {
    pub(crate) id: ApiKeyId,
    pub(crate) name: &'a str,
    pub(crate) secret_hash: &'a [u8],
    pub(crate) scopes: &'a [Scope],
    pub(crate) created_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
}

/// A key without its secret.
pub(crate) struct Row {
    pub(crate) id: ApiKeyId,
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) created_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

pub(crate) async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    key: &NewRow<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into api_keys (tenant_id, id, name, secret_hash, scopes, created_by, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        "#,
        tenant as _,
        key.id as _,
        key.name,
        key.secret_hash,
        &words(key.scopes),
        key.created_by as _,
        key.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keys that are not revoked, in the order of their ids, page by page.
pub(crate) async fn list(
    conn: &mut Connection,
    tenant: TenantId,
    page: &Page<Uuid>,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"
        select id "id: _", name, scopes, created_by "created_by: _", created_at, last_used_at
        from api_keys
        where tenant_id = $1 and ($2::uuid is null or id > $2) and revoked_at is null
        order by id
        limit $3
        "#,
        tenant as _,
        page.after,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}

/// Says whether there was such a key to revoke.
pub(crate) async fn revoke(
    conn: &mut Connection,
    tenant: TenantId,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let result = sqlx::query!(
        r#"
        update api_keys
        set revoked_at = $3
        where tenant_id = $1 and id = $2 and revoked_at is null
        "#,
        tenant as _,
        id as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Whether the key is not revoked; if so, it stays until the transaction ends.
pub(crate) async fn lock_live(
    conn: &mut Connection,
    tenant: TenantId,
    id: ApiKeyId,
) -> sqlx::Result<bool> {
    let row = sqlx::query_scalar!(
        r#"
        select id "id: ApiKeyId"
        from api_keys
        where tenant_id = $1 and id = $2 and revoked_at is null
        for share
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some())
}

/// Revokes the keys of a person that may do more than the person may now. Says which.
pub(crate) async fn revoke_beyond(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
    scopes: &[Scope],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<ApiKeyId>> {
    sqlx::query_scalar!(
        r#"
        update api_keys
        set revoked_at = $4
        where tenant_id = $1 and created_by = $2 and revoked_at is null and not scopes <@ $3
        returning id "id: ApiKeyId"
        "#,
        tenant as _,
        user as _,
        &words(scopes),
        now,
    )
    .fetch_all(conn)
    .await
}

fn words(scopes: &[Scope]) -> Vec<String> {
    scopes.iter().map(|it| it.as_str().to_owned()).collect()
}
