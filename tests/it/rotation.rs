//! Rotation: four steps, each of which may come again, while requests run.

use std::time::Duration;

use auth::rotate::{Event, Rotation};
use axum::body::Body;
use axum::http::Request;
use chrono::Utc;
use local::postgres::{Binaries, Profile, Server};
use platform::auth::Auth;
use platform::auth::Verifier;
use platform::config::{AUDIENCE, LOCAL_ISSUER, Realm};
use platform::limit::Limits;
use platform::secrets::{Document, RefreshingSecret, Secrets, Source, TTL};
use platform::{Config, Platform, db, http};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tests::app::{Answer, PASSWORD, Person, Setup, TestApp};
use tests::vault::Vault;
use tower::ServiceExt;
use uuid::Uuid;

const AUTH: &str = "arn:aws:secretsmanager:eu-west-1:1:secret:stack/auth-AbCdEf";
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
/// Read again at each request.
const AT_ONCE: Duration = Duration::ZERO;

/// A step of Secrets Manager, as recorded.
fn event(step: &str, secret: &str, token: &str) -> Event {
    let event = json!({
        "Step": step, "SecretId": secret, "ClientRequestToken": token,
        "RotationToken": "0198c1a2-0000-7000-8000-00000000000b",
    });
    serde_json::from_value(event).unwrap()
}

/// Takes the steps, each of them twice; `between` runs before each and after the last.
async fn rotate(rotation: &Rotation, vault: &Vault, secret: &str, between: impl AsyncFn(&str)) {
    let token = vault.begin_rotation(secret);
    for step in STEPS {
        between(step).await;
        for _ in 0..2 {
            let taken = rotation
                .take(&event(step, secret, &token), Utc::now())
                .await;
            taken.unwrap_or_else(|err| panic!("{step}: {err:#}"));
        }
    }
    between("the end").await;
}

fn live(vault: &Vault, id: &str, ttl: Duration) -> Secrets {
    RefreshingSecret::new(Source::Manager(vault.manager(id)), ttl)
}

fn document(vault: &Vault, id: &str) -> Document {
    serde_json::from_str(&vault.text(id, "AWSCURRENT").unwrap()).unwrap()
}

/// Another function over the app's database, which knows what its own secret says.
fn another(app: &TestApp, secrets: Secrets) -> axum::Router {
    let verifier = Verifier::new(LOCAL_ISSUER.to_owned(), AUDIENCE.to_owned());
    let config = Config {
        database: app.database().login().into(),
        database_connections: 1,
        redis: None,
        realm: Realm::default(),
        open_registration: true,
        auth: Auth::On(Box::new(verifier)),
        secrets,
        limits: Limits::default(),
        queue: app.platform.queue.clone(),
        jobs_per_tenant: platform::config::JOBS_PER_TENANT,
        storage: platform::storage::StorageQuota::default(),
        cors_origins: vec![],
        egress: schema::EgressPolicy::Any,
    };
    let platform = Platform::new(config).unwrap();
    http::serve(aam_connect::routes(platform.clone()), platform, "another")
}

async fn asks(function: &axum::Router, token: &str) -> u16 {
    let request = Request::get("/api/v1/aam/connections");
    let request = request.header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    let answer = Answer::read(function.clone().oneshot(request).await.unwrap()).await;
    answer.status.as_u16()
}

