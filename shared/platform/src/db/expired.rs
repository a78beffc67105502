//! What is over its time and can be forgotten.
//!
//! **Invariant:** in a transaction of [`super::begin_sweep`], row-level security shows expired rows
//! only, so a statement without a condition deletes what the migration calls expired.

use super::Connection;

/// Forgets up to `most` rows of each kind: kept answers, refresh tokens, invitations, resets of
/// passwords, counters, addresses of sign-ins. Says how many there were at most of one kind.
pub async fn delete(conn: &mut Connection, most: i64) -> sqlx::Result<u64> {
    let answers = sqlx::query!(
        "delete from idempotency_keys where ctid = any (array(select ctid from idempotency_keys limit $1))",
        most,
    );
    let tokens = sqlx::query!(
        "delete from refresh_tokens where ctid = any (array(select ctid from refresh_tokens limit $1))",
        most,
    );
    let invitations = sqlx::query!(
        "delete from invitations where ctid = any (array(select ctid from invitations limit $1))",
        most,
    );
    let resets = sqlx::query!(
        "delete from password_resets where ctid = any (array(select ctid from password_resets limit $1))",
        most,
    );
    let counters = sqlx::query!(
        "delete from rate_limits where ctid = any (array(select ctid from rate_limits limit $1))",
        most,
    );
    let addresses = sqlx::query!(
        "delete from sign_in_addresses where ctid = any (array(select ctid from sign_in_addresses limit $1))",
        most,
    );
    let answers = answers.execute(&mut *conn).await?.rows_affected();
    let tokens = tokens.execute(&mut *conn).await?.rows_affected();
    let invitations = invitations.execute(&mut *conn).await?.rows_affected();
    let resets = resets.execute(&mut *conn).await?.rows_affected();
    let counters = counters.execute(&mut *conn).await?.rows_affected();
    let addresses = addresses.execute(conn).await?.rows_affected();
    let most_of_one = [answers, tokens, invitations, resets, counters, addresses];
    Ok(most_of_one.into_iter().fold(0, u64::max))
}
