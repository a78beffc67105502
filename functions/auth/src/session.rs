//! Sessions: a family of refresh tokens, each the child of the one before.
//!
//! A refresh token is good once. Used a second time it is in two hands, and the family dies;
//! except within ten seconds, when it is a client that repeats itself or has two tabs: that
//! one gets the same child again.

use chrono::{DateTime, TimeDelta, Utc};
use platform::client_address::ClientAddress;
use platform::db::Connection;
use platform::secrets::KeyRing;
use schema::{TenantId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::refresh_tokens::{self as rows, RefreshToken};
use crate::db::{sign_in_addresses, users};
use crate::opaque_token::OpaqueToken;
use crate::token::{self, Account};
use crate::{App, attempt};

const LIFETIME: TimeDelta = TimeDelta::days(30);
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// The tokens of a session.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// Send it as `Authorization: Bearer <access_token>`.
    access_token: String,
    /// Good once, until 30 days after the sign-in, at `/api/v1/auth/refresh`.
    refresh_token: String,
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
}

/// What came of a refresh token.
pub(crate) enum RefreshOutcome {
    Refreshed(Tokens),
    /// It is not valid, and nothing was changed.
    Refused,
    /// It was used before: its family is revoked.
    Reused(UserId),
}

/// Starts a session, a new family, and notes from where.
pub(crate) async fn start(
    app: &App,
    conn: &mut Connection,
    account: &Account,
    address: ClientAddress,
    now: DateTime<Utc>,
) -> platform::Result<Tokens> {
    if let Some(hash) = attempt::address_hash(account.user, address) {
        sign_in_addresses::upsert(conn, account.tenant, account.user, &hash, now).await?;
    }
    let token = OpaqueToken::new(account.tenant, Uuid::now_v7());
    rows::delete_expired(conn, account.tenant, account.user, now).await?;
    rows::insert(conn, account.tenant, &first(&token, account.user, now)).await?;
    tokens(app, account, &token, now).await
}

/// Trades a refresh token for its child.
pub(crate) async fn refresh(
    app: &App,
    conn: &mut Connection,
    token: &OpaqueToken,
    now: DateTime<Utc>,
) -> platform::Result<RefreshOutcome> {
    // The lock on the person comes first: then one refresh of theirs runs at a time, and
    // disabling them, which takes it too, misses no token.
    let Some(user) = users::lock_of_token(conn, token.tenant, token.id).await? else {
        return Ok(RefreshOutcome::Refused);
    };
    let Some(parent) = rows::find(conn, token.tenant, token.id).await? else {
        return Ok(RefreshOutcome::Refused);
    };
    if user.disabled || !token.matches(&parent.token_hash) {
        return Ok(RefreshOutcome::Refused);
    }
    let account = Account {
        tenant: token.tenant,
        user: user.id,
        role: user.role.parse()?,
        epoch: user.token_epoch,
    };
    let secrets = app.platform.secrets.get().await?;
    let (child, known) = child(conn, token, &secrets.keys.signing).await?;
    match judge(&parent, known.as_ref(), now) {
        Verdict::Refuse => return Ok(RefreshOutcome::Refused),
        Verdict::Revoke => {
            rows::revoke_family(conn, token.tenant, parent.family_id, now).await?;
            // Whoever has the family's refresh tokens has its access tokens.
            users::end_tokens(conn, token.tenant, user.id).await?;
            return Ok(RefreshOutcome::Reused(user.id));
        }
        Verdict::Repeat => {}
        Verdict::Rotate => {
            rows::rotate(conn, token.tenant, parent.id, now).await?;
            let next = RefreshToken {
                family_id: parent.family_id,
                // However often it is refreshed, a session ends as its first token does.
                expires_at: parent.expires_at,
                ..first(&child, user.id, now)
            };
            rows::insert(conn, token.tenant, &next).await?;
        }
    }
    let tokens = tokens(app, &account, &child, now).await?;
    Ok(RefreshOutcome::Refreshed(tokens))
}

/// The token's child, and its row where it was handed out: by the current key, unless it was made
/// with another that was current a moment ago.
async fn child(
    conn: &mut Connection,
    token: &OpaqueToken,
    keys: &KeyRing,
) -> platform::Result<(OpaqueToken, Option<RefreshToken>)> {
    for key in keys.iter() {
        let child = token.child(key);
        if let Some(row) = rows::find(conn, token.tenant, child.id).await? {
            return Ok((child, Some(row)));
        }
    }
    Ok((token.child(keys.current()), None))
}