async fn log_in(app: &TestApp, person: &Person) -> String {
    let who = json!({ "email": person.email, "password": PASSWORD });
    let answer = app.post("/api/v1/auth/login", None, who).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn kid(token: &str) -> &str {
    token.split('.').next().unwrap()
}

#[tokio::test]
async fn no_request_fails_while_the_signing_key_rotates() {
    let vault = Vault::start().await;
    for secret in [AUTH, "connect", "query"] {
        vault.put(secret, "{}");
    }
    let public = vec!["connect".to_owned(), "query".to_owned()];
    let rotation = Rotation::new(vault.client(), AUTH.to_owned(), public);
    // The first one makes the keys.
    rotate(&rotation, &vault, AUTH, async |_| {}).await;

    let app = TestApp::with(Setup {
        secrets: live(&vault, AUTH, AT_ONCE),
        ..Setup::default()
    })
    .await;
    let ann = app.register("Ann Ltd").await;
    // One that follows at once, one that keeps what it knows, and one that does not ask before
    // the last moment.
    let quick = another(&app, live(&vault, "connect", AT_ONCE));
    let slow = another(&app, live(&vault, "query", TTL));
    assert_eq!(asks(&slow, &ann.token).await, 200);

    for round in 0..2 {
        let old = log_in(&app, &ann).await;
        rotate(&rotation, &vault, AUTH, async |step| {
            let new = log_in(&app, &ann).await;
            for token in [&ann.token, &old, &new] {
                for function in [&quick, &slow] {
                    assert_eq!(asks(function, token).await, 200, "{round} before {step}");
                }
            }
        })
        .await;
        assert_ne!(kid(&log_in(&app, &ann).await), kid(&old));
    }
    for secret in ["connect", "query"] {
        let theirs = document(&vault, secret);
        assert!(theirs.signing_key.is_none());
        assert_eq!(
            theirs.public_keys.len(),
            document(&vault, AUTH).public_keys.len()
        );
        assert!(
            !vault
                .text(secret, "AWSCURRENT")
                .unwrap()
                .contains("PRIVATE")
        );
    }
}

#[tokio::test]
async fn a_step_out_of_order_is_refused() {
    let vault = Vault::start().await;
    for secret in [AUTH, "connect", "broken"] {
        vault.put(secret, "{}");
    }
    let rotation = Rotation::new(vault.client(), AUTH.to_owned(), vec!["connect".to_owned()]);
    let check = async |step: &str, secret: &str, token: &str, expected: &str| {
        let taken = rotation.take(&event(step, secret, token), Utc::now()).await;
        let text = taken.map_or_else(|err| format!("{err:#}"), |()| "taken".to_owned());
        assert!(text.contains(expected), "{step}: {text}");
    };
    let token = vault.begin_rotation(AUTH);
    check(
        "createSecret",
        "nowhere",
        &token,
        "ResourceNotFoundException",
    )
    .await;
    check("createSecret", AUTH, "another", "has no version another").await;
    for step in &STEPS[1..] {
        check(step, AUTH, &token, "createSecret has not run").await;
    }
    check("createSecret", AUTH, &token, "taken").await;
    check(
        "testSecret",
        AUTH,
        &token,
        "connect: the document is malformed",
    )
    .await;
    check("setSecret", AUTH, &token, "taken").await;
    check("testSecret", AUTH, &token, "taken").await;
    // Begun anew: the one before is over.
    let next = vault.begin_rotation(AUTH);
    check("setSecret", AUTH, &token, "is not AWSPENDING").await;
    for step in STEPS {
        check(step, AUTH, &next, "taken").await;
    }
    check("createSecret", AUTH, &next, "taken").await;
    let unlike = vault.begin_rotation("broken");
    check("createSecret", "broken", &unlike, "has not the form of RDS").await;
}

/// A PostgreSQL that asks everybody but its superuser for a password.
async fn strict_server() -> (Server, PgConnectOptions) {
    let data = std::env::temp_dir().join(format!("pg-{}", Uuid::now_v7().simple()));
    let start = move || {
        let binaries = Binaries::find(None, &tests::dev(), &mut |it| eprintln!("{it}"))?;
        let server = Server::start(&binaries, &data, Profile::Disposable)?;
        let rules = "local all postgres trust\nlocal all all scram-sha-256\n";
        std::fs::write(data.join("pg_hba.conf"), rules)?;
        anyhow::Ok(server)
    };
    let server = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
    let options = server.options().unwrap().ssl_mode(PgSslMode::Disable);
    run(&options, "select pg_reload_conf()").await;
    (server, options)
}

/// The strict server with a role `app`, whose password `old` the secret `database` says.
async fn server_of_app(vault: &Vault) -> (Server, PgConnectOptions) {
    let (server, options) = strict_server().await;
    run(&options, "create role app login password 'old'").await;
    let host = options.get_socket().unwrap().to_str().unwrap();
    let secret = json!({ "username": "app", "password": "old", "host": host,
        "dbname": "postgres", "engine": "postgres" });
    vault.put("database", &secret.to_string());
    (server, options)
}

fn pool(vault: &Vault, options: &PgConnectOptions, ttl: Duration) -> db::Pool {
    let secret = RefreshingSecret::new(Source::Manager(vault.manager("database")), ttl);
    let at = Some(options.clone());
    db::Pool::new(db::Login::InSecret { at, secret }, 1)
}

async fn run(options: &PgConnectOptions, sql: &str) {
    let mut conn = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
}

/// Signs in with what the secret says at a stage: the role it logs in as, and the one it works as.
async fn signs_in(options: &PgConnectOptions, vault: &Vault, stage: &str) -> Option<[String; 2]> {
    let text = vault.text("database", stage)?;
    let secret: Value = serde_json::from_str(&text).unwrap();
    let options = options.clone().username(secret["username"].as_str()?);
    let mut conn = options
        .password(secret["password"].as_str()?)
        .connect()
        .await
        .ok()?;
    let sql = "select session_user::text, current_user::text";
    let (login, role) = sqlx::query_as(sql).fetch_one(&mut conn).await.unwrap();
    Some([login, role])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_rotates_and_the_pool_follows() {
    let vault = Vault::start().await;
    let (server, options) = server_of_app(&vault).await;
    let rotation = Rotation::new(vault.client(), AUTH.to_owned(), vec![]);
    let as_app = Some(["app".to_owned(), "app".to_owned()]);
    assert_eq!(signs_in(&options, &vault, "AWSCURRENT").await, as_app);

    let quick = pool(&vault, &options, AT_ONCE);
    let pool = pool(&vault, &options, TTL);
    drop(pool.acquire().await.unwrap());

    rotate(&rotation, &vault, "database", async |_| {}).await;
    assert_eq!(signs_in(&options, &vault, "AWSCURRENT").await, as_app);
    assert_eq!(signs_in(&options, &vault, "AWSPREVIOUS").await, None);
    // An open connection stays; a new one is refused with what is known, and asks for newer.
    pool.acquire().await.unwrap().close().await.unwrap();
    pool.acquire().await.unwrap().ping().await.unwrap();

    // With an administrator two roles take turns, and the one before stays good.
    vault.put("admin", r#"{ "username": "postgres", "password": "any" }"#);
    let mut secret: Value =
        serde_json::from_str(&vault.text("database", "AWSCURRENT").unwrap()).unwrap();
    secret["masterarn"] = json!("admin");
    vault.put("database", &secret.to_string());
    for login in ["app_clone", "app", "app_clone"] {
        rotate(&rotation, &vault, "database", async |_| {
            quick.acquire().await.unwrap().close().await.unwrap();
        })
        .await;
        let expected = Some([login.to_owned(), "app".to_owned()]);
        assert_eq!(signs_in(&options, &vault, "AWSCURRENT").await, expected);
        assert!(signs_in(&options, &vault, "AWSPREVIOUS").await.is_some());
    }
    tokio::task::spawn_blocking(|| server.stop())
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_opens_before_its_version_is_in_force() {
    let vault = Vault::start().await;
    let (server, options) = server_of_app(&vault).await;
    let rotation = Rotation::new(vault.client(), AUTH.to_owned(), vec![]);
    // Between setSecret and finishSecret only the pending password is right.
    let follows = pool(&vault, &options, TTL);
    rotate(&rotation, &vault, "database", async |step| {
        let acquired = follows.acquire().await;
        let conn = acquired.unwrap_or_else(|err| panic!("before {step}: {err}"));
        conn.close().await.unwrap();
    })
    .await;

    // Where neither is right, the database's refusal is the answer.
    let token = vault.begin_rotation("database");
    let step = event("createSecret", "database", &token);
    rotation.take(&step, Utc::now()).await.unwrap();
    run(&options, "alter role app password 'lost'").await;
    let refused = pool(&vault, &options, TTL).acquire().await.unwrap_err();
    let refused = refused.into_database_error().unwrap();
    assert_eq!(refused.code().as_deref(), Some("28P01"), "{refused}");
    tokio::task::spawn_blocking(|| server.stop())
        .await
        .unwrap()
        .unwrap();
}
