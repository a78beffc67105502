//! What is over its time and can be forgotten.
//!
//! **Invariant:** in a transaction of [`super::begin_sweep`], row-level security shows expired rows
//! only, so a statement without a condition deletes what the migration calls expired.

use super::Connection;

/// Forgets up to `most` rows of each kind: kept answers, refresh tokens, invitations. Says how
/// many there were at most of one kind.
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
    let answers = answers.execute(&mut *conn).await?.rows_affected();
    let tokens = tokens.execute(&mut *conn).await?.rows_affected();
    let invitations = invitations.execute(conn).await?.rows_affected();
    Ok(answers.max(tokens).max(invitations))
}
