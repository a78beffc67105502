//! Registering, signing in, and what the original's own tests of it asked for.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Answer, PASSWORD, Person, Setup, TestApp};
use tests::fixtures::users::nobody;

fn new_tenant(name: &str, email: &str) -> Value {
    json!({ "name": name, "email": email, "password": PASSWORD })
}

async fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    app.post("/api/v1/auth/login", None, body).await
}

async fn legacy_register(app: &TestApp) -> Answer {
    let new = new_tenant("Acme", "Ada@Acme.example");
    app.post("/users/register", None, new).await
}

fn bearer(token: &str) -> Person {
    Person {
        token: token.to_owned(),
        ..nobody()
    }
}

#[tokio::test]
async fn the_legacy_route_registers_without_a_token() {
    let app = TestApp::start().await;
    let answer = legacy_register(&app).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    let body = answer.json();
    let mut fields: Vec<_> = body.as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["created_at", "email", "id", "tenant_id"]);
    assert_eq!(body["email"], "Ada@Acme.example");
}

#[tokio::test]
async fn an_email_registers_once_in_whatever_case() {
    let app = TestApp::start().await;
    assert_eq!(legacy_register(&app).await.status, StatusCode::OK);
    for (path, name) in [
        ("/users/register", "Other"),
        ("/api/v1/auth/register", "Other"),
        // Both are taken: the e-mail is the answer.
        ("/api/v1/auth/register", "Acme"),
    ] {
        let again = app
            .post(path, None, new_tenant(name, " ada@ACME.example "))
            .await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST, "{again}");
        assert_eq!(again.detail(), "Email already registered");
    }
    // The refused organisation was not left behind.
    let other = new_tenant("Other", "eve@other.example");
    let other = app.post("/api/v1/auth/register", None, other).await;
    assert_eq!(other.status, StatusCode::CREATED, "{other}");
}

#[tokio::test]
async fn an_organisation_registers_once_in_whatever_case() {
    let app = TestApp::start().await;
    app.register("Acme").await;
    let again = new_tenant("ACME", "eve@other.example");
    let again = app.post("/api/v1/auth/register", None, again).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "{again}");
    assert_eq!(
        again.detail(),
        "Organization name already exists. Please choose a different name."
    );
    // The e-mail of the refused registration is free.
    let other = new_tenant("Other", "eve@other.example");
    let other = app.post("/api/v1/auth/register", None, other).await;
    assert_eq!(other.status, StatusCode::CREATED, "{other}");
}

#[tokio::test]
async fn registering_twice_at_once_makes_one_tenant() {
    let app = TestApp::start().await;
    let register = || {
        let new = new_tenant("Acme", "ada@acme.example");
        app.post("/api/v1/auth/register", None, new)
    };
    let answers = tokio::join!(register(), register(), register());
    let mut statuses = [answers.0.status, answers.1.status, answers.2.status].map(|it| it.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400, 400]);
    let tenants: i64 = sqlx::query_scalar("select count(*) from tenants")
        .fetch_one(&app.database().pool())
        .await
        .unwrap();
    assert_eq!(tenants, 1);
}

#[tokio::test]
async fn a_registration_that_cannot_be_is_refused_by_field() {
    let app = TestApp::start().await;
    let email = "ada@acme.example";
    let long = "a".repeat(201);
    for (name, email, password, pointer) in [
        ("Acme", "ada", PASSWORD, "/email"),
        ("Acme", "ada\0@acme.example", PASSWORD, "/email"),
        ("", email, PASSWORD, "/name"),
        ("Ac\0me", email, PASSWORD, "/name"),
        (&long, email, PASSWORD, "/name"),
        ("Acme", email, "123", "/password"),
        ("Acme", email, "password1234", "/password"),
        ("Acme", email, "nine tall\0 ships", "/password"),
        ("Acme", email, "the acme anvil 9", "/password"),
    ] {
        let body = json!({ "name": name, "email": email, "password": password });
        let answer = app.post("/api/v1/auth/register", None, body.clone()).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{body}: {answer}"
        );
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{body}");
        assert!(!answer.detail().contains(password), "{answer}");
    }
    let more = json!({ "name": "Acme", "email": email, "password": PASSWORD, "role": "admin" });
    let more = app.post("/api/v1/auth/register", None, more).await;
    assert_eq!(more.status, StatusCode::UNPROCESSABLE_ENTITY, "{more}");
}

