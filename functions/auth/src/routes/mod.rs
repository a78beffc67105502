//! The routes, by resource.

mod api_keys;
mod discovery;
mod invitations;
mod legacy;
mod me;
mod register;
mod session;
mod users;

use platform::cursor;
use platform::secrets::Key;
use schema::{Error, Result, TenantId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::App;

pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(register::router())
        .merge(session::router())
        .merge(me::router())
        .merge(users::router())
        .merge(invitations::router())
        .merge(api_keys::router())
        .merge(discovery::router())
        .merge(legacy::router())
}

/// Which part of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// 1 to 1000; 100 if absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl Page {
    /// How many rows are asked for.
    fn limit(&self) -> Result<usize> {
        match self.limit.unwrap_or(100) {
            limit @ 1..=1000 => Ok(limit.into()),
            _ => Err(Error::invalid("?limit", "is between 1 and 1000")),
        }
    }

    /// The id behind which the page begins.
    fn after(&self, key: &Key, scope: &cursor::Scope<'_>) -> Result<Option<Uuid>> {
        let cursor = self.cursor.as_deref();
        cursor.map(|it| cursor::open(key, scope, it)).transpose()
    }
}

fn by_id(tenant: TenantId, route: &str) -> cursor::Scope<'_> {
    cursor::Scope {
        tenant,
        route,
        order: "id",
    }
}
