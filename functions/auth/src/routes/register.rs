//! Registering an organisation with its first admin.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use platform::client_address::ClientAddress;
use platform::db::{OnConstraint, Transaction, accounts};
use platform::extract::Json;
use platform::limit::Class;
use platform::{Routes, audit, routes};
use schema::{Error, Role, TenantId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::db::users::{self, NewUser};
use crate::db::{logins, tenants};
use crate::input::{self, Email};
use crate::password;
use crate::session::{self, Tokens};
use crate::token::Account;

pub(super) fn router() -> Routes<App> {
    Routes::new().routes(routes!(create))
}

/// An organisation and its first admin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "Acme", "email": "ada@acme.example", "password": "seven otters juggle plums"})))]
pub(super) struct NewTenant {
    /// The organisation's name: 1 to 200 characters, not taken.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    #[schema(format = Email)]
    email: String,
    /// At least 12 characters, and not a common password.
    #[schema(format = Password, min_length = 12, max_length = 1024)]
    password: String,
}

/// A user who was registered now.
#[derive(Serialize, ToSchema)]
#[schema(as = RegisteredUser)]
pub(super) struct User {
    pub(super) id: UserId,
    pub(super) email: String,
    pub(super) tenant_id: TenantId,
    pub(super) created_at: DateTime<Utc>,
}

/// A user who was registered now, signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedUp {
    pub(super) user: User,
    #[serde(flatten)]
    pub(super) tokens: Tokens,
}

/// Registers an organisation and signs its first admin in.
#[utoipa::path(post, path = "/api/v1/auth/register", tag = "auth", request_body = NewTenant,
    operation_id = "register.create", responses((status = 201, body = SignedUp)))]
async fn create(
    State(app): State<App>,
    address: ClientAddress,
    Json(new): Json<NewTenant>,
) -> platform::Result<(StatusCode, Json<SignedUp>)> {
    app.limit_address(Class::SignIn, "register", address)
        .await?;
    let (mut tx, user) = insert(&app, new).await?;
    let account = Account {
        tenant: user.tenant_id,
        user: user.id,
        role: Role::Admin,
        epoch: 0,
    };
    let tokens = session::start(&app, &mut tx, &account, address, user.created_at).await?;
    finish(&app, tx, &user).await?;
    Ok((StatusCode::CREATED, Json(SignedUp { user, tokens })))
}

/// Inserts the tenant and its admin in a transaction, which stays open under the tenant's lock.
pub(super) async fn insert(app: &App, new: NewTenant) -> platform::Result<(Transaction, User)> {
    if !app.platform.open_registration {
        return Err(CLOSED.into());
    }
    let name = input::name("/name", &new.name)?;
    let email = Email::parse(&new.email)?;
    password::check(
        "/password",
        &new.password,
        &[&email.key, email.local_part(), &name],
    )?;
    let keys = email.keys();
    let admin = NewUser {
        id: UserId(Uuid::now_v7()),
        email: email.typed,
        name: None,
        password_hash: password::hash(new.password).await?,
        role: Role::Admin,
    };
    let (tenant, now) = (TenantId(Uuid::now_v7()), platform::now());

    let mut tx = accounts::begin_directory(&app.platform.db).await?;
    take_email(&mut tx, (tenant, admin.id), &keys).await?;
    tenants::insert(&mut tx, tenant, &name)
        .await
        .on_constraint("tenants_name_key", name_taken())?;
    accounts::enter(&app.platform.db, &mut tx, tenant).await?;
    users::insert(&mut tx, tenant, &admin, now).await?;
    let user = User {
        id: admin.id,
        email: admin.email,
        tenant_id: tenant,
        created_at: now,
    };
    Ok((tx, user))
}

/// Writes the registration into the tenant's audit log and commits it.
pub(super) async fn finish(app: &App, mut tx: Transaction, user: &User) -> platform::Result<()> {
    let tenant = user.tenant_id;
    let what = ("tenant.register", format!("tenant:{tenant}"));
    let entry = crate::audit::of(&app.platform, user.id, what, user.created_at).await?;
    let entry = entry.after(serde_json::json!({ "user": user.id, "email": user.email }));
    audit::append(&mut tx, tenant, &entry).await?;
    Ok(tx.commit().await?)
}

/// Takes an address for somebody, given by its keys.
pub(super) async fn take_email(
    tx: &mut Transaction,
    (tenant, user): (TenantId, UserId),
    keys: &[String],
) -> platform::Result<()> {
    if logins::find(tx, keys).await?.is_some() {
        return Err(email_taken().into());
    }
    let taken = logins::insert(tx, tenant, user, &keys[0]).await;
    taken.on_constraint("logins_pkey", email_taken())
}

const CLOSED: Error =
    Error::Forbidden("organisations are not registered here: ask an admin of yours to invite you");

fn email_taken() -> Error {
    Error::BadRequest("Email already registered".to_owned())
}

fn name_taken() -> Error {
    let detail = "Organization name already exists. Please choose a different name.";
    Error::BadRequest(detail.to_owned())
}
