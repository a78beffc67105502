//! Accepting an invitation.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{SubsecRound, Utc};
use platform::audit;
use platform::db::{self, OnConstraint};
use platform::extract::Json;
use platform::http::ClientAddress;
use platform::limit::Class;
use schema::{Error, InvitationId, UserId};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::register::{SignedUp, User, email_taken};
use crate::App;
use crate::db::invitations::{self, Invitation};
use crate::db::logins;
use crate::db::users::{self, NewUser};
use crate::input::{self, Email};
use crate::opaque::Opaque;
use crate::token::Account;
use crate::{password, session};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(accept))
}

/// An invitation's token, and what the person adds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    token: String,
    /// What the person is called.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// At least 12 characters, and not one that is guessed first.
    #[schema(format = Password, min_length = 12, max_length = 1024)]
    password: String,
}

/// Makes the invited person a user of the organisation and signs them in.
#[utoipa::path(post, path = "/api/v1/auth/invitations/accept", tag = "auth",
    request_body = Acceptance, responses((status = 201, body = SignedUp)))]
async fn accept(
    State(app): State<App>,
    address: ClientAddress,
    Json(acceptance): Json<Acceptance>,
) -> platform::Result<(StatusCode, Json<SignedUp>)> {
    app.limit_address(Class::SignIn, address).await?;
    let token = Opaque::parse(&acceptance.token).ok_or_else(invalid)?;
    let invitation = find(&app, &token).await?;
    let email = Email::parse(&invitation.email)?;
    let user = new_user(&email, &invitation, acceptance).await?;
    let account = Account {
        tenant: token.tenant,
        user: user.id,
        role: user.role,
    };

    let now = Utc::now().trunc_subsecs(6);
    let mut tx = db::begin_directory(&app.platform.db).await?;
    logins::insert(&mut tx, account.tenant, user.id, &email.key)
        .await
        .on_constraint("logins_pkey", email_taken())?;
    db::enter(&mut tx, account.tenant).await?;
    if !invitations::accept_once(&mut tx, account.tenant, invitation.id, now).await? {
        return Err(invalid().into());
    }
    users::insert(&mut tx, account.tenant, &user, now).await?;
    let tokens = session::start(&app, &mut tx, &account, now).await?;
    let object = format!("invitation:{}", invitation.id);
    let entry = crate::audit::of(user.id, "invitation.accept", object, now)
        .after(json!({ "user": user.id, "role": user.role }));
    audit::append(&mut tx, account.tenant, &entry).await?;
    tx.commit().await?;

    let user = User {
        id: user.id,
        email: user.email,
        tenant_id: account.tenant,
        created_at: now,
    };
    Ok((StatusCode::CREATED, Json(SignedUp { user, tokens })))
}

async fn find(app: &App, token: &Opaque) -> platform::Result<Invitation> {
    let mut tx = db::begin(&app.platform.db, token.tenant).await?;
    let id = InvitationId(token.id);
    let invitation = invitations::find_open(&mut tx, token.tenant, id, Utc::now()).await?;
    tx.commit().await?;
    let invitation = invitation.filter(|it| token.matches(&it.token_hash));
    Ok(invitation.ok_or_else(invalid)?)
}

async fn new_user(
    email: &Email,
    invitation: &Invitation,
    acceptance: Acceptance,
) -> schema::Result<NewUser> {
    let name = acceptance
        .name
        .map(|it| input::name("/name", &it))
        .transpose()?;
    password::check(&acceptance.password, &[&email.key, email.local_part()])?;
    Ok(NewUser {
        id: UserId(Uuid::now_v7()),
        email: email.typed.clone(),
        name,
        password_hash: password::hash(acceptance.password).await?,
        role: invitation.role.parse()?,
    })
}

fn invalid() -> Error {
    Error::BadRequest("the invitation is not valid (any more): ask for a new one".to_owned())
}
