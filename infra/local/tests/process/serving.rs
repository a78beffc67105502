//! Started, stopped, killed, started again.

use crate::installation::{Client, Installation, Process};

fn file(rows: usize) -> String {
    let lines = (0..rows).map(|it| format!("A-{it},Company {it},Software\n"));
    "account_id,name,industry\n".to_owned() + &lines.collect::<String>()
}

/// Uploads, and kills the platform once some of the rows, but not all, are committed.
async fn kill_within_an_upload(process: &mut Process, connection: &str, rows: usize) {
    let client = Client::sign_in(&process.base).await;
    let upload = client.upload(connection, file(rows));
    let watch = async {
        let path = format!("/api/v1/aam/connections/{connection}/runs?limit=1");
        loop {
            let runs = client.get(&path).await;
            let run = &runs["runs"][0];
            if run["status"] == "running" && run["rows_read"].as_u64() > Some(0) {
                return;
            }
        }
    };
    tokio::select! {
        it = upload => panic!("the upload ended too early: {it:?}"),
        () = watch => { process.signal("KILL"); }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_within_an_upload_loses_and_doubles_nothing() {
    const ROWS: usize = 30_000;
    let place = Installation::new();
    let mut process = place.start();
    let connection = Client::sign_in(&process.base).await.connect().await;
    let mut kept = 0;
    for _ in 0..2 {
        kill_within_an_upload(&mut process, &connection, ROWS).await;
        process = place.start();
        let client = Client::sign_in(&process.base).await;
        let view = client.get("/api/v1/dcl/views/accounts?limit=1").await;
        let total = view["meta"]["total"].as_u64().unwrap();
        assert!(
            kept <= total && 0 < total && total < ROWS as u64,
            "{kept}, then {total}"
        );
        kept = total;
    }
    let client = Client::sign_in(&process.base).await;
    let answer = client.upload(&connection, file(ROWS)).await.unwrap();
    let total = &answer["total"];
    assert_eq!(total["rows_read"], ROWS, "{answer}");
    assert_eq!(total["unchanged"], kept, "{answer}");
    assert_eq!(total["written"], ROWS as u64 - kept, "{answer}");
    let view = client.get("/api/v1/dcl/views/accounts?limit=1").await;
    assert_eq!(view["meta"]["total"], ROWS, "{view}");
    assert!(process.signal("TERM").success());
}

#[tokio::test]
async fn a_function_beside_it_is_told_of_the_same_database_and_keys() {
    let place = Installation::new();
    let mut process = place.start();
    Client::sign_in(&process.base).await.connect().await;
    let told = std::fs::read_to_string(place.dev.join("lambda.env")).unwrap();
    let value = |name: &str| {
        let line = told.lines().find_map(|it| it.strip_prefix(name));
        line.unwrap().trim_matches(['=', '"']).to_owned()
    };
    let secrets = std::fs::read_to_string(value("SECRETS_FILE")).unwrap();
    assert!(secrets.contains("signing_key"));
    let pool = sqlx::PgPool::connect(&value("DATABASE_URL")).await.unwrap();
    // As a role that owns nothing: without a proof it sees no rows of a tenant that it names.
    let count = "select count(*) from connections";
    let mut tx = pool.begin().await.unwrap();
    let all: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.unwrap();
    sqlx::query("select set_config('app.tenant_id', $1, true)")
        .bind(uuid::Uuid::from_u128(2).to_string())
        .execute(&mut *tx)
        .await
        .unwrap();
    let own: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.unwrap();
    assert_eq!((all, own), (0, 0));
    drop(tx);
    pool.close().await;
    assert!(process.signal("INT").success());
    assert!(place.run(&["reset", "--yes"]).status.success());
    assert!(!place.dev.join("lambda.env").exists());
}

#[tokio::test]
async fn without_authentication_a_page_of_another_origin_is_refused() {
    let place = Installation::new();
    let process = place.start_with(&[("DCL_AUTH_ENABLED", "false")]);
    let http = reqwest::Client::new();
    let send = async |headers: &[(&str, &str)]| {
        let path = format!("{}/api/v1/aam/connections", process.base);
        let headers = headers.iter();
        let request = headers.fold(http.get(path), |it, (name, value)| it.header(*name, *value));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(send(&[]).await, 200);
    assert_eq!(send(&[("origin", &process.base)]).await, 200);
    assert_eq!(send(&[("origin", "https://evil.example")]).await, 403);
    // A name that was given the address 127.0.0.1.
    assert_eq!(send(&[("host", "evil.example")]).await, 403);
}

#[tokio::test]
async fn nobody_else_may_read_what_it_keeps() {
    use std::os::unix::fs::PermissionsExt;
    let place = Installation::new();
    let process = place.start();
    for name in ["lambda.env", "secrets.json"] {
        let mode = std::fs::metadata(place.dev.join(name))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
    drop(process);
}
