//! What a tenant declares: custom fields and custom entities.

use chrono::{DateTime, Utc};
use schema::TenantId;
use schema::entity::{CustomId, Entities, EntityDeclaration, FieldDeclaration, Kind, StoredField};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;

use super::{Connection, Result};

/// Who declares something, and when.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// `user:<id>`.
    pub actor: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

/// A custom field and what is kept beside its declaration.
#[derive(Debug, Clone)]
pub struct CustomField {
    /// The declaration, and what its values are stored under.
    pub stored: StoredField,
    /// Whether filters by it have an index.
    pub indexed: bool,
    /// When it was declared.
    pub created_at: DateTime<Utc>,
    /// Who declared it.
    pub created_by: String,
}

/// The tenant's entities: the canonical ones with its custom fields, and its own.
pub async fn entities(conn: &mut Connection, tenant: TenantId) -> Result<Entities> {
    let fields = fields(conn, tenant).await?;
    let stored: Vec<_> = fields.into_iter().map(|it| it.stored).collect();
    // An entity has a field, its key, so without fields there is none.
    let declared = match stored.is_empty() {
        true => vec![],
        false => declared(conn, tenant).await?,
    };
    Ok(Entities::of(&declared, &stored))
}

/// The tenant's own entities, without their fields.
async fn declared(conn: &mut Connection, tenant: TenantId) -> Result<Vec<EntityDeclaration>> {
    let rows = sqlx::query!(
        r#"
        select kind, plural, description, key
        from custom_entities
        where tenant_id = $1
        order by created_at, kind
        "#,
        tenant as _,
    )
    .fetch_all(conn)
    .await?;
    let declared = rows.into_iter().map(|it| EntityDeclaration {
        kind: it.kind,
        plural: Some(it.plural),
        description: it.description,
        key: it.key,
        fields: vec![],
    });
    Ok(declared.collect())
}

/// The tenant's custom fields, in the order in which they were declared.
pub async fn fields(conn: &mut Connection, tenant: TenantId) -> Result<Vec<CustomField>> {
    let rows = sqlx::query!(
        r#"
        select
          id, entity, name, to_jsonb(type) "kind!: Json<Kind>", description, unit, words,
          required, indexed, created_at, created_by
        from custom_fields
        where tenant_id = $1
        order by id
        "#,
        tenant as _,
    )
    .fetch_all(conn)
    .await?;
    let fields = rows.into_iter().map(|it| CustomField {
        stored: StoredField {
            entity: it.entity,
            id: CustomId(it.id),
            field: FieldDeclaration {
                name: it.name,
                kind: it.kind.0,
                description: it.description,
                unit: it.unit,
                words: it.words,
                required: it.required,
            },
        },
        indexed: it.indexed,
        created_at: it.created_at,
        created_by: it.created_by,
    });
    Ok(fields.collect())
}

/// The custom field of that name of the entity.
pub async fn find_field(
    conn: &mut Connection,
    tenant: TenantId,
    (entity, name): (&str, &str),
) -> Result<Option<CustomField>> {
    let fields = fields(conn, tenant).await?;
    let is_it = |it: &CustomField| it.stored.entity == entity && it.stored.field.name == name;
    Ok(fields.into_iter().find(is_it))
}

