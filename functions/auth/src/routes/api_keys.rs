//! Keys by which programs sign in.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use platform::audit::{self, Entry};
use platform::auth::format_api_key;
use platform::db::accounts;
use platform::extract::{Json, Path};
use platform::page::{Keyset, List};
use platform::{Admin, Caller, Routes, routes};
use schema::{ApiKeyId, Error, Scope, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::db::api_keys::{self as rows, NewRow, Row};
use crate::{input, maker, opaque_token};

pub(super) fn router() -> Routes<App> {
    Routes::new()
        .routes(routes!(list, create))
        .routes(routes!(delete))
}

/// An API key to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "Nightly export", "scopes": ["read"]})))]
struct NewApiKey {
    /// What it is for.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it may do: scopes that the caller has.
    scopes: Vec<Scope>,
}

/// An active API key.
#[derive(Serialize, ToSchema)]
struct ApiKey {
    id: ApiKeyId,
    name: String,
    scopes: Vec<Scope>,
    created_by: UserId,
    created_at: DateTime<Utc>,
    /// Accurate to the hour; null if it was never used.
    last_used_at: Option<DateTime<Utc>>,
}

/// A new API key with its secret.
#[derive(Serialize, ToSchema)]
struct NewlyMade {
    #[serde(flatten)]
    api_key: ApiKey,
    /// Shown once. Send it as `Authorization: Bearer aos_…`.
    key: String,
}

/// API keys in the order in which they were created.
#[derive(Serialize, ToSchema)]
struct ApiKeys {
    api_keys: Vec<ApiKey>,
    /// Send it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

impl Keyset for ApiKey {
    type Key = Uuid;

    fn keyset(&self) -> Uuid {
        self.id.0
    }
}

impl TryFrom<Row> for ApiKey {
    type Error = Error;
    fn try_from(row: Row) -> schema::Result<ApiKey> {
        let scopes = row.scopes.iter().map(|it| it.parse());
        Ok(ApiKey {
            id: row.id,
            name: row.name,
            scopes: scopes.collect::<schema::Result<_>>()?,
            created_by: row.created_by,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        })
    }
}

/// The tenant's active API keys. Their secrets are not stored.
#[utoipa::path(get, path = "/api/v1/auth/api-keys", tag = "auth", params(List<ApiKey>),
    operation_id = "api_keys.list",
    security(("bearer" = ["admin"])), responses((status = 200, body = ApiKeys)))]
async fn list(
    State(app): State<App>,
    Admin(caller): Admin,
    list: List<ApiKey>,
) -> platform::Result<Json<ApiKeys>> {
    let mut tx = accounts::read(&app.platform.db, caller.tenant).await?;
    let rows = rows::list(&mut tx, caller.tenant, &list.page).await?;
    let rows = rows.into_iter().map(ApiKey::try_from);
    let mut api_keys = rows.collect::<schema::Result<_>>()?;
    let next_cursor = list.next_cursor(&mut api_keys);
    Ok(Json(ApiKeys {
        api_keys,
        next_cursor,
    }))
}

/// Creates an API key. It does not expire; it is revoked when the person who created it is
/// disabled.
#[utoipa::path(post, path = "/api/v1/auth/api-keys", tag = "auth", request_body = NewApiKey,
    operation_id = "api_keys.create",
    security(("bearer" = ["admin"])), responses((status = 201, body = NewlyMade)))]
async fn create(
    State(app): State<App>,
    Admin(caller): Admin,
    Json(new): Json<NewApiKey>,
) -> platform::Result<(StatusCode, Json<NewlyMade>)> {
    let api_key = ApiKey {
        id: ApiKeyId(Uuid::now_v7()),
        name: input::name("/name", &new.name)?,
        scopes: granted(&caller, new.scopes)?,
        created_by: caller.user,
        created_at: platform::now(),
        last_used_at: None,
    };
    let secret = opaque_token::random();
    let row = NewRow {
        id: api_key.id,
        name: &api_key.name,
        secret_hash: &opaque_token::sha256(&secret),
        scopes: &api_key.scopes,
        created_by: api_key.created_by,
        created_at: api_key.created_at,
    };
    let mut tx = accounts::begin(&app.platform.db, caller.tenant).await?;
    maker::lock_caller(&mut tx, &caller).await?;
    rows::insert(&mut tx, caller.tenant, &row).await?;
    let entry = Entry::new(&caller, "api_key.create", format!("api-key:{}", api_key.id))
        .after(json!({ "name": api_key.name, "scopes": api_key.scopes }));
    audit::append(&mut tx, caller.tenant, &entry).await?;
    tx.commit().await?;
    let key = format_api_key(caller.tenant, api_key.id, &secret);
    Ok((StatusCode::CREATED, Json(NewlyMade { api_key, key })))
}

/// Revokes an API key, effective at once.
#[utoipa::path(delete, path = "/api/v1/auth/api-keys/{id}", tag = "auth",
    operation_id = "api_keys.delete",
    params(("id" = ApiKeyId, Path)), security(("bearer" = ["admin"])),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<ApiKeyId>,
) -> platform::Result<StatusCode> {
    let mut tx = accounts::begin(&app.platform.db, caller.tenant).await?;
    if !rows::revoke(&mut tx, caller.tenant, id, platform::now()).await? {
        return Err(Error::NotFound { what: "API key" }.into());
    }
    let entry = Entry::new(&caller, "api_key.revoke", format!("api-key:{id}"));
    audit::append(&mut tx, caller.tenant, &entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The scopes in order, each once, if the caller has them all.
fn granted(caller: &Caller, mut scopes: Vec<Scope>) -> schema::Result<Vec<Scope>> {
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(Error::invalid(
            "/scopes",
            "at least one of read, ingest, admin",
        ));
    }
    if scopes.iter().all(|it| caller.scopes.contains(it)) {
        return Ok(scopes);
    }
    Err(Error::Forbidden(
        "an API key can have only scopes that you have",
    ))
}
