//! What an admin granted ends with the admin: keys and invitations.

use axum::http::StatusCode;
use serde_json::json;
use tests::app::TestApp;

use crate::people::{accept, change, holder, invite, join, me, new_key};

#[tokio::test]
async fn no_key_and_no_invitation_survives_the_disabling_that_it_races_with() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "admin").await;
    let key = holder(&new_key(&app, &bob, &["read", "admin"]).await);
    let mut made = 0;
    for round in 0..12 {
        let body = match round % 2 {
            0 => json!({ "disabled": true }),
            _ => json!({ "role": "member" }),
        };
        let eve = format!("eve{round}@acme.example");
        let (one, two, three, four, five, ended) = tokio::join!(
            new_key(&app, &bob, &["read", "admin"]),
            new_key(&app, &bob, &["admin"]),
            new_key(&app, &key, &["admin"]),
            invite(&app, &bob, &eve, "admin"),
            new_key(&app, &bob, &["admin"]),
            change(&app, &ada, &bob, body),
        );
        assert_eq!(ended.status, StatusCode::OK, "{ended}");
        for answer in [&one, &two, &three, &five] {
            if answer.status == StatusCode::CREATED {
                made += 1;
                let status = me(&app, &holder(answer)).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "round {round}: {answer}");
            }
        }
        if four.status == StatusCode::CREATED {
            let accepted = accept(&app, &four.json()["token"]).await;
            assert_eq!(accepted.status, StatusCode::BAD_REQUEST, "{accepted}");
        }
        let back = json!({ "disabled": false, "role": "admin" });
        let back = change(&app, &ada, &bob, back).await;
        assert_eq!(back.status, StatusCode::OK, "{back}");
    }
    assert!(
        made > 0,
        "some key comes before the end, or nothing was tested"
    );
}

#[tokio::test]
async fn the_invitations_of_who_is_no_admin_any_more_are_void_for_good() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "admin").await;
    for (email, body) in [
        ("carol@acme.example", json!({ "disabled": true })),
        ("dave@acme.example", json!({ "role": "member" })),
    ] {
        let invited = invite(&app, &bob, email, "admin").await.json();
        let kept = invite(&app, &ada, &format!("kept.{email}"), "viewer").await;
        let ended = change(&app, &ada, &bob, body).await;
        assert_eq!(ended.status, StatusCode::OK, "{ended}");
        let refused = accept(&app, &invited["token"]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused}");
        assert!(refused.detail().contains("ask for a new one"), "{refused}");
        let back = json!({ "disabled": false, "role": "admin" });
        change(&app, &ada, &bob, back).await;
        let again = accept(&app, &invited["token"]).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST, "{again}");
        let accepted = accept(&app, &kept.json()["token"]).await;
        assert_eq!(accepted.status, StatusCode::CREATED, "{accepted}");
    }
}

#[tokio::test]
async fn an_invitation_left_by_a_disabled_admin_says_whom_to_ask() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "admin").await;
    let invited = invite(&app, &bob, "carol@acme.example", "admin").await;
    // As rows are that an older version left: it withdrew nothing.
    sqlx::query("update users set disabled_at = now() where id = $1")
        .bind(bob.user)
        .execute(&app.database().pool())
        .await
        .unwrap();
    let refused = accept(&app, &invited.json()["token"]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused}");
    assert!(refused.detail().contains("ask another admin"), "{refused}");
}
