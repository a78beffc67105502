//! Who is calling.

use chrono::{DateTime, Utc};
use platform::extract::Json;
use platform::{Caller, Reader, Routes, routes};
use schema::{Role, TenantId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;

pub(super) fn router() -> Routes<App> {
    Routes::new().routes(routes!(read))
}

/// The caller: a user, or an API key of one.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// The user, or the one who created the API key.
    id: UserId,
    /// None for an API key.
    email: Option<String>,
    tenant_id: TenantId,
    /// None for an API key.
    role: Option<Role>,
    /// When the person joined; none for an API key.
    created_at: Option<DateTime<Utc>>,
}

impl From<Caller> for Me {
    fn from(caller: Caller) -> Me {
        Me {
            id: caller.user,
            email: caller.api_key.is_none().then_some(caller.email),
            tenant_id: caller.tenant,
            role: caller.role,
            created_at: caller.created_at,
        }
    }
}

/// The caller: the user or the API key that signed the request.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "auth", security(("bearer" = ["read"])),
    operation_id = "me.read", responses((status = 200, body = Me)))]
async fn read(Reader(caller): Reader) -> Json<Me> {
    Json(caller.into())
}
