//! Connections: linking a source, changing the link, taking it away.

use aam::connectors::{self, CONNECTORS, Connector};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{SubsecRound, Utc};
use platform::audit::{self, Entry};
use platform::cursor::Scope;
use platform::db::OnConstraint;
use platform::extract::{Json, Path, Query};
use platform::page::Page;
use platform::{Admin, Platform, Reader, Result, Routes, db, routes};
use schema::{ConnectionId, Error, FieldError, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::db::connections::{self, Connection, ConnectionStatus};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(create, list))
        .routes(routes!(read, update, delete))
}

/// A source to link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewConnection {
    /// 1 to 255 characters; no other connection of the tenant has it.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// A connector's name, in any case.
    source_type: String,
    /// As the connector's schema in the catalog says.
    #[schema(value_type = Object)]
    connector_config: Value,
    /// Where the secrets manager has the credentials, for a connector that needs some.
    credential_locator: Option<String>,
}

/// What is to become of a connection; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConnectionChange {
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// The whole new config.
    #[schema(value_type = Option<Object>)]
    connector_config: Option<Value>,
}

/// Which connections, and how many.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those of this connector.
    source_type: Option<String>,
    /// Only those that stand there.
    status: Option<ConnectionStatus>,
    /// 1 to 1000, default 100.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One page of connections, the newest first.
#[derive(Serialize, ToSchema)]
struct Connections {
    connections: Vec<Connection>,
    /// How many there are on all pages.
    total: i64,
    /// Hand it back as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// A connection that is no more.
#[derive(Serialize, ToSchema)]
struct Deleted {
    success: bool,
    message: String,
    connection_id: ConnectionId,
}

/// Links a source. FileSource needs no contact, so the connection is ACTIVE at once.
#[utoipa::path(post, path = "/api/v1/aam/connections", tag = "connect",
    operation_id = "connections.create",
    request_body = NewConnection, security(("bearer" = ["admin"])),
    responses((status = 201, body = Connection)))]
async fn create(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Json(new): Json<NewConnection>,
) -> Result<(StatusCode, Json<Connection>)> {
    let connector = connectors::find(&new.source_type).ok_or_else(unsupported)?;
    check_title(&new.name)?;
    check_config(connector, &new.connector_config)?;
    if new.credential_locator.is_some() {
        return Err(Error::invalid("/credential_locator", "this connector needs none").into());
    }
    let now = Utc::now().trunc_subsecs(6);
    let connection = Connection {
        id: ConnectionId(Uuid::now_v7()),
        name: new.name,
        source_type: connector.name().to_owned(),
        status: ConnectionStatus::Active,
        connector_config: new.connector_config,
        created_at: now,
        updated_at: now,
        last_health_check: None,
    };

    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    connections::insert(&mut tx, caller.tenant, &connection)
        .await
        .on_constraint("connections_name_key", NAME_TAKEN)?;
    let entry = Entry::new(&caller, "connection.create", object(connection.id));
    audit::append(&mut tx, caller.tenant, &entry.after(summary(&connection))).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(connection)))
}

/// The tenant's connections, the newest first.
#[utoipa::path(get, path = "/api/v1/aam/connections", tag = "connect", params(Filter),
    operation_id = "connections.list",
    security(("bearer" = ["read"])), responses((status = 200, body = Connections)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Query(filter): Query<Filter>,
) -> Result<Json<Connections>> {
    let source_type = match &filter.source_type {
        None => None,
        Some(name) => Some(connectors::find(name).ok_or_else(unsupported)?.name()),
    };
    let order = format!("{source_type:?} {:?}", filter.status);
    let scope = scope(caller.tenant, "connections", &order);
    let page = Page::read(&platform, &scope, filter.limit, filter.cursor.as_deref())?;
    let wanted = connections::Wanted {
        source_type,
        status: filter.status,
    };

    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let total = connections::count(&mut tx, caller.tenant, &wanted).await?;
    let mut connections = connections::list(&mut tx, caller.tenant, &wanted, &page).await?;
    tx.commit().await?;
    let place = |it: &Connection| (it.created_at, it.id.0);
    let next_cursor = page.next(&scope, &mut connections, place);
    Ok(Json(Connections {
        connections,
        total,
        next_cursor,
    }))
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
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let connection = get(&mut tx, caller.tenant, id).await?;
    tx.commit().await?;
    Ok(Json(connection))
}

/// Renames a connection or gives it another config.
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
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let mut connection = connections::lock(&mut tx, caller.tenant, id)
        .await?
        .ok_or(NOT_FOUND)?;
    let entry = Entry::new(&caller, "connection.update", object(id)).before(summary(&connection));
    if let Some(name) = change.name {
        check_title(&name)?;
        connection.name = name;
    }
    if let Some(config) = change.connector_config {
        let connector = connectors::find(&connection.source_type).ok_or_else(unsupported)?;
        check_config(connector, &config)?;
        connection.connector_config = config;
    }
    connection.updated_at = Utc::now().trunc_subsecs(6);
    connections::update(&mut tx, caller.tenant, &connection)
        .await
        .on_constraint("connections_name_key", NAME_TAKEN)?;
    audit::append(&mut tx, caller.tenant, &entry.after(summary(&connection))).await?;
    tx.commit().await?;
    Ok(Json(connection))
}

/// Takes a connection away, with every record that came over it.
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
    let entry = Entry::new(&caller, "connection.delete", object(id)).before(summary(&connection));
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

/// What another tenant's connection is, too.
pub(crate) const NOT_FOUND: Error = Error::NotFound { what: "connection" };

const NAME_TAKEN: Error = Error::Conflict("another connection has this name: choose a new one");

/// The connection, or 404.
pub(crate) async fn get(
    conn: &mut db::Connection,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<Connection> {
    let connection = connections::find(conn, tenant, id).await?;
    Ok(connection.ok_or(NOT_FOUND)?)
}

/// How the audit log names a connection.
pub(crate) fn object(id: ConnectionId) -> String {
    format!("connection:{id}")
}

pub(crate) fn scope<'a>(tenant: TenantId, route: &'a str, order: &'a str) -> Scope<'a> {
    Scope {
        tenant,
        route,
        order,
    }
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

fn check_config(connector: &dyn Connector, config: &Value) -> schema::Result<()> {
    connector.check(config).map_err(|err| match err {
        Error::Invalid(errors) => Error::Invalid(errors.into_iter().map(within_config).collect()),
        other => other,
    })
}

fn within_config(error: FieldError) -> FieldError {
    FieldError {
        pointer: format!("/connector_config{}", error.pointer),
        ..error
    }
}

/// What the audit log keeps of a connection. A config has no secrets.
fn summary(connection: &Connection) -> Value {
    json!({
        "name": connection.name,
        "source_type": connection.source_type,
        "status": connection.status,
        "connector_config": connection.connector_config,
    })
}
