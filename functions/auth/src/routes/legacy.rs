//! The original's older names.

use axum::extract::State;
use platform::client_address::ClientAddress;
use platform::extract::Json;
use platform::limit::Class;
use platform::{Reader, Routes, routes};

use super::me::Me;
use super::register::{self, NewTenant, User};
use crate::App;

pub(super) fn router() -> Routes<App> {
    Routes::new().routes(routes!(create)).routes(routes!(read))
}

/// Registers an organisation. No token: sign in afterwards.
#[utoipa::path(post, path = "/users/register", tag = "auth", request_body = NewTenant,
    operation_id = "legacy.create", responses((status = 200, body = User)))]
async fn create(
    State(app): State<App>,
    address: ClientAddress,
    Json(new): Json<NewTenant>,
) -> platform::Result<Json<User>> {
    app.limit_address(Class::SignIn, "register", address)
        .await?;
    let (tx, user) = register::insert(&app, new).await?;
    register::finish(&app, tx, &user).await?;
    Ok(Json(user))
}

/// The caller: the user or the API key that signed the request.
#[utoipa::path(get, path = "/users/me", tag = "auth", security(("bearer" = ["read"])),
    operation_id = "legacy.read", responses((status = 200, body = Me)))]
async fn read(Reader(caller): Reader) -> Json<Me> {
    Json(caller.into())
}
