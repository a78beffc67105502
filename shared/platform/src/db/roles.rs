//! The roles that sign in to the database.
//!
//! **Invariant:** no statement has a password in it: the database is told SCRAM's verifier, so
//! that its log cannot tell more.

use std::num::NonZeroU32;

use anyhow::ensure;
use aws_lc_rs::{digest, hmac, pbkdf2, rand};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor};

use super::{ConnectOptions, Connection};
use crate::secrets::Key;

/// PostgreSQL's own number.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("it is not zero");

/// What a login role is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// To sign people in: the directory, people, sessions, keys, and a tenant's rows.
    Auth,
    /// To answer requests: a tenant's rows.
    Api,
    /// To work on jobs: a tenant's rows, the queue, and what is over its time.
    Worker,
    /// All of it, for the local platform, which is every function at once.
    Local,
}

impl Class {
    /// The roles that a login role of the class is a member of. A migration says what they may do.
    pub const fn roles(self) -> &'static [&'static str] {
        match self {
            Class::Auth => &["autonomos_accounts"],
            Class::Api => &["autonomos_app"],
            Class::Worker => &["autonomos_app", "autonomos_queue", "autonomos_sweeper"],
            Class::Local => &["autonomos_accounts", "autonomos_queue", "autonomos_sweeper"],
        }
    }
}

/// The roles that own nothing and that login roles are members of, as the migrations make them.
const GROUPS: [&str; 4] = [
    "autonomos_app",
    "autonomos_accounts",
    "autonomos_queue",
    "autonomos_sweeper",
];

/// Refuses a role that cannot make the tables and the roles that sign in, and says what to grant:
/// roles are the cluster's, so another platform in it may have made some of them.
pub(super) async fn require_owner(conn: &mut Connection) -> anyhow::Result<()> {
    let missing: Vec<String> = sqlx::query_scalar(
        r#"
        select format(wanted.form, current_user)
        from pg_roles me, lateral (
          select 0 n, 'alter role %I createrole' form where not me.rolcreaterole
          union all
          select 1, 'grant usage, create on schema public to %I'
          where not has_schema_privilege('public', 'create')
          union all
          -- Before PostgreSQL 16, whoever may make roles may grant each of them.
          select 2, 'grant ' || string_agg(rolname, ', ' order by rolname) || ' to %I with admin option'
          from pg_roles
          where rolname = any($1) and not pg_has_role(oid, 'member with admin option')
            and current_setting('server_version_num')::integer >= 160000
          having count(*) > 0
        ) wanted
        where me.rolname = current_user and not me.rolsuper
        order by wanted.n
        "#,
    )
    .bind(GROUPS)
    .fetch_all(conn)
    .await?;
    ensure!(
        missing.is_empty(),
        "the database's user may not make the platform's tables and login roles: let a superuser \
         run `{};` there",
        missing.join("; ")
    );
    Ok(())
}

/// Lets a role sign in for a class, as the owner of the tables. It is made where it does not exist;
/// where nothing asks for passwords, it needs none.
///
/// # Errors
/// Where the role may do more than its class.
pub async fn admit(
    conn: &mut Connection,
    name: &str,
    class: Class,
    password: Option<&str>,
) -> anyhow::Result<()> {
    let mut tx = conn.begin().await?;
    // Two that change one role at once would fail.
    tx.execute("select pg_advisory_xact_lock(hashtext('autonomos login roles'))")
        .await?;
    if !exists(&mut tx, name).await? {
        run(&mut tx, "create role %1$I login", name, "").await?;
    }
    let wider: bool = sqlx::query_scalar(
        r#"
        select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
          or exists (
            select
            from pg_auth_members m
            where m.member = r.oid
              and m.roleid <> all (select oid from pg_roles where rolname = any($2))
          )
        from pg_roles r
        where rolname = $1
        "#,
    )
    .bind(name)
    .bind(class.roles())
    .fetch_one(&mut *tx)
    .await?;
    ensure!(
        !wider,
        "the role `{name}` may do more than a function needs: name another one in its secret"
    );
    for role in class.roles() {
        if !is_member(&mut tx, name, role).await? {
            run(&mut tx, "grant %2$I to %1$I", name, role).await?;
        }
    }
    if let Some(password) = password {
        update_password(&mut tx, name, password).await?;
    }
    Ok(tx.commit().await?)
}

/// Lets the local platform sign in to the database that its owner is connected to, and says how.
///
/// Roles are the cluster's, so each database has one of its own there. Its password is the same at
/// each start, as another process may work on the same rows with the same keys.
///
/// # Errors
/// Where the owner may not make roles.
pub async fn admit_local(
    conn: &mut Connection,
    owner: ConnectOptions,
    key: &Key,
) -> anyhow::Result<ConnectOptions> {
    let name: String = sqlx::query_scalar(
        "select 'autonomos_local_' || oid from pg_database where datname = current_database()",
    )
    .fetch_one(&mut *conn)
    .await?;
    let password = BASE64_STANDARD.encode(key.mac("login role", &[name.as_bytes()]));
    admit(conn, &name, Class::Local, Some(&password)).await?;
    Ok(owner.username(&name).password(&password))
}

async fn exists(conn: &mut Connection, name: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(name)
        .fetch_one(conn)
        .await
}

async fn is_member(conn: &mut Connection, name: &str, role: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("select pg_has_role($1, $2, 'member')")
        .bind(name)
        .bind(role)
        .fetch_one(conn)
        .await
}

/// Signs in.
pub async fn connect(options: &ConnectOptions) -> sqlx::Result<Connection> {
    options.connect().await
}

/// Asks for a sign of life.
pub async fn ping(conn: &mut Connection) -> sqlx::Result<()> {
    conn.ping().await
}

/// Makes a role that works as another one: what it makes belongs to that one too.
pub async fn insert_once(conn: &mut Connection, name: &str, base: &str) -> sqlx::Result<()> {
    if !exists(conn, name).await? {
        let form = "create role %1$I login in role %2$I; alter role %1$I set role to %2$I";
        run(conn, form, name, base).await?;
    }
    Ok(())
}

/// Gives a role another password, for new connections.
pub async fn update_password(
    conn: &mut Connection,
    name: &str,
    password: &str,
) -> sqlx::Result<()> {
    let form = "alter role %1$I password %2$L";
    let mut salt = [0; 16];
    rand::fill(&mut salt).expect("the system's randomness is there");
    run(conn, form, name, &verifier(password, &salt)).await
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
