//! The people of the caller's tenant.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use platform::audit::{self, Entry};
use platform::db::{Connection, accounts};
use platform::extract::{Json, Path};
use platform::page::{Keyset, List};
use platform::{Admin, Caller, Routes, routes};
use schema::{Error, InvitationId, Role, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::db::invitations::{self, Invitation};
use crate::db::{api_keys, password_resets, refresh_tokens, users};
use crate::input::Email;
use crate::maker;
use crate::opaque_token::OpaqueToken;

pub(super) fn router() -> Routes<App> {
    Routes::new()
        .routes(routes!(list, invite))
        .routes(routes!(update))
}

const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);

/// A person of the tenant.
#[derive(Serialize, ToSchema)]
struct User {
    id: UserId,
    email: String,
    name: Option<String>,
    role: Role,
    disabled: bool,
    created_at: DateTime<Utc>,
}

/// Users in the order in which they joined.
#[derive(Serialize, ToSchema)]
struct Users {
    users: Vec<User>,
    /// Send it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// Whom to invite, and as what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"email": "bob@acme.example", "role": "member"})))]
struct NewInvitation {
    #[schema(format = Email)]
    email: String,
    role: Role,
}

/// An invitation. Nothing is sent: hand the token to the person.
#[derive(Serialize, ToSchema)]
struct Invited {
    id: InvitationId,
    email: String,
    role: Role,
    expires_at: DateTime<Utc>,
    /// Shown once. The person takes it to `/api/v1/auth/invitations/accept`.
    token: String,
}

/// Changes to a user; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"role": "viewer"})))]
struct UserChange {
    role: Option<Role>,
    disabled: Option<bool>,
}

impl Keyset for User {
    type Key = Uuid;

    fn keyset(&self) -> Uuid {
        self.id.0
    }
}

impl TryFrom<users::User> for User {
    type Error = Error;
    fn try_from(row: users::User) -> schema::Result<User> {
        Ok(User {
            id: row.id,
            email: row.email,
            name: row.name,
            role: row.role.parse()?,
            disabled: row.disabled_at.is_some(),
            created_at: row.created_at,
        })
    }
}

/// The users of the tenant.
#[utoipa::path(get, path = "/api/v1/auth/users", tag = "auth", params(List<User>),
    operation_id = "users.list",
    security(("bearer" = ["admin"])), responses((status = 200, body = Users)))]
async fn list(
    State(app): State<App>,
    Admin(caller): Admin,
    list: List<User>,
) -> platform::Result<Json<Users>> {
    let mut tx = accounts::read(&app.platform.db, caller.tenant).await?;
    let rows = users::list(&mut tx, caller.tenant, &list.page).await?;
    let rows = rows.into_iter().map(User::try_from);
    let mut users = rows.collect::<schema::Result<_>>()?;
    let next_cursor = list.next_cursor(&mut users);
    Ok(Json(Users { users, next_cursor }))
}

/// Invites a person. No mail is sent: the response holds the token, this once, for the admin to
/// pass on. It is valid for seven days.
#[utoipa::path(post, path = "/api/v1/auth/users", tag = "auth", request_body = NewInvitation,
    operation_id = "users.invite",
    security(("bearer" = ["admin"])), responses((status = 201, body = Invited)))]
