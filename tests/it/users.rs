//! The people of a tenant: invitations, roles, disabling; and API keys.

use axum::http::StatusCode;
use platform::audit::{self, Signer};
use serde_json::{Value, json};
use tests::app::{PASSWORD, Person, TestApp};
use tests::fixtures::users::{
    API_KEYS, USERS, accept_invitation, change_user, create_api_key, invite, join, key_holder,
    status_of_me,
};
use uuid::Uuid;

#[tokio::test]
async fn an_invited_person_joins_the_tenant_once() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let invited = invite(&app, &ada, "Bob@Acme.example", "member").await;
    assert_eq!(invited.status, StatusCode::CREATED, "{invited}");
    let token = &invited.json()["token"];
    let accepted = accept_invitation(&app, token).await;
    assert_eq!(accepted.status, StatusCode::CREATED, "{accepted}");
    let bob = Person::from_session(&accepted.json());
    assert_eq!(
        (bob.tenant, bob.email.as_str()),
        (ada.tenant, "Bob@Acme.example")
    );
    let body = app.get("/api/v1/auth/me", &bob).await.json();
    assert_eq!(body["role"], "member");

    let again = accept_invitation(&app, token).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "{again}");
    let known = invite(&app, &ada, "bob@acme.example", "viewer").await;
    assert_eq!(known.status, StatusCode::CONFLICT, "{known}");
    let users = app.get(USERS, &ada).await.json();
    let users: Vec<_> = users["users"].as_array().unwrap().iter().collect();
    assert_eq!(users.len(), 2);
    assert_eq!(
        (&users[1]["name"], &users[1]["disabled"]),
        (&json!("Bob"), &json!(false))
    );
}

#[tokio::test]
async fn an_invitation_that_does_not_hold_is_refused() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let invited = invite(&app, &ada, "bob@acme.example", "member")
        .await
        .json();
    let weak = json!({ "token": invited["token"], "password": "bob@acme.example" });
    let weak = app
        .post("/api/v1/auth/invitations/accept", None, weak)
        .await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY, "{weak}");

    let expired = invite(&app, &ada, "eve@acme.example", "member")
        .await
        .json();
    sqlx::query("update invitations set expires_at = now()")
        .execute(&app.database().pool())
        .await
        .unwrap();
    let taken = invite(&app, &ada, "carol@acme.example", "member")
        .await
        .json();
    let eve = json!({ "name": "Eve Ltd", "email": "CAROL@acme.example", "password": PASSWORD });
    app.post("/api/v1/auth/register", None, eve).await;
    for (token, detail) in [
        (&json!("nonsense"), "not valid"),
        (&json!(ada.refresh_token), "not valid"),
        (&expired["token"], "not valid"),
        (&taken["token"], "Email already registered"),
    ] {
        let answer = accept_invitation(&app, token).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(answer.detail().contains(detail), "{answer}");
    }
}

