//! Connections: linking a source, changing the link, taking it away.

use axum::extract::State;
use axum::http::StatusCode;
use platform::audit::{self, Entry};
use platform::db::OnConstraint;
use platform::extract::{Json, Path};
use platform::page::List;
use platform::{Admin, Platform, Reader, Result, Routes, db, list_body, routes};
use schema::{ConnectionId, Error, TenantId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use sources::CONNECTORS;
use utoipa::openapi::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::schedule::{self, Interval, double_option};
use crate::connection::config::{self, ValidConfig};
use crate::connection::{NOT_FOUND, audit_object, source};
use crate::db::connections::{self, Connection, ConnectionStatus};
use crate::jobs;

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(create, list))
        .routes(routes!(read, update, delete))
}

/// A connection to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "Files", "source_type": "filesource", "connector_config": {}})))]
struct NewConnection {
    /// 1 to 255 characters; no other connection of the tenant has it.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// A connector's name, in any case.
    #[schema(schema_with = connector_names)]
    source_type: String,
    /// Matches the connector's `config_schema` in the catalog.
    #[schema(value_type = Object)]
    connector_config: Value,
    /// Where the secrets manager has the credentials, for a connector that needs some.
    credential_locator: Option<String>,
    /// Interval of scheduled syncs, in minutes: 5 to 10080; never by default.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<i32>, minimum = 5, maximum = 10080)]
    sync_every_minutes: Interval,
    /// Interval of scheduled discoveries, in hours: 1 to 720, null for never. 24 by default for a
    /// source that can be synced.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 720)]
    schema_check_every_hours: Interval,
}

/// Changes to a connection; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "Files"})))]
struct ConnectionChange {
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// The complete new config. A secret given as `[redacted]`, as responses show it, stays as it
    /// is.
    #[schema(value_type = Option<Object>)]
    connector_config: Option<Value>,
    /// Interval of scheduled syncs, in minutes: 5 to 10080; null for never.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<i32>, minimum = 5, maximum = 10080)]
    sync_every_minutes: Interval,
    /// Interval of scheduled discoveries, in hours: 1 to 720; null for never.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 720)]
    schema_check_every_hours: Interval,
}

/// The words that a `source_type` can be.
fn connector_names() -> Object {
    ObjectBuilder::new()
        .title(Some("ConnectorName"))
        .schema_type(Type::String)
        .enum_values(Some(CONNECTORS.iter().map(|it| it.name())))
        .build()
}

/// Which connections, and how many.
#[derive(Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only connections of this connector.
    #[serde(default, deserialize_with = "lower_case")]
    #[param(schema_with = connector_names)]
    source_type: Option<String>,
    /// Only those with this status.
    status: Option<ConnectionStatus>,
}

list_body! {
    /// One page of connections, the newest first.
    Connections { connections: [Connection] }
}

/// A deleted connection.
#[derive(Serialize, ToSchema)]
struct Deleted {
    success: bool,
    message: String,
    connection_id: ConnectionId,
}

/// Creates a connection. The source is contacted to check that what the config names can be read,
/// unless it is a file source.
#[utoipa::path(post, path = "/api/v1/aam/connections", tag = "connect",
    operation_id = "connections.create",
    request_body = NewConnection, security(("bearer" = ["admin"])),
    responses((status = 201, body = Connection)))]
async fn create(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Json(new): Json<NewConnection>,
) -> Result<(StatusCode, Json<Connection>)> {
    let connector = sources::find(&new.source_type).ok_or_else(unsupported)?;
    check_title(&new.name)?;
    if new.credential_locator.is_some() {
        return Err(Error::invalid("/credential_locator", "this connector needs none").into());
    }
    let sync_every_minutes = schedule::sync(connector, new.sync_every_minutes, None)?;
    let hours = (new.schema_check_every_hours, schedule::usual(connector));
    let schema_check_every_hours = schedule::schema_check(connector, hours.0, hours.1)?;
    let config = config::validate_new(&platform, connector, new.connector_config);
    let config = Box::pin(config).await?;
    let now = platform::now();
    let connection = Connection {
        id: ConnectionId(Uuid::now_v7()),
        name: new.name,
        source_type: connector.name().to_owned(),
        status: ConnectionStatus::Active,
        connector_config: config.redacted,
        created_at: now,
        updated_at: now,
        last_health_check: source::can_sync(connector).then_some(now),
        sync_every_minutes,
        schema_check_every_hours,
    };

    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let place = (caller.tenant, connection.id);
    let sealed = source::seal(&mut tx, &platform, place, &config.secrets).await?;
    connections::insert(&mut tx, caller.tenant, &connection, sealed.as_deref())
        .await
        .on_constraint("connections_name_key", NAME_TAKEN)?;
    let entry = Entry::new(&caller, "connection.create", audit_object(connection.id));
    audit::append(&mut tx, caller.tenant, &entry.after(summary(&connection))).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(connection)))
}

/// The tenant's connections, the newest first.
#[utoipa::path(get, path = "/api/v1/aam/connections", tag = "connect",
    operation_id = "connections.list", params(List<Connection, Filter>),
    security(("bearer" = ["read"])), responses((status = 200, body = Connections)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    list: List<Connection, Filter>,
) -> Result<Json<Connections>> {
    let source_type = match &list.filter.source_type {
        None => None,
        Some(name) => Some(sources::find(name).ok_or_else(unsupported)?.name()),
    };
    let wanted = connections::Wanted {
        source_type,
        status: list.filter.status,
    };

    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let total = connections::count(&mut tx, caller.tenant, &wanted).await?;
    let connections = connections::list(&mut tx, caller.tenant, &wanted, &list.page).await?;
    Ok(list.answer(connections, total))
}

