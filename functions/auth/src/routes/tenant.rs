//! The organisation itself.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use platform::db::{accounts, ended_tenants};
use platform::deadline::Deadline;
use platform::extract::Query;
use platform::{Admin, Routes, routes};
use schema::Error;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::App;
use crate::db::tenants;

/// How long a request deletes rows. What is left, the next sweeps delete.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn router() -> Routes<App> {
    Routes::new().routes(routes!(delete))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// The organisation's name, to the letter.
    #[param(example = "Acme")]
    name: String,
}

/// Deletes the organisation with all its people, keys, connections and records, for good.
///
/// Nobody signs in from here on. Its data key is deleted at once, and with it the secrets of its
/// connections; many rows may take the next minutes. An API key cannot do that.
#[utoipa::path(delete, path = "/api/v1/auth/tenant", tag = "auth", params(Confirmation),
    operation_id = "tenant.delete", security(("bearer" = ["admin"])),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    Admin(caller): Admin,
    Query(confirmation): Query<Confirmation>,
) -> platform::Result<StatusCode> {
    if caller.api_key.is_some() {
        let detail = "an API key cannot delete its organisation: sign in as an admin";
        return Err(Error::Forbidden(detail).into());
    }
    let mut tx = accounts::begin(&app.platform.db, caller.tenant).await?;
    if !tenants::end(&mut tx, caller.tenant, &confirmation.name).await? {
        let detail = "is not the organisation's name: give its name to the letter to delete it";
        return Err(Error::invalid("?name", detail).into());
    }
    tx.commit().await?;
    // Its audit log goes with it: this line is what remains.
    tracing::warn!(
        tenant.id = %caller.tenant, actor = caller.actor(),
        "the tenant `{}` was deleted", confirmation.name
    );
    let purged = ended_tenants::purge(&app.platform.db, Deadline::after(PATIENCE)).await;
    if let Err(error) = purged {
        tracing::error!(
            ?error,
            "rows of a deleted tenant are left to the next sweep"
        );
    }
    Ok(StatusCode::NO_CONTENT)
}