#[tokio::test]
async fn an_invitation_can_be_withdrawn_until_it_is_accepted() {
    const INVITATIONS: &str = "/api/v1/auth/invitations";
    let app = TestApp::start().await;
    let (ada, eve) = (app.register("Acme").await, app.register("Eve Ltd").await);
    join(&app, &ada, "bob", "viewer").await;
    let invited = invite(&app, &ada, "carol@acme.example", "member").await;
    let invited = invited.json();
    let listed = app.get(INVITATIONS, &ada).await;
    let emails: Vec<_> = listed.json()["invitations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["email"].clone())
        .collect();
    assert_eq!(emails, ["carol@acme.example"]);
    let token = invited["token"].as_str().unwrap();
    assert!(!listed.to_string().contains(token), "{listed}");

    let path = format!("{INVITATIONS}/{}", invited["id"].as_str().unwrap());
    let statuses = [
        app.delete(&path, &eve).await.status,
        app.delete(&path, &ada).await.status,
        app.delete(&path, &ada).await.status,
        accept_invitation(&app, &invited["token"]).await.status,
    ];
    assert_eq!(statuses.map(|it| it.as_u16()), [404, 204, 404, 400]);
}

#[tokio::test]
async fn people_are_listed_in_pages_and_within_their_tenant() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.register("Acme").await, app.register("Eve Ltd").await);
    for name in ["bob", "carol", "dave"] {
        join(&app, &ada, name, "viewer").await;
    }
    let (mut found, mut path) = (vec![], format!("{USERS}?limit=3"));
    loop {
        let page = app.get(&path, &ada).await.json();
        let emails = page["users"].as_array().unwrap().iter();
        found.extend(emails.map(|it| it["email"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{USERS}?limit=3&cursor={cursor}");
    }
    let expected = [
        &ada.email,
        "bob@joined.example",
        "carol@joined.example",
        "dave@joined.example",
    ];
    assert_eq!(found, expected);

    let stolen = app.get(&path, &eve).await;
    assert_eq!(stolen.status, StatusCode::UNPROCESSABLE_ENTITY, "{stolen}");
    for limit in ["0", "1001", "-1", "x"] {
        let answer = app.get(&format!("{USERS}?limit={limit}"), &ada).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    }
    let users = app.get(USERS, &eve).await.json();
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    let foreign = change_user(&app, &eve, &ada, json!({ "role": "viewer" })).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{foreign}");
}

#[tokio::test]
async fn a_role_counts_from_the_next_request() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "member").await;
    assert_eq!(app.get(USERS, &bob).await.status, StatusCode::FORBIDDEN);
    let changed = change_user(&app, &ada, &bob, json!({ "role": "admin" })).await;
    assert_eq!(
        (changed.status, &changed.json()["role"]),
        (StatusCode::OK, &json!("admin"))
    );
    // The old token is dead; a new one may do more.
    assert_eq!(app.get(USERS, &bob).await.status, StatusCode::UNAUTHORIZED);
    let body = json!({ "refresh_token": bob.refresh_token });
    let session = app.post("/api/v1/auth/refresh", None, body).await.json();
    let promoted = Person {
        token: session["access_token"].as_str().unwrap().to_owned(),
        ..bob.clone()
    };
    assert_eq!(app.get(USERS, &promoted).await.status, StatusCode::OK);
    change_user(&app, &ada, &bob, json!({ "role": "viewer" })).await;
    assert_eq!(
        app.get(USERS, &promoted).await.status,
        StatusCode::UNAUTHORIZED
    );
    for body in [
        json!({}),
        json!({ "role": "owner" }),
        json!({ "email": "x@y.example" }),
    ] {
        let answer = change_user(&app, &ada, &bob, body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    }
}

#[tokio::test]
async fn one_admin_remains() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    for body in [json!({ "role": "member" }), json!({ "disabled": true })] {
        let answer = change_user(&app, &ada, &ada, body).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{answer}");
    }
    let bob = join(&app, &ada, "bob", "admin").await;
    let (one, two) = tokio::join!(
        change_user(&app, &ada, &bob, json!({ "role": "viewer" })),
        change_user(&app, &bob, &ada, json!({ "disabled": true })),
    );
    let done = [one.status, two.status]
        .iter()
        .filter(|it| it.is_success())
        .count();
    assert_eq!(done, 1, "{one}\n{two}");
}

#[tokio::test]
async fn a_disabled_person_is_out_at_once() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "admin").await;
    let (theirs, kept) = (
        create_api_key(&app, &bob, &["read"]).await,
        create_api_key(&app, &ada, &["read"]).await,
    );
    let (theirs, kept) = (key_holder(&theirs), key_holder(&kept));
    assert_eq!(status_of_me(&app, &theirs).await, StatusCode::OK);
    let disabled = change_user(&app, &ada, &bob, json!({ "disabled": true })).await;
    assert_eq!(disabled.json()["disabled"], true, "{disabled}");

    let refresh = json!({ "refresh_token": bob.refresh_token });
    let login = json!({ "email": bob.email, "password": PASSWORD });
    assert_eq!(status_of_me(&app, &bob).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status_of_me(&app, &theirs).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status_of_me(&app, &kept).await, StatusCode::OK);
    for (path, body) in [("refresh", &refresh), ("login", &login)] {
        let answer = app
            .post(&format!("/api/v1/auth/{path}"), None, body.clone())
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
    }

    let enabled = change_user(&app, &ada, &bob, json!({ "disabled": false })).await;
    assert_eq!(enabled.status, StatusCode::OK, "{enabled}");
    let again = app.post("/api/v1/auth/login", None, login).await;
    assert_eq!(again.status, StatusCode::OK, "{again}");
    let old = app.post("/api/v1/auth/refresh", None, refresh).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED, "{old}");
}

