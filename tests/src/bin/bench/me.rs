//! Who am I, through the router, against what it cannot do without: the signature check and one
//! indexed select.

use std::time::Instant;

use axum::http::StatusCode;
use futures_util::future::join_all;
use platform::auth::Auth;
use tests::app::{Person, TestApp};

use crate::report::{Report, median};

const CLIENTS: usize = 16;
const REQUESTS: usize = 100;
const TURNS: usize = 9;

pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (ours, theirs) = runtime.block_on(measure());
    let number = (CLIENTS * REQUESTS) as f64;
    Report {
        name: "me",
        value: number / ours,
        unit: "requests/s",
        reference: "signature check and one indexed select on the same pool; ratio of times",
        reference_value: number / theirs,
        ratio: ours / theirs,
        n: TURNS,
        data: "GET /api/v1/auth/me, 16 clients, 1,600 requests a turn, 8 connections, one thread",
    }
    .print()
}

async fn measure() -> (f64, f64) {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    // The first turn of each opens the connections and is not counted.
    turn(async || request(&app, &ann).await).await;
    turn(async || reference(&app, &ann).await).await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(turn(async || request(&app, &ann).await).await);
        theirs.push(turn(async || reference(&app, &ann).await).await);
    }
    (median(ours), median(theirs))
}

/// Seconds that all clients take for all their requests.
async fn turn(one: impl AsyncFn()) -> f64 {
    let start = Instant::now();
    let client = async || {
        for _ in 0..REQUESTS {
            one().await;
        }
    };
    join_all((0..CLIENTS).map(|_| client())).await;
    start.elapsed().as_secs_f64()
}

async fn request(app: &TestApp, person: &Person) {
    let answer = app.get("/api/v1/auth/me", person).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
}

async fn reference(app: &TestApp, person: &Person) {
    let Auth::On(verifier) = &app.platform.auth else {
        unreachable!("the usual platform asks for tokens")
    };
    let claims = verifier
        .verify(&app.secrets.public_keys, &person.token)
        .expect("the token is good");
    let sql = "select email, role from users where tenant_id = $1 and id = $2";
    let row: (String, String) = sqlx::query_as(sql)
        .bind(claims.tenant_id.0)
        .bind(claims.sub.0)
        .fetch_one(app.platform.db.inner())
        .await
        .expect("the person is there");
    assert_eq!(row.1, "admin");
}