#[tokio::test]
async fn signing_in_takes_the_password_and_the_email_in_any_case() {
    let app = TestApp::start().await;
    legacy_register(&app).await;
    let answer = login(&app, "ADA@acme.EXAMPLE", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    let body = answer.json();
    assert_eq!(body["token_type"], "bearer");
    assert_eq!(body["expires_in"], 1800);
    assert!(body["refresh_token"].is_string(), "{answer}");

    let caller = bearer(body["access_token"].as_str().unwrap());
    for path in ["/users/me", "/api/v1/auth/me"] {
        let me = app.get(path, &caller).await;
        assert_eq!(me.status, StatusCode::OK, "{me}");
        let me = me.json();
        assert_eq!(
            (&me["email"], &me["role"]),
            (&json!("Ada@Acme.example"), &json!("admin"))
        );
        for field in ["id", "tenant_id", "created_at"] {
            assert!(me[field].is_string(), "{me}");
        }
        assert_eq!(me.as_object().unwrap().len(), 5, "{me}");
    }
}

#[tokio::test]
async fn signing_in_wrongly_tells_nothing() {
    let app = TestApp::start().await;
    legacy_register(&app).await;
    let wrong = login(&app, "ada@acme.example", "a wrong password").await;
    let unknown = login(&app, "eve@acme.example", PASSWORD).await;
    for answer in [&wrong, &unknown] {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
        assert_eq!(answer.detail(), "Incorrect email or password");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    let nul = login(&app, "ada\0@acme.example", PASSWORD).await;
    assert_eq!(nul.status, StatusCode::UNPROCESSABLE_ENTITY, "{nul}");
}

#[tokio::test]
async fn me_needs_a_token_that_holds() {
    let app = TestApp::start().await;
    let mut answers = vec![app.get("/users/me", None).await];
    for token in ["invalid.token.here", "", "aos_nonsense", "a b"] {
        answers.push(app.get("/users/me", &bearer(token)).await);
    }
    for answer in answers {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
}

#[tokio::test]
async fn a_weak_hash_is_renewed_at_sign_in() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let pool = app.database().pool();
    // The same password, at eight MiB and one pass.
    let weak = "$argon2id$v=19$m=8192,t=1,p=1$rAV9sJ1RY6ukw0JseleAMQ$\
                PS+CY5/wKD9HWEDroQPFZQ1B06bpdVW8iMVvjkCaGgo";
    sqlx::query("update users set password_hash = $1")
        .bind(weak)
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(
        login(&app, &ada.email, "another one").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        login(&app, &ada.email, PASSWORD).await.status,
        StatusCode::OK
    );
    let kept: String = sqlx::query_scalar("select password_hash from users")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(
        kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{kept}"
    );
    assert_eq!(
        login(&app, &ada.email, PASSWORD).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_token_dies_with_its_user_and_its_tenant() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.register("Acme").await, app.register("Eve Ltd").await);
    let pool = app.database().pool();
    sqlx::query("delete from users where tenant_id = $1")
        .bind(ada.tenant.0)
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("delete from tenants where id = $1")
        .bind(eve.tenant.0)
        .execute(&pool)
        .await
        .unwrap();
    for person in [&ada, &eve] {
        let me = app.get("/api/v1/auth/me", person).await;
        assert_eq!(me.status, StatusCode::UNAUTHORIZED, "{me}");
        let body = json!({ "refresh_token": person.refresh_token });
        let refreshed = app.post("/api/v1/auth/refresh", None, body).await;
        assert_eq!(refreshed.status, StatusCode::UNAUTHORIZED, "{refreshed}");
        let again = login(&app, &person.email, PASSWORD).await;
        assert_eq!(again.status, StatusCode::UNAUTHORIZED, "{again}");
    }
}

#[tokio::test]
async fn the_published_keys_verify_our_tokens() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let configuration = app
        .get("/.well-known/openid-configuration", None)
        .await
        .json();
    let issuer = configuration["issuer"].as_str().unwrap();
    let jwks_uri = configuration["jwks_uri"].as_str().unwrap();
    let jwks = app.get(jwks_uri.strip_prefix(issuer).unwrap(), None).await;
    assert_eq!(jwks.header("cache-control"), Some("public, max-age=300"));
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks.json()).unwrap();

    let header = jsonwebtoken::decode_header(&ada.token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let key = jwks.find(&header.kid.unwrap()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&["autonomos"]);
    validation.set_issuer(&[issuer]);
    let claims = jsonwebtoken::decode::<Value>(&ada.token, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(claims["sub"], json!(ada.user));
    assert_eq!(claims["user_id"], json!(ada.user));
    assert_eq!(claims["tenant_id"], json!(ada.tenant));
    assert_eq!(claims["role"], "admin");
    assert_eq!(claims["scopes"], json!(["read", "ingest", "admin"]));
    let (iat, exp) = (
        claims["iat"].as_i64().unwrap(),
        claims["exp"].as_i64().unwrap(),
    );
    assert_eq!(exp - iat, 1800);
}

#[tokio::test]
async fn without_authentication_everybody_is_the_development_admin() {
    let app = TestApp::with(Setup {
        auth: false,
        ..Setup::default()
    })
    .await;
    let seed = || auth::Seed {
        tenant: platform::auth::DEV_TENANT,
        name: "Development",
        user: platform::auth::DEV_USER,
        email: platform::auth::DEV_EMAIL,
        password: None,
    };
    for _ in 0..2 {
        auth::seed(&app.platform, &[seed()]).await.unwrap();
    }
    let anonymous = app.get("/api/v1/auth/me", None).await;
    let forged = app
        .get("/api/v1/auth/me", &bearer("invalid.token.here"))
        .await;
    for answer in [anonymous, forged] {
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        assert_eq!(answer.json()["email"], "dev@autonomos.dev");
    }
    let users = app.get("/api/v1/auth/users", None).await.json();
    assert_eq!(users["users"].as_array().unwrap().len(), 1, "{users}");
}

/// Composed and decomposed, full width, and another spelling of the domain.
#[tokio::test]
async fn one_address_is_one_account_however_it_is_typed() {
    let app = TestApp::start().await;
    let composed = "jos\u{e9}@m\u{fc}nchen.example";
    let password = "p\u{e4}sse f\u{fc}r Z\u{fc}ge 12";
    let register = async |name: &str, email: &str| {
        let new = json!({ "name": name, "email": email, "password": password });
        app.post("/api/v1/auth/register", None, new).await
    };
    assert_eq!(register("One", composed).await.status, StatusCode::CREATED);
    for email in [
        "jose\u{301}@m\u{fc}nchen.example",
        "JOS\u{c9}@mu\u{308}nchen.example",
        "\u{ff4a}os\u{e9}@xn--mnchen-3ya.example",
    ] {
        let again = register("Two", email).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST, "{email}: {again}");
        for password in [password, "pa\u{308}sse\u{a0}fu\u{308}r Zu\u{308}ge 12"] {
            let body = json!({ "email": email, "password": password });
            let login = app.post("/api/v1/auth/login", None, body).await;
            assert_eq!(login.status, StatusCode::OK, "{email} {password}: {login}");
        }
    }
}

/// As an earlier version has kept it: the address decomposed.
#[tokio::test]
async fn an_address_of_before_still_signs_in_and_stays_taken() {
    let app = TestApp::start().await;
    let composed = "jos\u{e9}@m\u{fc}nchen.example";
    let before = "jose\u{301}@m\u{fc}nchen.example";
    let password = "seven green kettles 42";
    let new = json!({ "name": "One", "email": composed, "password": password });
    let made = app.post("/api/v1/auth/register", None, new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    sqlx::query("update logins set email = $1")
        .bind(before)
        .execute(&app.database().pool())
        .await
        .unwrap();
    for email in [before, composed] {
        let body = json!({ "email": email, "password": password });
        let login = app.post("/api/v1/auth/login", None, body).await;
        assert_eq!(login.status, StatusCode::OK, "{email}: {login}");
        let new = json!({ "name": "Two", "email": email, "password": password });
        let again = app.post("/api/v1/auth/register", None, new).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST, "{email}: {again}");
    }
}