#[tokio::test]
async fn an_api_key_works_until_it_is_revoked() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.register("Acme").await, app.register("Eve Ltd").await);
    let made = create_api_key(&app, &ada, &["read", "ingest", "read"]).await;
    assert_eq!(made.json()["scopes"], json!(["read", "ingest"]));
    let key = key_holder(&made);
    assert!(key.token.starts_with("aos_"), "{made}");
    let body = app.get("/api/v1/auth/me", &key).await.json();
    assert_eq!(body["tenant_id"], json!(ada.tenant));
    assert_eq!(
        (&body["email"], &body["role"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(app.get(USERS, &key).await.status, StatusCode::FORBIDDEN);

    let listed = app.get(API_KEYS, &ada).await;
    assert!(!listed.to_string().contains(&key.token), "{listed}");
    let listed = &listed.json()["api_keys"][0];
    assert_eq!(listed["id"], made.json()["id"]);
    assert!(listed["last_used_at"].is_string(), "{listed}");

    let path = format!("{API_KEYS}/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(app.delete(&path, &eve).await.status, StatusCode::NOT_FOUND);
    assert_eq!(status_of_me(&app, &key).await, StatusCode::OK);
    assert_eq!(app.delete(&path, &ada).await.status, StatusCode::NO_CONTENT);
    assert_eq!(status_of_me(&app, &key).await, StatusCode::UNAUTHORIZED);
    assert_eq!(app.delete(&path, &ada).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get(API_KEYS, &ada).await.json()["api_keys"], json!([]));
}

#[tokio::test]
async fn a_forged_api_key_is_refused() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let made = create_api_key(&app, &ada, &["read"]).await;
    let id = made.json()["id"].as_str().unwrap().parse().unwrap();
    let secrets = [[0; 32], [255; 32]];
    let mut forged: Vec<_> = secrets
        .iter()
        .map(|it| platform::auth::format_api_key(ada.tenant, id, it))
        .collect();
    let nobody = schema::ApiKeyId(Uuid::now_v7());
    forged.push(platform::auth::format_api_key(
        ada.tenant,
        nobody,
        &secrets[0],
    ));
    forged.extend(["aos_".to_owned(), format!("{}A", key_holder(&made).token)]);
    for token in forged {
        let caller = Person {
            token,
            ..ada.clone()
        };
        assert_eq!(
            status_of_me(&app, &caller).await,
            StatusCode::UNAUTHORIZED,
            "{}",
            caller.token
        );
    }
}

#[tokio::test]
async fn a_key_can_have_no_scope_that_its_maker_lacks() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let admin_only = key_holder(&create_api_key(&app, &ada, &["admin"]).await);
    let wider = create_api_key(&app, &admin_only, &["admin", "read"]).await;
    assert_eq!(wider.status, StatusCode::FORBIDDEN, "{wider}");
    let same = create_api_key(&app, &admin_only, &["admin"]).await;
    assert_eq!(same.status, StatusCode::CREATED, "{same}");
    for scopes in [&[][..], &["root"]] {
        let answer = create_api_key(&app, &ada, scopes).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    }

    // A demoted admin's keys do not outlive the role.
    let bob = join(&app, &ada, "bob", "admin").await;
    let (admin, read) = (
        create_api_key(&app, &bob, &["admin", "read"]).await,
        create_api_key(&app, &bob, &["read"]).await,
    );
    let (admin, read) = (key_holder(&admin), key_holder(&read));
    change_user(&app, &ada, &bob, json!({ "role": "member" })).await;
    assert_eq!(status_of_me(&app, &admin).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status_of_me(&app, &read).await, StatusCode::OK);
}

#[tokio::test]
async fn every_change_is_in_the_audit_log() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "member").await;
    change_user(&app, &ada, &bob, json!({ "role": "viewer" })).await;
    let made = create_api_key(&app, &ada, &["read"]).await;
    let path = format!("{API_KEYS}/{}", made.json()["id"].as_str().unwrap());
    app.delete(&path, &ada).await;
    for password in ["not the password", tests::app::PASSWORD] {
        let login = json!({ "email": ada.email, "password": password });
        app.post("/api/v1/auth/login", None, login).await;
    }
    let logout = json!({ "refresh_token": ada.refresh_token });
    app.post("/api/v1/auth/logout", None, logout).await;

    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "select action, actor, coalesce(before::text, '') || coalesce(after::text, '')
         from audit_log order by seq",
    )
    .fetch_all(&app.database().pool())
    .await
    .unwrap();
    let actions: Vec<_> = rows.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(
        actions,
        [
            "tenant.register",
            "user.invite",
            "invitation.accept",
            "user.update",
            "api_key.create",
            "api_key.revoke",
            "session.start",
            "session.end",
        ]
    );
    let (admin, member) = (format!("user:{}", ada.user), format!("user:{}", bob.user));
    for (action, actor, values) in &rows {
        let expected = if action == "invitation.accept" {
            &member
        } else {
            &admin
        };
        assert_eq!(actor, expected, "{action}");
        assert!(
            !values.contains("argon2") && !values.contains("aos_"),
            "{action}: {values}"
        );
    }
    let mut tx = platform::db::begin(&app.platform.db, ada.tenant)
        .await
        .unwrap();
    let signer = Signer::of(&app.platform.secrets).await.unwrap();
    let verdict = audit::verify(&mut tx, ada.tenant, &signer).await.unwrap();
    assert!(verdict.intact && verdict.rows == 8, "{verdict:?}");
}
