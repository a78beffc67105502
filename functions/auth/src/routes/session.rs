//! Signing in, staying so, and signing out.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::TimeDelta;
use platform::client_address::ClientAddress;
use platform::db::accounts;
use platform::extract::Json;
use platform::limit::Class;
use platform::{Routes, audit, routes};
use schema::{Error, TenantId, UserId};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::attempt::{self, Attempt};
use crate::db::logins::{self, Login};
use crate::db::sign_in_addresses;
use crate::db::users::{self, Credentials};
use crate::input::Email;
use crate::opaque_token::OpaqueToken;
use crate::password::{self, Verdict};
use crate::session::{self, RefreshOutcome, Tokens};
use crate::token::Account;

pub(super) fn router() -> Routes<App> {
    Routes::new()
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
}

// Rows that are older are swept away: the migration says the same.
const ADDRESS_KNOWN_FOR: TimeDelta = TimeDelta::days(90);

/// What a person signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"email": "ada@acme.example", "password": "seven otters juggle plums"})))]
struct NewSession {
    #[schema(format = Email)]
    email: String,
    #[schema(format = Password)]
    password: String,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"refresh_token": "the refresh_token of a sign-in"})))]
struct Refresh {
    refresh_token: String,
}

/// Signs a person in.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", request_body = NewSession,
    operation_id = "session.login", responses((status = 200, body = Tokens)))]
async fn login(
    State(app): State<App>,
    address: ClientAddress,
    Json(new): Json<NewSession>,
) -> platform::Result<Json<Tokens>> {
    let email = Email::read(&new.email);
    let mut attempt = Attempt::begin(&app.platform, &email.key, address).await?;
    let Found {
        login,
        credentials,
        address_known,
    } = find(&app, &email, address).await?;
    if !address_known {
        attempt.count_widely().await?;
    }
    let kept = credentials.as_ref().map(|it| it.password_hash.clone());
    let verdict = password::verify(new.password.clone(), kept).await?;
    let right = credentials.filter(|it| verdict != Verdict::Wrong && !it.disabled);
    let Some(right) = right else {
        return Err(refused(&login).into());
    };
    let renewed = match verdict {
        Verdict::RightButWeak => Some(password::hash(new.password).await?),
        _ => None,
    };
    let mut tx = accounts::begin(&app.platform.db, login.tenant_id).await?;
    // Hashing took its time: who was disabled meanwhile, or got another password, gets no session
    // that outlives it.
    let (tenant, hash) = (login.tenant_id, &right.password_hash);
    let user = users::lock_with_password(&mut tx, tenant, login.user_id, hash).await?;
    let user = user.ok_or_else(|| refused(&login))?;
    let account = Account {
        tenant: login.tenant_id,
        user: user.id,
        role: user.role.parse()?,
        epoch: user.token_epoch,
    };
    if let Some(hash) = renewed {
        users::update_password_hash(&mut tx, account.tenant, account.user, &hash).await?;
    }
    let now = platform::now();
    let tokens = session::start(&app, &mut tx, &account, address, now).await?;
    let what = ("session.start", format!("user:{}", account.user));
    let entry = crate::audit::of(&app.platform, account.user, what, now).await?;
    audit::append(&mut tx, account.tenant, &entry).await?;
    tx.commit().await?;
    attempt.succeed().await;
    Ok(Json(tokens))
}

fn refused(login: &Login) -> Error {
    // A line and no audit row: it is written for nobody's address too, in the same time.
    tracing::warn!(tenant.id = %login.tenant_id, user.id = %login.user_id, "a sign-in failed");
    Error::Unauthenticated("Incorrect email or password")
}

/// Who wants to sign in.
struct Found {
    login: Login,
    credentials: Option<Credentials>,
    /// Whether they have signed in from the client's address before.
    address_known: bool,
}

/// Whose the e-mail address is. For nobody's the database is asked the same questions, in vain, so
/// that the time tells nothing.
async fn find(app: &App, email: &Email, address: ClientAddress) -> platform::Result<Found> {
    let mut tx = accounts::begin_directory(&app.platform.db).await?;
    let nobody = Login {
        tenant_id: TenantId(Uuid::nil()),
        user_id: UserId(Uuid::nil()),
    };
    let login = logins::find(&mut tx, &email.keys())
        .await?
        .unwrap_or(nobody);
    accounts::enter(&app.platform.db, &mut tx, login.tenant_id).await?;
    let credentials = users::find_credentials(&mut tx, login.tenant_id, login.user_id).await?;
    let address_known = match attempt::address_hash(login.user_id, address) {
        Some(hash) => {
            let since = platform::now() - ADDRESS_KNOWN_FOR;
            sign_in_addresses::exists(&mut tx, login.tenant_id, login.user_id, &hash, since).await?
        }
        None => false,
    };
    tx.commit().await?;
    Ok(Found {
        login,
        credentials,
        address_known,
    })
}

/// Exchanges a refresh token for new tokens.
///
/// A refresh token can be used once. A second use ends the session, unless it comes within ten
/// seconds and the new token is still unused: then the response holds the same new token.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth", request_body = Refresh,
    operation_id = "session.refresh", responses((status = 200, body = Tokens)))]
async fn refresh(
    State(app): State<App>,
    address: ClientAddress,
    Json(body): Json<Refresh>,
) -> platform::Result<Json<Tokens>> {
    let invalid = Error::Unauthenticated("the refresh token is not valid: sign in");
    let Some(token) = OpaqueToken::parse(&body.refresh_token) else {
        return Err(app
            .refuse_token(Class::Write, address, invalid)
            .await
            .into());
    };
    let now = platform::now();
    let mut tx = accounts::begin(&app.platform.db, token.tenant).await?;
    let outcome = session::refresh(&app, &mut tx, &token, now).await?;
    if let RefreshOutcome::Reused(user) = outcome {
        tracing::warn!(user.id = %user, "a refresh token was used twice: the session is revoked");
        let what = ("session.revoke", format!("user:{user}"));
        let entry = crate::audit::of(&app.platform, user, what, now).await?;
        audit::append(&mut tx, token.tenant, &entry).await?;
    }
    tx.commit().await?;
    match outcome {
        RefreshOutcome::Refreshed(tokens) => Ok(Json(tokens)),
        RefreshOutcome::Refused | RefreshOutcome::Reused(_) => Err(app
            .refuse_token(Class::Write, address, invalid)
            .await
            .into()),
    }
}

/// Ends the session of a refresh token. The response is the same if there was none.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth", request_body = Refresh,
    operation_id = "session.logout", responses((status = 204)))]
async fn logout(
    State(app): State<App>,
    address: ClientAddress,
    Json(body): Json<Refresh>,
) -> platform::Result<StatusCode> {
    let Some(token) = OpaqueToken::parse(&body.refresh_token) else {
        app.limit_address(Class::Write, "refused", address).await?;
        return Ok(StatusCode::NO_CONTENT);
    };
    let now = platform::now();
    let mut tx = accounts::begin(&app.platform.db, token.tenant).await?;
    let Some(user) = session::end(&mut tx, &token, now).await? else {
        tx.rollback().await?;
        app.limit_address(Class::Write, "refused", address).await?;
        return Ok(StatusCode::NO_CONTENT);
    };
    let what = ("session.end", format!("user:{user}"));
    let entry = crate::audit::of(&app.platform, user, what, now).await?;
    audit::append(&mut tx, token.tenant, &entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
