//! What an access token says.

use schema::{Role, Scope, TenantId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The `typ` of an access token (RFC 9068).
pub const TYPE: &str = "at+jwt";

/// The claims of an access token. Times are seconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// The user's id.
    pub sub: UserId,
    /// The user's id again, where the original's clients look for it.
    pub user_id: UserId,
    /// Whose rows it opens.
    pub tenant_id: TenantId,
    /// What the user was when it was signed.
    pub role: Role,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Signed at.
    pub iat: i64,
    /// Not good before.
    pub nbf: i64,
    /// Good until.
    pub exp: i64,
    /// How often the user's tokens had been ended when it was signed. Absent: never.
    #[serde(default)]
    pub epoch: i32,
    /// Its own id.
    pub jti: Uuid,
}