/// One connection.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}", tag = "connect",
    operation_id = "connections.read",
    params(("id" = ConnectionId, Path)), security(("bearer" = ["read"])),
    responses((status = 200, body = Connection)))]
async fn read(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
) -> Result<Json<Connection>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let connection = get(&mut tx, caller.tenant, id).await?;
    Ok(Json(connection))
}

/// Changes a connection's name, config or schedules.
#[utoipa::path(patch, path = "/api/v1/aam/connections/{id}", tag = "connect",
    operation_id = "connections.update",
    params(("id" = ConnectionId, Path)), request_body = ConnectionChange,
    security(("bearer" = ["admin"])), responses((status = 200, body = Connection)))]
async fn update(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(id): Path<ConnectionId>,
    Json(change): Json<ConnectionChange>,
) -> Result<Json<Connection>> {
    let config = match change.connector_config {
        Some(config) => Some(Box::pin(renew(&platform, caller.tenant, id, config)).await?),
        None => None,
    };
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let mut connection = connections::lock(&mut tx, caller.tenant, id)
        .await?
        .ok_or(NOT_FOUND)?;
    let entry =
        Entry::new(&caller, "connection.update", audit_object(id)).before(summary(&connection));
    if let Some(name) = change.name {
        check_title(&name)?;
        connection.name = name;
    }
    let connector = sources::find(&connection.source_type).ok_or_else(unsupported)?;
    let (minutes, hours) = (change.sync_every_minutes, change.schema_check_every_hours);
    connection.sync_every_minutes =
        schedule::sync(connector, minutes, connection.sync_every_minutes)?;
    let before = connection.schema_check_every_hours;
    connection.schema_check_every_hours = schedule::schema_check(connector, hours, before)?;
    if let Some(config) = config {
        if config.source_changed {
            jobs::check_source_unused(&mut tx, caller.tenant, id).await?;
        }
        source::replace(&mut tx, &platform, (caller.tenant, id), &config).await?;
        connection.connector_config = config.redacted;
    }
    connection.updated_at = platform::now();
    connections::update(&mut tx, caller.tenant, &connection)
        .await
        .on_constraint("connections_name_key", NAME_TAKEN)?;
    audit::append(&mut tx, caller.tenant, &entry.after(summary(&connection))).await?;
    tx.commit().await?;
    Ok(Json(connection))
}

/// Accepts another config, before the connection is held: its source may take a while.
async fn renew(
    platform: &Platform,
    tenant: TenantId,
    id: ConnectionId,
    config: Value,
) -> Result<ValidConfig> {
    let mut tx = db::begin(&platform.db, tenant).await?;
    let connection = get(&mut tx, tenant, id).await?;
    tx.commit().await?;
    config::validate_change(platform, (tenant, &connection), config).await
}

/// Deletes a connection and every record that was read through it.
#[utoipa::path(delete, path = "/api/v1/aam/connections/{id}", tag = "connect",
    operation_id = "connections.delete",
    params(("id" = ConnectionId, Path)), security(("bearer" = ["admin"])),
    responses((status = 200, body = Deleted)))]
async fn delete(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(id): Path<ConnectionId>,
) -> Result<Json<Deleted>> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let connection = connections::lock(&mut tx, caller.tenant, id)
        .await?
        .ok_or(NOT_FOUND)?;
    connections::delete(&mut tx, caller.tenant, id).await?;
    let entry =
        Entry::new(&caller, "connection.delete", audit_object(id)).before(summary(&connection));
    audit::append(&mut tx, caller.tenant, &entry).await?;
    tx.commit().await?;
    Ok(Json(Deleted {
        success: true,
        message: format!(
            "connection `{}` and its records are deleted",
            connection.name
        ),
        connection_id: id,
    }))
}

const NAME_TAKEN: Error = Error::conflict("another connection has this name: choose a new one");

/// The connection, or 404.
pub(crate) async fn get(
    conn: &mut db::Connection,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<Connection> {
    let connection = connections::find(conn, tenant, id).await?;
    Ok(connection.ok_or(NOT_FOUND)?)
}

/// As connectors are named: a cursor is good however the request spells it.
fn lower_case<'de, D: Deserializer<'de>>(name: D) -> std::result::Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(name)?;
    Ok(name.map(|it| it.to_ascii_lowercase()))
}

fn unsupported() -> Error {
    let names: Vec<_> = CONNECTORS.iter().map(|it| it.name()).collect();
    Error::BadRequest(format!(
        "unsupported source_type: supported are {}",
        names.join(", ")
    ))
}

/// Refuses the name of an object or system that none can have.
pub(crate) fn check_name(pointer: &str, name: Option<&str>) -> schema::Result<()> {
    match name {
        Some(name) if name.is_empty() || name.contains(char::is_control) => Err(Error::invalid(
            pointer,
            "is empty or has a control character",
        )),
        _ => Ok(()),
    }
}

fn check_title(name: &str) -> schema::Result<()> {
    let length = name.chars().count();
    if (1..=255).contains(&length) && !name.contains(char::is_control) && !name.trim().is_empty() {
        return Ok(());
    }
    Err(Error::invalid(
        "/name",
        "1 to 255 characters, none of them a control character, not only spaces",
    ))
}

/// What the audit log keeps of a connection. The config has marks in the places of its secrets.
fn summary(connection: &Connection) -> Value {
    json!({
        "name": connection.name,
        "source_type": connection.source_type,
        "status": connection.status,
        "connector_config": connection.connector_config,
        "sync_every_minutes": connection.sync_every_minutes,
        "schema_check_every_hours": connection.schema_check_every_hours,
    })
}
