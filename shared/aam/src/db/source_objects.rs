//! Source objects: what a connection's records are of.

use schema::TenantId;
use schema::entity::Entity;
use schema::source::{ObjectKey, ObjectRef};

use super::{Connection, Result};

/// Registers the object, once.
pub async fn insert_once(
    conn: &mut Connection,
    tenant: TenantId,
    object: &ObjectRef,
) -> Result<()> {
    sqlx::query!(
        r#"
        insert into source_objects (tenant_id, connection_id, object, system, entity)
        values ($1, $2, $3, $4, $5)
        on conflict do nothing
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        object.system,
        &*object.entity.kind,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Holds the object against others who would number a snapshot of it.
pub async fn lock(conn: &mut Connection, tenant: TenantId, object: ObjectKey<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        select 1 "one!"
        from source_objects
        where tenant_id = $1 and connection_id = $2 and object = $3
        for no key update
        "#,
        tenant as _,
        object.connection as _,
        object.name,
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Makes a snapshot the one that drift is measured from.
pub async fn set_baseline(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    version: i32,
) -> Result<()> {
    sqlx::query!(
        r#"
        update source_objects set baseline_version = $4
        where tenant_id = $1 and connection_id = $2 and object = $3
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps the object's mapping as it is until the end of the transaction: who would change it waits,
/// and maps what is written here again. Says nothing where the object is not registered.
pub async fn lock_mapping(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
) -> Result<()> {
    sqlx::query!(
        r#"
        select 1 "one!"
        from source_objects
        where tenant_id = $1 and connection_id = $2 and object = $3
        for key share
        "#,
        tenant as _,
        object.connection as _,
        object.name,
    )
    .fetch_optional(conn)
    .await?;
    Ok(())
}

/// What is known of an object, held against others who would change its mapping.
#[derive(Debug, Clone)]
pub struct KnownObject {
    /// The system that it is of.
    pub system: String,
    /// What its records become; `unmapped` where nobody has said.
    pub entity: String,
    /// What people say its records are, for its proposal.
    pub said_entity: Option<String>,
    /// The source fields that people say identify one, for its proposal.
    pub said_key: Option<Vec<String>>,
}

/// Holds the object against others who would change its mapping or write by it, and says what it is.
pub async fn lock_known(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
) -> Result<Option<KnownObject>> {
    sqlx::query_as!(
        KnownObject,
        r#"
        select system, entity, said_entity, said_key
        from source_objects
        where tenant_id = $1 and connection_id = $2 and object = $3
        for update
        "#,
        tenant as _,
        object.connection as _,
        object.name,
    )
    .fetch_optional(conn)
    .await
}

/// What is known of an object.
pub async fn find(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
) -> Result<Option<KnownObject>> {
    sqlx::query_as!(
        KnownObject,
        r#"
        select system, entity, said_entity, said_key
        from source_objects
        where tenant_id = $1 and connection_id = $2 and object = $3
        "#,
        tenant as _,
        object.connection as _,
        object.name,
    )
    .fetch_optional(conn)
    .await
}

/// Notes what the object's records become from now on.
pub async fn set_entity(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    entity: &Entity,
) -> Result<()> {
    sqlx::query!(
        r#"
        update source_objects set entity = $4
        where tenant_id = $1 and connection_id = $2 and object = $3
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        &*entity.kind,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the object's records are kept raw and nobody is asked what they are. Says whether there is
/// such an object.
pub async fn set_ignored(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    ignored: bool,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        update source_objects set ignored = $4
        where tenant_id = $1 and connection_id = $2 and object = $3
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        ignored,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What a person says of an object. What is none stays as it is, and none within takes it back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    /// What its records are.
    pub entity: Option<Option<&'a str>>,
    /// The source fields that identify one.
    pub key: Option<Option<&'a [String]>>,
    /// How old its last sync may be.
    pub max_age_minutes: Option<Option<i32>>,
}

/// Remembers what a person says of an object. Says whether there is such an object.
pub async fn say(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    said: Said<'_>,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        update source_objects
        set said_entity = case when $4 then $5 else said_entity end,
          said_key = case when $6 then $7 else said_key end,
          max_age_minutes = case when $8 then $9 else max_age_minutes end
        where tenant_id = $1 and connection_id = $2 and object = $3
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        said.entity.is_some(),
        said.entity.flatten(),
        said.key.is_some(),
        said.key.flatten(),
        said.max_age_minutes.is_some(),
        said.max_age_minutes.flatten(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