/// Holds the entity's custom fields to the end of the transaction: none is dropped meanwhile.
pub async fn hold_fields(conn: &mut Connection, tenant: TenantId, entity: &str) -> Result<()> {
    sqlx::query!(
        "select id from custom_fields where tenant_id = $1 and entity = $2 for share",
        tenant as _,
        entity,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Holds the entity's custom fields against all who rely on them, or would, to the end of the
/// transaction.
pub async fn lock_fields(conn: &mut Connection, tenant: TenantId, entity: &str) -> Result<()> {
    sqlx::query!(
        "select id from custom_fields where tenant_id = $1 and entity = $2 for update",
        tenant as _,
        entity,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Declares an entity, without its fields. Says whether its names were free.
pub async fn insert_entity(
    conn: &mut Connection,
    tenant: TenantId,
    entity: &EntityDeclaration,
    author: Author<'_>,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        insert into custom_entities
          (tenant_id, kind, plural, description, key, created_at, created_by)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict do nothing
        "#,
        tenant as _,
        entity.kind,
        entity.plural(),
        entity.description,
        &entity.key,
        author.at,
        author.actor,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Declares a field of an entity. Says whether its name was free.
pub async fn insert_field(
    conn: &mut Connection,
    tenant: TenantId,
    (entity, field): (&str, &FieldDeclaration),
    author: Author<'_>,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        insert into custom_fields
          (tenant_id, entity, name, type, description, unit, words, required, created_at,
           created_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict do nothing
        "#,
        tenant as _,
        entity,
        field.name,
        field.kind.name(),
        field.description,
        field.unit,
        &field.words,
        field.required,
        author.at,
        author.actor,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Changes what a field means and which texts it takes.
pub async fn update_field(
    conn: &mut Connection,
    tenant: TenantId,
    (entity, field): (&str, &FieldDeclaration),
) -> Result<()> {
    sqlx::query!(
        r#"
        update custom_fields set description = $4, unit = $5, words = $6
        where tenant_id = $1 and entity = $2 and name = $3
        "#,
        tenant as _,
        entity,
        field.name,
        field.description,
        field.unit,
        &field.words,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a field's declaration out.
pub async fn delete_field(
    conn: &mut Connection,
    tenant: TenantId,
    (entity, name): (&str, &str),
) -> Result<()> {
    sqlx::query!(
        "delete from custom_fields where tenant_id = $1 and entity = $2 and name = $3",
        tenant as _,
        entity,
        name,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes an entity out with its fields and what is left of its records.
pub async fn delete_entity(conn: &mut Connection, tenant: TenantId, kind: &str) -> Result<()> {
    for table in ["custom_records", "custom_fields"] {
        let sql = format!("delete from {table} where tenant_id = $1 and entity = $2");
        sqlx::query(AssertSqlSafe(sql))
            .bind(tenant)
            .bind(kind)
            .execute(&mut *conn)
            .await?;
    }
    sqlx::query!(
        "delete from custom_entities where tenant_id = $1 and kind = $2",
        tenant as _,
        kind,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives filters by the field an index, which takes as long as the table is large.
///
/// # Errors
/// Those of the database, a lock that is not to be had within two seconds among them.
pub async fn create_index(
    conn: &mut Connection,
    tenant: TenantId,
    (entity, name): (&str, &str),
) -> Result<()> {
    sqlx::query!("select index_custom_field($1, $2)", entity, name)
        .execute(&mut *conn)
        .await?;
    set_indexed(conn, tenant, (entity, name), true).await
}

/// Takes the field's index away; nothing happens where it has none.
///
/// # Errors
/// As of [`create_index`].
pub async fn drop_index(
    conn: &mut Connection,
    tenant: TenantId,
    (entity, name): (&str, &str),
    id: CustomId,
) -> Result<()> {
    sqlx::query!("select drop_custom_field_index($1)", id.0)
        .execute(&mut *conn)
        .await?;
    set_indexed(conn, tenant, (entity, name), false).await
}

async fn set_indexed(
    conn: &mut Connection,
    tenant: TenantId,
    (entity, name): (&str, &str),
    indexed: bool,
) -> Result<()> {
    sqlx::query!(
        r#"
        update custom_fields set indexed = $4
        where tenant_id = $1 and entity = $2 and name = $3
        "#,
        tenant as _,
        entity,
        name,
        indexed,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The objects whose mapping in force has this entity, and, where a field is named, that field as a
/// target: connection and object names, in order.
pub async fn users(
    conn: &mut Connection,
    tenant: TenantId,
    (entity, field): (&str, Option<&str>),
) -> Result<Vec<(schema::ConnectionId, String)>> {
    let rows = sqlx::query!(
        r#"
        select o.connection_id "connection: schema::ConnectionId", o.object
        from source_objects o
        join lateral (
          select m.document
          from mappings m
          where m.tenant_id = o.tenant_id and m.connection_id = o.connection_id
            and m.object = o.object
          order by m.version desc
          limit 1
        ) m on true
        where o.tenant_id = $1 and m.document ->> 'entity' = $2
          and ($3::text is null or exists (
            select from jsonb_array_elements(m.document -> 'fields') f
            where f ->> 'target' = $3
          ))
        order by o.connection_id, o.object
        "#,
        tenant as _,
        entity,
        field,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|it| (it.connection, it.object))
        .collect())
}

/// Whether a lock was not to be had in time.
pub fn is_busy(error: &sqlx::Error) -> bool {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    let code = error.as_database_error().and_then(|it| it.code());
    code.as_deref() == Some(LOCK_NOT_AVAILABLE)
}