async fn invite(
    State(app): State<App>,
    Admin(caller): Admin,
    Json(new): Json<NewInvitation>,
) -> platform::Result<(StatusCode, Json<Invited>)> {
    let email = Email::parse(&new.email)?;
    let keys = email.keys();
    let now = platform::now();
    let token = OpaqueToken::new(caller.tenant, Uuid::now_v7());
    let invitation = Invitation {
        id: InvitationId(token.id),
        email: email.typed,
        role: new.role.as_str().to_owned(),
        token_hash: token.hash().to_vec(),
        invited_by: caller.user,
        created_at: now,
        expires_at: now + INVITATION_LIFETIME,
    };
    let mut tx = accounts::begin(&app.platform.db, caller.tenant).await?;
    maker::lock_caller(&mut tx, &caller).await?;
    if users::has_email(&mut tx, caller.tenant, &keys).await? {
        return Err(Error::conflict("a user of this organisation has this e-mail").into());
    }
    invitations::insert(&mut tx, caller.tenant, &invitation).await?;
    let entry = Entry::new(
        &caller,
        "user.invite",
        format!("invitation:{}", invitation.id),
    )
    .after(json!({ "email": invitation.email, "role": new.role }));
    audit::append(&mut tx, caller.tenant, &entry).await?;
    tx.commit().await?;
    let invited = Invited {
        id: invitation.id,
        email: invitation.email,
        role: new.role,
        expires_at: invitation.expires_at,
        token: token.text(),
    };
    Ok((StatusCode::CREATED, Json(invited)))
}

/// Changes a person's role, or disables them.
///
/// Their access tokens end at once, and disabling ends all their sessions. API keys that they made and that may do more than
/// they may now are revoked with it, and so are the open invitations and password
/// resets of who is no admin any more.
/// One admin must remain: 409.
#[utoipa::path(patch, path = "/api/v1/auth/users/{id}", tag = "auth", request_body = UserChange,
    operation_id = "users.update", params(("id" = UserId, Path)), security(("bearer" = ["admin"])),
    responses((status = 200, body = User)))]
async fn update(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<UserId>,
    Json(change): Json<UserChange>,
) -> platform::Result<Json<User>> {
    if change.role.is_none() && change.disabled.is_none() {
        return Err(Error::invalid("", "must have `role`, `disabled` or both").into());
    }
    let mut tx = accounts::begin(&app.platform.db, caller.tenant).await?;
    let user = apply(&mut tx, &caller, id, &change).await?;
    tx.commit().await?;
    Ok(Json(user))
}

async fn apply(
    tx: &mut Connection,
    caller: &Caller,
    id: UserId,
    change: &UserChange,
) -> platform::Result<User> {
    let (tenant, now) = (caller.tenant, platform::now());
    // All admins first, in the order of their ids: two who demote each other wait in line.
    let admins = users::lock_admins(tx, tenant).await?;
    maker::lock_caller(tx, caller).await?;
    let mut row = users::lock(tx, tenant, id)
        .await?
        .ok_or(Error::NotFound { what: "user" })?;
    let before = json!({ "role": row.role, "disabled": row.disabled_at.is_some() });

    let role = change.role.map_or_else(|| row.role.parse(), Ok)?;
    role.as_str().clone_into(&mut row.role);
    row.disabled_at = match change.disabled {
        None => row.disabled_at,
        Some(true) => row.disabled_at.or(Some(now)),
        Some(false) => None,
    };
    let disabled = row.disabled_at.is_some();
    if admins == [id] && (role != Role::Admin || disabled) {
        return Err(Error::conflict("this is the last admin: make another one first").into());
    }

    users::update(tx, tenant, &row).await?;
    if disabled {
        refresh_tokens::revoke_of_user(tx, tenant, id, now).await?;
        password_resets::delete_for(tx, tenant, id).await?;
    }
    let scopes = if disabled { &[] } else { role.scopes() };
    let revoked = api_keys::revoke_beyond(tx, tenant, id, scopes, now).await?;
    let withdrawn = if role == Role::Admin && !disabled {
        vec![]
    } else {
        password_resets::delete_by(tx, tenant, id).await?;
        invitations::delete_open_of(tx, tenant, id).await?
    };
    let after = json!({
        "role": role,
        "disabled": disabled,
        "revoked_api_keys": revoked,
        "withdrawn_invitations": withdrawn,
    });
    let entry = Entry::new(caller, "user.update", format!("user:{id}"))
        .before(before)
        .after(after);
    audit::append(tx, tenant, &entry).await?;
    Ok(row.try_into()?)
}
