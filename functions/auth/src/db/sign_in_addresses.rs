//! From where people have signed in, by hashes of their addresses.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use schema::{TenantId, UserId};

/// Notes a sign-in from the address.
pub(crate) async fn upsert(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
    address_hash: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into sign_in_addresses (tenant_id, user_id, address_hash, signed_in_at)
        values ($1, $2, $3, $4)
        on conflict (tenant_id, user_id, address_hash) do update set signed_in_at = $4
        "#,
        tenant as _,
        user as _,
        address_hash,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the person has signed in from the address since then.
pub(crate) async fn exists(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
    address_hash: &[u8],
    since: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
          select from sign_in_addresses
          where tenant_id = $1 and user_id = $2 and address_hash = $3 and signed_in_at > $4
        ) "exists!"
        "#,
        tenant as _,
        user as _,
        address_hash,
        since,
    )
    .fetch_one(conn)
    .await
}
