//! The roles that sign in to the database.
//!
//! **Invariant:** no statement has a password in it: the database is told SCRAM's verifier, so
//! that its log cannot tell more.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use platform::db::{ConnectOptions, Connection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor};

use crate::opaque_token::random;

/// PostgreSQL's own number.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("it is not zero");

pub(crate) async fn connect(options: &ConnectOptions) -> sqlx::Result<Connection> {
    options.connect().await
}

pub(crate) async fn ping(conn: &mut Connection) -> sqlx::Result<()> {
    conn.ping().await
}

/// Makes a role that works as another one: what it makes belongs to that one too.
pub(crate) async fn insert_once(conn: &mut Connection, name: &str, base: &str) -> sqlx::Result<()> {
    let known: Option<i32> = sqlx::query_scalar("select 1 from pg_roles where rolname = $1")
        .bind(name)
        .fetch_optional(&mut *conn)
        .await?;
    if known.is_none() {
        let form = "create role %1$I login in role %2$I; alter role %1$I set role to %2$I";
        run(conn, form, name, base).await?;
    }
    Ok(())
}

pub(crate) async fn update_password(
    conn: &mut Connection,
    name: &str,
    password: &str,
) -> sqlx::Result<()> {
    let form = "alter role %1$I password %2$L";
    run(conn, form, name, &verifier(password, &random()[..16])).await
}

/// Runs a statement that takes no parameters, quoted by the database itself.
async fn run(conn: &mut Connection, form: &str, first: &str, second: &str) -> sqlx::Result<()> {
    let statement: String = sqlx::query_scalar("select format($1, $2, $3)")
        .bind(form)
        .bind(first)
        .bind(second)
        .fetch_one(&mut *conn)
        .await?;
    conn.execute(sqlx::raw_sql(AssertSqlSafe(statement)))
        .await?;
    Ok(())
}

/// What PostgreSQL keeps of a password (RFC 5803). The password is ASCII.
fn verifier(password: &str, salt: &[u8]) -> String {
    let mut salted = [0; 32];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(
        algorithm,
        ITERATIONS,
        salt,
        password.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client = hmac::sign(&key, b"Client Key");
    let stored = digest::digest(&digest::SHA256, client.as_ref());
    let server = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        BASE64_STANDARD.encode(salt),
        BASE64_STANDARD.encode(stored),
        BASE64_STANDARD.encode(server),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_is_that_of_rfc_7677() {
        let salt = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = verifier("pencil", &salt);
        assert_eq!(
            verifier,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
             WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }
}
