//! What an admin granted ends with the admin: keys and invitations.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Answer, Person, TestApp};
use tests::fixtures::users::{
    accept_invitation, change_user, create_api_key, invite, join, key_holder, login, status_of_me,
};

#[tokio::test]
async fn no_key_and_no_invitation_survives_the_disabling_that_it_races_with() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let mut bob = join(&app, &ada, "bob", "admin").await;
    let key = key_holder(&create_api_key(&app, &bob, &["read", "admin"]).await);
    let mut made = 0;
    for round in 0..12 {
        let body = match round % 2 {
            0 => json!({ "disabled": true }),
            _ => json!({ "role": "member" }),
        };
        let eve = format!("eve{round}@acme.example");
        let (one, two, three, four, five, ended) = tokio::join!(
            create_api_key(&app, &bob, &["read", "admin"]),
            create_api_key(&app, &bob, &["admin"]),
            create_api_key(&app, &key, &["admin"]),
            invite(&app, &bob, &eve, "admin"),
            create_api_key(&app, &bob, &["admin"]),
            change_user(&app, &ada, &bob, body),
        );
        assert_eq!(ended.status, StatusCode::OK, "{ended}");
        for answer in [&one, &two, &three, &five] {
            if answer.status == StatusCode::CREATED {
                made += 1;
                let status = status_of_me(&app, &key_holder(answer)).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "round {round}: {answer}");
            }
        }
        if four.status == StatusCode::CREATED {
            let accepted = accept_invitation(&app, &four.json()["token"]).await;
            assert_eq!(accepted.status, StatusCode::BAD_REQUEST, "{accepted}");
        }
        let back = json!({ "disabled": false, "role": "admin" });
        let back = change_user(&app, &ada, &bob, back).await;
        assert_eq!(back.status, StatusCode::OK, "{back}");
        bob = login(&app, &bob).await;
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
    let mut bob = join(&app, &ada, "bob", "admin").await;
    for (email, body) in [
        ("carol@acme.example", json!({ "disabled": true })),
        ("dave@acme.example", json!({ "role": "member" })),
    ] {
        let invited = invite(&app, &bob, email, "admin").await.json();
        let kept = invite(&app, &ada, &format!("kept.{email}"), "viewer").await;
        let ended = change_user(&app, &ada, &bob, body).await;
        assert_eq!(ended.status, StatusCode::OK, "{ended}");
        let refused = accept_invitation(&app, &invited["token"]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused}");
        assert!(refused.detail().contains("ask for a new one"), "{refused}");
        let back = json!({ "disabled": false, "role": "admin" });
        change_user(&app, &ada, &bob, back).await;
        bob = login(&app, &bob).await;
        let again = accept_invitation(&app, &invited["token"]).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST, "{again}");
        let accepted = accept_invitation(&app, &kept.json()["token"]).await;
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
    let refused = accept_invitation(&app, &invited.json()["token"]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused}");
    assert!(refused.detail().contains("ask another admin"), "{refused}");
}

/// What Bob has made, and what must be true of it.
struct Grants {
    /// What tells it from the other sequences in the same platform.
    seed: u64,
    admin: bool,
    disabled: bool,
    /// Answers to new keys, and whether each one lives.
    keys: Vec<(Answer, bool)>,
    /// Answers to invitations, and whether each one is open.
    invitations: Vec<(Answer, bool)>,
}

impl Grants {
    fn may(&self) -> bool {
        self.admin && !self.disabled
    }

    fn end(&mut self) {
        if !self.may() {
            self.keys.iter_mut().for_each(|it| it.1 = false);
            self.invitations.iter_mut().for_each(|it| it.1 = false);
        }
    }

    /// Does one thing, and compares what comes of it.
    async fn act(&mut self, app: &TestApp, ada: &Person, bob: &mut Person, step: usize, word: u64) {
        let pick = (word >> 8) as usize;
        let may = self.may();
        let check = |it: &Answer| {
            let expected: &[u16] = if may { &[201] } else { &[401, 403] };
            assert!(expected.contains(&it.status.as_u16()), "{step}: {it}");
        };
        match word % 8 {
            0 | 1 => {
                let made = create_api_key(app, bob, &["read", "admin"]).await;
                check(&made);
                if may {
                    self.keys.push((made, true));
                }
            }
            2 | 3 => {
                let email = format!("guest{step}@acme{}.example", self.seed);
                let made = invite(app, bob, &email, "admin").await;
                check(&made);
                if may {
                    self.invitations.push((made, true));
                }
            }
            4 if !self.invitations.is_empty() => {
                let index = pick % self.invitations.len();
                let (made, open) = &mut self.invitations[index];
                let accepted = accept_invitation(app, &made.json()["token"]).await;
                let expected = if *open { 201 } else { 400 };
                assert_eq!(accepted.status.as_u16(), expected, "{step}: {accepted}");
                *open = false;
            }
            5 => {
                self.change(app, ada, bob, json!({ "disabled": pick.is_multiple_of(2) }))
                    .await
            }
            6 => {
                let role = ["admin", "member", "viewer"][pick % 3];
                self.change(app, ada, bob, json!({ "role": role })).await;
            }
            7 => {
                let both = json!({ "role": "admin", "disabled": false });
                self.change(app, ada, bob, both).await;
            }
            _ => {}
        }
    }

    async fn change(&mut self, app: &TestApp, ada: &Person, bob: &mut Person, body: Value) {
        let changed = change_user(app, ada, bob, body.clone()).await;
        assert_eq!(changed.status, StatusCode::OK, "{changed}");
        if let Some(role) = body["role"].as_str() {
            self.admin = role == "admin";
        }
        self.disabled = body["disabled"].as_bool().unwrap_or(self.disabled);
        self.end();
        if !self.disabled {
            *bob = login(app, bob).await;
        }
    }

    /// A key lives and an invitation is open exactly as long as its maker may make them.
    async fn check(&self, app: &TestApp, ada: &Person, step: usize) {
        let seed = self.seed;
        for (key, lives) in &self.keys {
            let status = status_of_me(app, &key_holder(key)).await;
            assert_eq!(
                status == StatusCode::OK,
                *lives,
                "seed {seed}, {step}: {key}"
            );
        }
        let open = self.invitations.iter().filter(|it| it.1).count();
        let stored: i64 = sqlx::query_scalar(
            "select count(*) from invitations
            where tenant_id = $1 and accepted_at is null and email like 'guest%'",
        )
        .bind(ada.tenant)
        .fetch_one(&app.database().pool())
        .await
        .unwrap();
        assert_eq!(stored as usize, open, "seed {seed}, {step}");
    }
}

/// `GRANT_SEQUENCES` is how many.
#[tokio::test]
async fn keys_and_invitations_end_with_their_maker_in_whatever_order() {
    let sequences = std::env::var("GRANT_SEQUENCES");
    let sequences: u64 = sequences.map_or(12, |it| it.parse().unwrap());
    let app = TestApp::start().await;
    for seed in 0..sequences {
        let ada = app.register(&format!("Acme {seed}")).await;
        let mut bob = join(&app, &ada, &format!("bob{seed}"), "admin").await;
        let mut grants = Grants {
            seed,
            admin: true,
            disabled: false,
            keys: vec![],
            invitations: vec![],
        };
        let mut word = seed;
        for step in 0..24 {
            // Knuth's multiplier of MMIX: all words come, in an order that the seed gives.
            word = word
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            grants.act(&app, &ada, &mut bob, step, word >> 33).await;
            grants.check(&app, &ada, step).await;
        }
    }
}
