//! Invitations: the open ones, withdrawing, accepting.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use platform::audit::{self, Entry};
use platform::client_address::ClientAddress;
use platform::db::accounts;
use platform::extract::{Json, Path};
use platform::limit::Class;
use platform::page::{Keyset, List};
use platform::{Admin, Routes, routes};
use schema::{Error, InvitationId, Role, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::register::{SignedUp, User, take_email};
use crate::App;
use crate::db::invitations::{self, Invitation};
use crate::db::users::{self, NewUser};
use crate::input::{self, Email};
use crate::opaque_token::OpaqueToken;
use crate::token::Account;
use crate::{maker, password, session};

pub(super) fn router() -> Routes<App> {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(delete))
        .routes(routes!(accept))
}

/// An invitation that can still be accepted. Its token was shown once.
#[derive(Serialize, ToSchema)]
struct Open {
    id: InvitationId,
    email: String,
    role: Role,
    invited_by: UserId,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Invitations in the order in which they were created.
#[derive(Serialize, ToSchema)]
struct Invitations {
    invitations: Vec<Open>,
    /// Send it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

impl Keyset for Open {
    type Key = Uuid;

    fn keyset(&self) -> Uuid {
        self.id.0
    }
}

impl TryFrom<Invitation> for Open {
    type Error = Error;
    fn try_from(row: Invitation) -> schema::Result<Open> {
        Ok(Open {
            id: row.id,
            email: row.email,
            role: row.role.parse()?,
            invited_by: row.invited_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    }
}

/// An invitation's token, and what the person adds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"token": "the token of the invitation", "name": "Bob", "password": "seven otters juggle plums"})))]
struct Acceptance {
    token: String,
    /// What the person is called.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// At least 12 characters, and not a common password.
    #[schema(format = Password, min_length = 12, max_length = 1024)]
    password: String,
}

/// The invitations that can still be accepted.
#[utoipa::path(get, path = "/api/v1/auth/invitations", tag = "auth", params(List<Open>),
    operation_id = "invitations.list",
    security(("bearer" = ["admin"])), responses((status = 200, body = Invitations)))]
async fn list(
    State(app): State<App>,
    Admin(caller): Admin,
    list: List<Open>,
) -> platform::Result<Json<Invitations>> {
    let (tenant, now) = (caller.tenant, platform::now());
    let mut tx = accounts::read(&app.platform.db, tenant).await?;
    let rows = invitations::list_open(&mut tx, tenant, now, &list.page).await?;
    let rows = rows.into_iter().map(Open::try_from);
    let mut invitations = rows.collect::<schema::Result<_>>()?;
    let next_cursor = list.next_cursor(&mut invitations);
    Ok(Json(Invitations {
        invitations,
        next_cursor,
    }))
}

/// Withdraws an invitation that was not accepted.
#[utoipa::path(delete, path = "/api/v1/auth/invitations/{id}", tag = "auth",
    operation_id = "invitations.delete",
    params(("id" = InvitationId, Path)), security(("bearer" = ["admin"])),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<InvitationId>,
) -> platform::Result<StatusCode> {
    let mut tx = accounts::begin(&app.platform.db, caller.tenant).await?;
    if !invitations::delete_open(&mut tx, caller.tenant, id).await? {
        return Err(Error::NotFound { what: "invitation" }.into());
    }
    let entry = Entry::new(&caller, "invitation.withdraw", format!("invitation:{id}"));
    audit::append(&mut tx, caller.tenant, &entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes the invited person a user of the organisation and signs them in.
#[utoipa::path(post, path = "/api/v1/auth/invitations/accept", tag = "auth",
    operation_id = "invitations.accept",
    request_body = Acceptance, responses((status = 201, body = SignedUp)))]
async fn accept(
    State(app): State<App>,
    address: ClientAddress,
    Json(acceptance): Json<Acceptance>,
) -> platform::Result<(StatusCode, Json<SignedUp>)> {
    let Some((token, invitation)) = find(&app, &acceptance.token).await? else {
        return Err(app
            .refuse_token(Class::SignIn, address, invalid())
            .await
            .into());
    };
    let email = Email::parse(&invitation.email)?;
    let user = new_user(&email, &invitation, acceptance).await?;
    let account = Account {
        tenant: token.tenant,
        user: user.id,
        role: user.role,
        epoch: 0,
    };

    let now = platform::now();
    let mut tx = accounts::begin_directory(&app.platform.db).await?;
    take_email(&mut tx, (account.tenant, user.id), &email.keys()).await?;
    accounts::enter(&app.platform.db, &mut tx, account.tenant).await?;
    if !maker::lock_admin(&mut tx, account.tenant, invitation.invited_by).await? {
        return Err(void().into());
    }
    if !invitations::accept_once(&mut tx, account.tenant, invitation.id, now).await? {
        return Err(invalid().into());
    }
    users::insert(&mut tx, account.tenant, &user, now).await?;
    let tokens = session::start(&app, &mut tx, &account, address, now).await?;
    let what = ("invitation.accept", format!("invitation:{}", invitation.id));
    let entry = crate::audit::of(&app.platform, user.id, what, now)
        .await?
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

/// What the token is of; none where it is not valid.
async fn find(app: &App, token: &str) -> platform::Result<Option<(OpaqueToken, Invitation)>> {
    let Some(token) = OpaqueToken::parse(token) else {
        return Ok(None);
    };
    let mut tx = accounts::begin(&app.platform.db, token.tenant).await?;
    let id = InvitationId(token.id);
    let invitation = invitations::find_open(&mut tx, token.tenant, id, platform::now()).await?;
    tx.commit().await?;
    let invitation = invitation.filter(|it| token.matches(&it.token_hash));
    Ok(invitation.map(|it| (token, it)))
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
    let own_words = [email.key.as_str(), email.local_part()];
    password::check("/password", &acceptance.password, &own_words)?;
    Ok(NewUser {
        id: UserId(Uuid::now_v7()),
        email: email.typed.clone(),
        name,
        password_hash: password::hash(acceptance.password).await?,
        role: invitation.role.parse()?,
    })
}

fn void() -> Error {
    let detail =
        "the person who invited you is no longer an admin: ask another admin for an invitation";
    Error::BadRequest(detail.to_owned())
}

fn invalid() -> Error {
    Error::BadRequest("the invitation is not valid (any more): ask for a new one".to_owned())
}
