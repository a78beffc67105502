//! Setting a new password with a token of an admin: nothing is sent.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use platform::audit::{self, Entry};
use platform::client_address::ClientAddress;
use platform::db::{Connection, accounts};
use platform::extract::{Json, Path};
use platform::limit::Class;
use platform::{Admin, Caller, Routes, routes};
use schema::{Error, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::password::{check, replace};
use crate::App;
use crate::db::password_resets::{self as rows, PasswordReset};
use crate::db::users::{self, User};
use crate::opaque_token::OpaqueToken;
use crate::{maker, password, person};

pub(super) fn router() -> Routes<App> {
    Routes::new().routes(routes!(create)).routes(routes!(apply))
}

/// The way to the person is short: a longer time serves whoever finds the token.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// A password reset. Nothing is sent: hand the token to the person.
#[derive(Serialize, ToSchema)]
struct NewReset {
    expires_at: DateTime<Utc>,
    /// Shown once. The person takes it to `/api/v1/auth/password/reset`.
    token: String,
}

/// A reset's token, and the password to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"token": "the token of the reset", "password": "seven otters juggle plums"})))]
struct NewPassword {
    token: String,
    /// At least 12 characters, and not a common password.
    #[schema(format = Password, min_length = 12, max_length = 1024)]
    password: String,
}

/// Makes a token with which a person who forgot their password sets a new one, once, within 24
/// hours. It replaces an earlier one. For other people, not for the caller: 409.
#[utoipa::path(post, path = "/api/v1/auth/users/{id}/password-reset", tag = "auth",
    operation_id = "password_resets.create", params(("id" = UserId, Path)),
    security(("bearer" = ["admin"])), responses((status = 201, body = NewReset)))]
async fn create(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<UserId>,
) -> platform::Result<(StatusCode, Json<NewReset>)> {
    let (tenant, now) = (caller.tenant, platform::now());
    let token = OpaqueToken::new(tenant, Uuid::now_v7());
    let reset = PasswordReset {
        id: token.id,
        user_id: id,
        token_hash: token.hash().to_vec(),
        created_by: caller.user,
        created_at: now,
        expires_at: now + LIFETIME,
    };
    let mut tx = accounts::begin(&app.platform.db, tenant).await?;
    lock_for_reset(&mut tx, &caller, id).await?;
    rows::upsert(&mut tx, tenant, &reset).await?;
    let entry = Entry::new(&caller, "password_reset.create", format!("user:{id}"));
    audit::append(&mut tx, tenant, &entry).await?;
    tx.commit().await?;
    let made = NewReset {
        expires_at: reset.expires_at,
        token: token.text(),
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Refuses a caller who may not reset the person's password; it stays so until the transaction ends.
async fn lock_for_reset(tx: &mut Connection, caller: &Caller, id: UserId) -> platform::Result<()> {
    // All admins first, in the order of their ids, as whoever changes a person does.
    users::lock_admins(tx, caller.tenant).await?;
    maker::lock_caller(tx, caller).await?;
    let user = users::lock(tx, caller.tenant, id).await?;
    let user = user.ok_or(Error::NotFound { what: "user" })?;
    person::check(caller)?;
    // Else a stolen access token would be good for a new password.
    if user.id == caller.user {
        let own = "this is your own password: change it at /api/v1/auth/password";
        return Err(Error::conflict(own).into());
    }
    if user.disabled_at.is_some() {
        return Err(Error::conflict("the user is disabled: enable them first").into());
    }
    Ok(())
}

/// Sets a new password with a reset's token. All the person's sessions and access tokens end: they
/// sign in with the new password. Their API keys stay.
#[utoipa::path(post, path = "/api/v1/auth/password/reset", tag = "auth",
    operation_id = "password_resets.apply", request_body = NewPassword,
    responses((status = 204)))]
async fn apply(
    State(app): State<App>,
    address: ClientAddress,
    Json(new): Json<NewPassword>,
) -> platform::Result<StatusCode> {
    let now = platform::now();
    let Some((token, user)) = find(&app, &new.token, now).await? else {
        return Err(app
            .refuse_token(Class::SignIn, address, invalid())
            .await
            .into());
    };
    check(&user.email, "/password", &new.password)?;
    let hash = password::hash(new.password).await?;

    let mut tx = accounts::begin(&app.platform.db, token.tenant).await?;
    // Hashing took its time: the token may have been used, replaced or taken back.
    let user = lock_holder(&mut tx, &token, now).await?;
    let user = user.ok_or_else(invalid)?;
    replace(&mut tx, token.tenant, user.id, &hash, now).await?;
    let what = ("password_reset.apply", format!("user:{}", user.id));
    let entry = crate::audit::of(&app.platform, user.id, what, now).await?;
    audit::append(&mut tx, token.tenant, &entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The token of a text and whose it is; none where it is not valid.
async fn find(
    app: &App,
    text: &str,
    now: DateTime<Utc>,
) -> platform::Result<Option<(OpaqueToken, User)>> {
    let Some(token) = OpaqueToken::parse(text) else {
        return Ok(None);
    };
    let mut tx = accounts::begin(&app.platform.db, token.tenant).await?;
    let user = lock_holder(&mut tx, &token, now).await?;
    tx.commit().await?;
    Ok(user.map(|it| (token, it)))
}

/// Whose the token is, if it is valid; it stays so until the transaction ends.
async fn lock_holder(
    tx: &mut Connection,
    token: &OpaqueToken,
    now: DateTime<Utc>,
) -> platform::Result<Option<User>> {
    // Whoever has no token locks nobody.
    let Some(reset) = find_reset(tx, token, now).await? else {
        return Ok(None);
    };
    let admins = users::lock_admins(tx, token.tenant).await?;
    let user = users::lock(tx, token.tenant, reset.user_id).await?;
    let lives = find_reset(tx, token, now).await?.is_some();
    let user = user.filter(|it| it.disabled_at.is_none());
    Ok(user.filter(|_| lives && admins.contains(&reset.created_by)))
}

async fn find_reset(
    tx: &mut Connection,
    token: &OpaqueToken,
    now: DateTime<Utc>,
) -> platform::Result<Option<PasswordReset>> {
    let reset = rows::find(tx, token.tenant, token.id, now).await?;
    Ok(reset.filter(|it| token.matches(&it.token_hash)))
}

fn invalid() -> Error {
    let detail = "the password reset is not valid (any more): ask an admin for a new one";
    Error::BadRequest(detail.to_owned())
}
