//! Whether who makes keys, invitations and admins may still do so.
//!
//! **Invariant:** what an admin grants is written under the lock on the admin's row. Disabling and
//! demoting take it too, so that they either see the grant and end it, or are seen by it.

use platform::Caller;
use platform::db::Connection;
use schema::{Error, Result, Role, TenantId, UserId};

use crate::db::{api_keys, users};

/// Whether the person is an enabled admin, and stays so until the transaction ends.
pub(crate) async fn lock_admin(
    conn: &mut Connection,
    tenant: TenantId,
    id: UserId,
) -> platform::Result<bool> {
    let user = users::lock(conn, tenant, id).await?;
    Ok(user.is_some_and(|it| it.disabled_at.is_none() && it.role == Role::Admin.as_str()))
}

/// Refuses a caller who was disabled, demoted or whose key was revoked since the request began;
/// neither can happen now until the transaction ends.
pub(crate) async fn lock_caller(conn: &mut Connection, caller: &Caller) -> platform::Result<()> {
    let admin = lock_admin(conn, caller.tenant, caller.user).await?;
    check(admin)?;
    if let Some(key) = caller.api_key {
        check(api_keys::lock_live(conn, caller.tenant, key).await?)?;
    }
    Ok(())
}

fn check(holds: bool) -> Result<()> {
    if holds {
        return Ok(());
    }
    Err(Error::Forbidden(
        "you are no longer an admin: ask another admin to do this",
    ))
}
