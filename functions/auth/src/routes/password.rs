//! Changing one's own password.

use axum::extract::State;
use chrono::{DateTime, Utc};
use platform::audit::{self, Entry};
use platform::client_address::ClientAddress;
use platform::db::{Connection, accounts};
use platform::extract::Json;
use platform::limit::Class;
use platform::{Caller, Routes, routes};
use schema::{Error, TenantId, UserId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::App;
use crate::db::{password_resets, users};
use crate::input::Email;
use crate::password::{self, Verdict};
use crate::person::Person;
use crate::session::{self, Tokens};
use crate::token::Account;

pub(super) fn router() -> Routes<App> {
    Routes::new().routes(routes!(change))
}

/// The password of now and the next one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"current_password": "seven otters juggle plums", "new_password": "nine herons paint barns"})))]
struct PasswordChange {
    #[schema(format = Password)]
    current_password: String,
    /// At least 12 characters, and not a common password.
    #[schema(format = Password, min_length = 12, max_length = 1024)]
    new_password: String,
}

/// Changes the caller's password. All their sessions and access tokens end; the response starts a
/// new session. Their API keys stay.
#[utoipa::path(post, path = "/api/v1/auth/password", tag = "auth", request_body = PasswordChange,
    operation_id = "password.change", security(("bearer" = [])),
    responses((status = 200, body = Tokens)))]
async fn change(
    State(app): State<App>,
    address: ClientAddress,
    Person(caller): Person,
    Json(change): Json<PasswordChange>,
) -> platform::Result<Json<Tokens>> {
    check(&caller.email, "/new_password", &change.new_password)?;
    let current = verify_current(&app, &caller, &change).await?;
    let hash = password::hash(change.new_password).await?;

    let (tenant, now) = (caller.tenant, platform::now());
    let mut tx = accounts::begin(&app.platform.db, tenant).await?;
    let user = users::lock_with_password(&mut tx, tenant, caller.user, &current).await?;
    let user = user.ok_or_else(wrong)?;
    let account = Account {
        tenant,
        user: user.id,
        role: user.role.parse()?,
        epoch: replace(&mut tx, tenant, user.id, &hash, now).await?,
    };
    let tokens = session::start(&app, &mut tx, &account, address, now).await?;
    let entry = Entry::new(&caller, "password.change", format!("user:{}", user.id));
    audit::append(&mut tx, tenant, &entry).await?;
    tx.commit().await?;
    Ok(Json(tokens))
}

/// The hash of the caller's password, if they know it. Who has only their token may guess as often
/// as somebody who signs in.
async fn verify_current(
    app: &App,
    caller: &Caller,
    change: &PasswordChange,
) -> platform::Result<String> {
    let key = format!("password:{}", caller.user);
    app.platform.limiter.check(Class::SignIn, &key).await?;
    let mut tx = accounts::begin(&app.platform.db, caller.tenant).await?;
    let credentials = users::find_credentials(&mut tx, caller.tenant, caller.user).await?;
    drop(tx);
    let hash = credentials.ok_or_else(wrong)?.password_hash;
    let given = change.current_password.clone();
    if password::verify(given, Some(hash.clone())).await? == Verdict::Wrong {
        return Err(wrong().into());
    }
    app.platform.limiter.clear(Class::SignIn, &key).await;
    if change.new_password == change.current_password {
        return Err(Error::invalid("/new_password", "must differ from the current one").into());
    }
    Ok(hash)
}

/// Refuses a password that the person with this e-mail address should not have.
pub(super) fn check(email: &str, pointer: &str, password: &str) -> schema::Result<()> {
    let email = Email::read(email);
    password::check(pointer, password, &[&email.key, email.local_part()])
}

/// Gives a person another password, and ends what the old one opened. What is signed from now on is
/// of the returned epoch.
pub(super) async fn replace(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
    hash: &str,
    now: DateTime<Utc>,
) -> platform::Result<i32> {
    users::update_password_hash(conn, tenant, user, hash).await?;
    password_resets::delete_for(conn, tenant, user).await?;
    session::end_all(conn, tenant, user, now).await
}

fn wrong() -> Error {
    Error::invalid("/current_password", "is not your password")
}
