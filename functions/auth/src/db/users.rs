//! People of a tenant.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use platform::page::Page;
use schema::{Role, TenantId, UserId};
use uuid::Uuid;

/// A person who joins.
pub(crate) struct NewUser {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) password_hash: String,
    pub(crate) role: Role,
}

/// A person.
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) role: String,
    pub(crate) disabled_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) token_epoch: i32,
}

/// What signing in needs to know.
pub(crate) struct Credentials {
    pub(crate) password_hash: String,
    pub(crate) disabled: bool,
}

/// Whose session it is.
pub(crate) struct Owner {
    pub(crate) id: UserId,
    pub(crate) role: String,
    pub(crate) disabled: bool,
    pub(crate) token_epoch: i32,
}

pub(crate) async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    user: &NewUser,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into users (tenant_id, id, email, name, password_hash, role, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        "#,
        tenant as _,
        user.id as _,
        user.email,
        user.name,
        user.password_hash,
        user.role.as_str(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn find_credentials(
    conn: &mut Connection,
    tenant: TenantId,
    id: UserId,
) -> sqlx::Result<Option<Credentials>> {
    sqlx::query_as!(
        Credentials,
        r#"
        select password_hash, disabled_at is not null "disabled!"
        from users
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(conn)
    .await
}

/// Whether somebody of the tenant has the address, given by its keys.
pub(crate) async fn has_email(
    conn: &mut Connection,
    tenant: TenantId,
    keys: &[String],
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
          select from users where tenant_id = $1 and lower(normalize(email)) = any($2)
        ) "exists!"
        "#,
        tenant as _,
        keys,
    )
    .fetch_one(conn)
    .await
}

/// The person that a refresh token belongs to, locked until the transaction ends.
pub(crate) async fn lock_of_token(
    conn: &mut Connection,
    tenant: TenantId,
    token: Uuid,
) -> sqlx::Result<Option<Owner>> {
    sqlx::query_as!(
        Owner,
        r#"
        select id "id: _", role, disabled_at is not null "disabled!", token_epoch
        from users
        where tenant_id = $1
          and id = (select user_id from refresh_tokens where tenant_id = $1 and id = $2)
        for no key update
        "#,
        tenant as _,
        token,
    )
    .fetch_optional(conn)
    .await
}

/// Who the tenant's enabled admins are, locked until the transaction ends.
pub(crate) async fn lock_admins(
    conn: &mut Connection,
    tenant: TenantId,
) -> sqlx::Result<Vec<UserId>> {
    sqlx::query_scalar!(
        r#"
        select id "id: UserId"
        from users
        where tenant_id = $1 and role = 'admin' and disabled_at is null
        order by id
        for no key update
        "#,
        tenant as _,
    )
    .fetch_all(conn)
    .await
}

/// The person, locked until the transaction ends.
pub(crate) async fn lock(
    conn: &mut Connection,
    tenant: TenantId,
    id: UserId,
) -> sqlx::Result<Option<User>> {
    sqlx::query_as!(
        User,
        r#"
        select id "id: _", email, name, role, disabled_at, created_at, token_epoch
        from users
        where tenant_id = $1 and id = $2
        for no key update
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(conn)
    .await
}

/// The person, locked until the transaction ends, if they are not disabled and still have the
/// password with this hash: it was looked at before the lock.
pub(crate) async fn lock_with_password(
    conn: &mut Connection,
    tenant: TenantId,
    id: UserId,
    password_hash: &str,
) -> sqlx::Result<Option<User>> {
    sqlx::query_as!(
        User,
        r#"
        select id "id: _", email, name, role, disabled_at, created_at, token_epoch
        from users
        where tenant_id = $1 and id = $2 and password_hash = $3 and disabled_at is null
        for no key update
        "#,
        tenant as _,
        id as _,
        password_hash,
    )
    .fetch_optional(conn)
    .await
}

/// People in the order of their ids, page by page.
pub(crate) async fn list(
    conn: &mut Connection,
    tenant: TenantId,
    page: &Page<Uuid>,
) -> sqlx::Result<Vec<User>> {
    sqlx::query_as!(
        User,
        r#"
        select id "id: _", email, name, role, disabled_at, created_at, token_epoch
        from users
        where tenant_id = $1 and ($2::uuid is null or id > $2)
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

/// Writes what may change of a person. A change ends the access tokens of before.
pub(crate) async fn update(
    conn: &mut Connection,
    tenant: TenantId,
    user: &User,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update users
        set role = $3, disabled_at = $4,
          token_epoch = token_epoch + ((role, disabled_at) is distinct from ($3, $4))::int
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        user.id as _,
        user.role,
        user.disabled_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends every access token of a person that was signed until now. Sessions live on, and get new ones,
/// of the epoch that this returns.
pub(crate) async fn end_tokens(
    conn: &mut Connection,
    tenant: TenantId,
    id: UserId,
) -> sqlx::Result<i32> {
    sqlx::query_scalar!(
        r#"
        update users
        set token_epoch = token_epoch + 1
        where tenant_id = $1 and id = $2
        returning token_epoch
        "#,
        tenant as _,
        id as _,
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn update_password_hash(
    conn: &mut Connection,
    tenant: TenantId,
    id: UserId,
    password_hash: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update users set password_hash = $3 where tenant_id = $1 and id = $2",
        tenant as _,
        id as _,
        password_hash,
    )
    .execute(conn)
    .await?;
    Ok(())
}