/// Ends the session that the token belongs to; none if it belongs to none that lives.
pub(crate) async fn end(
    conn: &mut Connection,
    token: &OpaqueToken,
    now: DateTime<Utc>,
) -> platform::Result<Option<UserId>> {
    // A refresh that runs at this moment ends first, so that its child is revoked too.
    users::lock_of_token(conn, token.tenant, token.id).await?;
    let Some(kept) = rows::find(conn, token.tenant, token.id).await? else {
        return Ok(None);
    };
    if !token.matches(&kept.token_hash) {
        return Ok(None);
    }
    let revoked = rows::revoke_family(conn, token.tenant, kept.family_id, now).await?;
    Ok((revoked > 0).then_some(kept.user_id))
}

/// Ends a person's sessions and access tokens. What is signed from now on is of the returned epoch.
pub(crate) async fn end_all(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
    now: DateTime<Utc>,
) -> platform::Result<i32> {
    rows::revoke_of_user(conn, tenant, user, now).await?;
    Ok(users::end_tokens(conn, tenant, user).await?)
}

fn first(token: &OpaqueToken, user: UserId, now: DateTime<Utc>) -> RefreshToken {
    RefreshToken {
        id: token.id,
        family_id: token.id,
        user_id: user,
        token_hash: token.hash().to_vec(),
        created_at: now,
        expires_at: now + LIFETIME,
        rotated_at: None,
        revoked_at: None,
    }
}

async fn tokens(
    app: &App,
    account: &Account,
    refresh: &OpaqueToken,
    now: DateTime<Utc>,
) -> platform::Result<Tokens> {
    let secrets = app.platform.secrets.get().await?;
    Ok(Tokens {
        access_token: app.signer.sign(&secrets, account, now)?,
        refresh_token: refresh.text(),
        token_type: "bearer",
        expires_in: token::LIFETIME.num_seconds(),
    })
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Rotate,
    Repeat,
    Refuse,
    Revoke,
}

fn judge(token: &RefreshToken, child: Option<&RefreshToken>, now: DateTime<Utc>) -> Verdict {
    if token.revoked_at.is_some() || token.expires_at <= now {
        return Verdict::Refuse;
    }
    let Some(rotated_at) = token.rotated_at else {
        return Verdict::Rotate;
    };
    let child_is_new = child.is_some_and(|it| it.rotated_at.is_none() && it.revoked_at.is_none());
    if child_is_new && now - rotated_at <= GRACE {
        Verdict::Repeat
    } else {
        Verdict::Revoke
    }
}

#[cfg(test)]
mod tests {
    use schema::TenantId;

    use super::*;

    /// A token in the state that the words say; `rotated 5` is rotated five seconds ago.
    fn in_state(words: &str, now: DateTime<Utc>) -> RefreshToken {
        let token = OpaqueToken::new(TenantId(Uuid::nil()), Uuid::nil());
        let mut row = first(&token, UserId(Uuid::nil()), now - TimeDelta::hours(1));
        match words.split_once(' ').unwrap_or((words, "")) {
            ("rotated", ago) => {
                row.rotated_at = Some(now - TimeDelta::seconds(ago.parse().unwrap()));
            }
            ("revoked", _) => row.revoked_at = Some(now),
            ("expired", _) => row.expires_at = now,
            _ => {}
        }
        row
    }

    fn check(token: &str, child: Option<&str>, expected: Verdict) {
        let now = Utc::now();
        let child = child.map(|it| in_state(it, now));
        let verdict = judge(&in_state(token, now), child.as_ref(), now);
        assert_eq!(verdict, expected, "{token}, child {child:?}");
    }

    #[test]
    fn a_token_is_good_once() {
        check("new", None, Verdict::Rotate);
        check("expired", None, Verdict::Refuse);
        check("revoked", None, Verdict::Refuse);
        check("rotated 60", Some("new"), Verdict::Revoke);
    }

    #[test]
    fn the_immediate_parent_has_ten_seconds() {
        check("rotated 0", Some("new"), Verdict::Repeat);
        check("rotated 10", Some("new"), Verdict::Repeat);
        check("rotated 11", Some("new"), Verdict::Revoke);
        check("rotated 5", Some("rotated 1"), Verdict::Revoke);
        check("rotated 5", Some("revoked"), Verdict::Revoke);
        check("rotated 5", None, Verdict::Revoke);
    }
}
