//! The caller's own sessions: which there are, and ending them.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use platform::audit::{self, Entry};
use platform::db::accounts;
use platform::extract::{Json, Path};
use platform::page::{Keyset, List};
use platform::{Routes, routes};
use schema::Error;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::db::refresh_tokens::{self as rows, Family};
use crate::db::users;
use crate::person::Person;
use crate::session;

pub(super) fn router() -> Routes<App> {
    Routes::new()
        .routes(routes!(list, delete_all))
        .routes(routes!(delete))
}

/// A session that can still be refreshed.
#[derive(Serialize, ToSchema)]
struct Session {
    id: Uuid,
    /// When the person signed in.
    started_at: DateTime<Utc>,
    /// When it last got new tokens.
    refreshed_at: DateTime<Utc>,
    /// 30 days after the sign-in.
    expires_at: DateTime<Utc>,
}

/// Sessions in the order in which they started.
#[derive(Serialize, ToSchema)]
struct Sessions {
    sessions: Vec<Session>,
    /// Send it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

impl Keyset for Session {
    type Key = Uuid;

    fn keyset(&self) -> Uuid {
        self.id
    }
}

impl From<Family> for Session {
    fn from(row: Family) -> Session {
        Session {
            id: row.id,
            started_at: row.started_at,
            refreshed_at: row.refreshed_at,
            expires_at: row.expires_at,
        }
    }
}

/// The caller's sessions.
#[utoipa::path(get, path = "/api/v1/auth/sessions", tag = "auth", params(List<Session>),
    operation_id = "sessions.list", security(("bearer" = [])),
    responses((status = 200, body = Sessions)))]
async fn list(
    State(app): State<App>,
    Person(caller): Person,
    list: List<Session>,
) -> platform::Result<Json<Sessions>> {
    let (tenant, now) = (caller.tenant, platform::now());
    let mut tx = accounts::begin(&app.platform.db, tenant).await?;
    let rows = rows::list_families(&mut tx, tenant, caller.user, now, &list.page).await?;
    let mut sessions = rows.into_iter().map(Session::from).collect();
    let next_cursor = list.next_cursor(&mut sessions);
    Ok(Json(Sessions {
        sessions,
        next_cursor,
    }))
}

/// Ends one of the caller's sessions. All the caller's access tokens end with it: the sessions that
/// remain get new ones with their refresh tokens.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{id}", tag = "auth",
    operation_id = "sessions.delete", params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    Person(caller): Person,
    Path(id): Path<Uuid>,
) -> platform::Result<StatusCode> {
    let (tenant, now) = (caller.tenant, platform::now());
    let mut tx = accounts::begin(&app.platform.db, tenant).await?;
    // A refresh that runs at this moment ends first, so that its child is revoked too.
    users::lock(&mut tx, tenant, caller.user).await?;
    if !rows::has_family(&mut tx, tenant, caller.user, id, now).await? {
        return Err(Error::NotFound { what: "session" }.into());
    }
    rows::revoke_family(&mut tx, tenant, id, now).await?;
    users::end_tokens(&mut tx, tenant, caller.user).await?;
    let entry = Entry::new(&caller, "session.revoke", format!("session:{id}"));
    audit::append(&mut tx, tenant, &entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all the caller's sessions and access tokens, the one of this request included.
#[utoipa::path(delete, path = "/api/v1/auth/sessions", tag = "auth",
    operation_id = "sessions.delete_all", security(("bearer" = [])),
    responses((status = 204)))]
async fn delete_all(
    State(app): State<App>,
    Person(caller): Person,
) -> platform::Result<StatusCode> {
    let (tenant, now) = (caller.tenant, platform::now());
    let mut tx = accounts::begin(&app.platform.db, tenant).await?;
    users::lock(&mut tx, tenant, caller.user).await?;
    session::end_all(&mut tx, tenant, caller.user, now).await?;
    let user = format!("user:{}", caller.user);
    let entry = Entry::new(&caller, "session.revoke", user);
    audit::append(&mut tx, tenant, &entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
