//! Uploading files: every row is accounted for, whatever the file is like.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use sqlx::Row;
use tests::app::{Person, TestApp};
use tests::fixtures::connections::{connect_filesource, latest_run, list_quarantine, list_runs};
use tests::fixtures::files::{multipart_form, part_head, send_form, upload_files};
use tests::fixtures::json::pick;

#[tokio::test]
async fn an_upload_has_at_most_a_thousand_files() {
    let app = TestApp::start().await;
    let person = app.register("Files Ltd").await;
    connect_filesource(&app, &person, json!({})).await;
    let file: (&str, &[u8]) = ("a.csv", b"");
    let many = send_form(&app, &person, multipart_form(&[file; 1001])).await;
    assert_eq!(many.status, StatusCode::PAYLOAD_TOO_LARGE, "{many}");
    let enough = send_form(&app, &person, multipart_form(&[file; 1000])).await;
    assert_eq!(enough.status, StatusCode::UNPROCESSABLE_ENTITY, "{enough}");
}

#[tokio::test]
async fn a_part_whose_head_never_ends_is_not_waited_for() {
    let app = TestApp::start().await;
    let person = app.register("Files Ltd").await;
    connect_filesource(&app, &person, json!({})).await;
    let read = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&read);
    let endless = stream::iter(0..1000).map(move |chunk| {
        count.fetch_add(1, Ordering::Relaxed);
        let begin = if chunk == 0 { "--cut\r\nx: " } else { "" };
        Ok::<_, std::io::Error>(Bytes::from(begin.to_owned() + &"a".repeat(32 << 10)))
    });
    let answer = send_form(&app, &person, Body::from_stream(endless)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
    let read = read.load(Ordering::Relaxed);
    assert!(read < 10, "{read} chunks were read");
}

#[tokio::test]
async fn a_large_file_that_is_refused_does_not_spoil_its_neighbours() {
    let app = TestApp::start().await;
    let person = app.register("Files Ltd").await;
    connect_filesource(&app, &person, json!({})).await;
    let large = vec![b'a'; 1 << 20];
    let good: &[u8] = b"account_id,name\na1,Acme\n";
    let body = multipart_form(&[("nonsense.csv", &large), ("accounts_filesource.csv", good)]);
    let chunks: Vec<_> = body
        .chunks(16 << 10)
        .map(|it| Ok::<_, std::io::Error>(Bytes::copy_from_slice(it)))
        .collect();
    let answer = send_form(&app, &person, Body::from_stream(stream::iter(chunks))).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    assert_eq!(answer.json()["total"]["written"], 1, "{answer}");
}

/// `read written unchanged stale quarantined` of some counts.
fn counts(of: &Value) -> String {
    ["rows_read", "written", "unchanged", "stale", "quarantined"]
        .map(|it| of[it].to_string())
        .join(" ")
}

async fn set_up() -> (TestApp, Person, String) {
    let app = TestApp::start().await;
    let person = app.register("Files Ltd").await;
    let id = connect_filesource(&app, &person, json!({})).await;
    (app, person, id)
}

async fn reasons(app: &TestApp, person: &Person, id: &str) -> Vec<String> {
    let records = list_quarantine(app, person, id).await;
    let reasons = records.iter().map(|it| pick(it, "line field reason"));
    let mut reasons: Vec<_> = reasons.collect();
    reasons.sort();
    reasons
}

const ACCOUNTS: &[u8] = b"account_id,name,updated_at\na1,One,2026-01-01\na2,Two,2026-01-02\n";

#[tokio::test]
async fn a_second_upload_changes_nothing() {
    let (app, person, id) = set_up().await;
    let files: [(&str, &[u8]); 2] = [
        ("accounts_filesource.csv", ACCOUNTS),
        (
            "contacts_filesource.csv",
            b"contact_id,email\nc1,a@b.example\n,x@y.example\n",
        ),
    ];
    let first = upload_files(&app, &person, &files).await;
    assert_eq!(counts(&first["total"]), "4 3 0 0 1");
    assert_eq!(
        pick(&first["files"][0], "object encoding delimiter bytes"),
        format!("filesource.account UTF-8 , {}", ACCOUNTS.len())
    );

    let second = upload_files(&app, &person, &files).await;
    assert_eq!(counts(&second["total"]), "4 0 3 0 1");
    assert_eq!(reasons(&app, &person, &id).await.len(), 1);

    let older = b"account_id,name,updated_at\na1,Old,2025-01-01\n";
    let third = upload_files(&app, &person, &[("accounts_filesource.csv", older)]).await;
    assert_eq!(counts(&third["total"]), "1 0 0 1 0");

    let path = format!("/api/v1/aam/connections/{id}/runs?limit=3");
    let page = app.get(&path, &person).await.json();
    let statuses = "total runs/0/status runs/1/status runs/2/status";
    assert_eq!(pick(&page, statuses), "5 success partial success");
    assert_eq!(page["runs"].as_array().unwrap().len(), 3);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = app
        .get(&format!("{path}&cursor={cursor}"), &person)
        .await
        .json();
    assert_eq!(rest["runs"].as_array().unwrap().len(), 2);
    assert_eq!(rest["next_cursor"], Value::Null);
    let path = path.replace("limit=3", "limit=5");
    let whole = app.get(&path, &person).await.json();
    assert_eq!(whole["runs"].as_array().unwrap().len(), 5);
    assert_eq!(
        whole["next_cursor"],
        Value::Null,
        "a full page can be the last"
    );

    let known = app.get("/api/v1/filesource/discover", &person).await.json();
    assert_eq!(
        pick(&known, "files_count files/0/filename files/1/filename"),
        "2 accounts_filesource.csv contacts_filesource.csv"
    );
    let status = app.get("/api/v1/filesource/status", &person).await.json();
    assert_eq!(pick(&status, "connections files"), "1 2");
}

#[tokio::test]
async fn odd_files_are_read_or_refused_with_a_reason() {
    let (app, person, _) = set_up().await;
    let utf16: Vec<u8> = "\u{feff}account_id\tname\r\nü1\tMüller\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let windows = b"account_id;name\n1;M\xfcller\n2;Caf\xe9\n";
    let wide: String = (0..10_001).map(|it| format!("c{it},")).collect::<String>() + "x\n";
    let most: String = (0..9_998).map(|it| format!("c{it},")).collect();
    let most = format!("{most}account_id,name\n{}w1,Wide\n", ",".repeat(9_998));
    let table: [(&str, &[u8], &str); 12] = [
        ("accounts_a.tsv", &utf16, "1 1 0 0 0 UTF-16LE"),
        ("accounts_b.csv", windows, "2 2 0 0 0 windows-1252"),
        ("accounts_c.csv", b"account_id,name\n", "0 0 0 0 0 UTF-8"),
        ("accounts_d.csv", b"", "the file is empty"),
        (
            "accounts_e.csv",
            b"account_id,name\n1\n2,B,x\n3,C\n",
            "3 1 0 0 2 UTF-8",
        ),
        (
            "accounts_f.csv",
            wide.as_bytes(),
            "the header has 10002 columns",
        ),
        ("accounts_g.csv", most.as_bytes(), "1 1 0 0 0 UTF-8"),
        (
            "accounts_h.csv",
            b"a,a\n1,2\n",
            "column \"a\" appears twice",
        ),
        ("invoices_i.csv", b"a\n1\n", "1 1 0 0 0 UTF-8"),
        ("../accounts_j.csv", b"a\n1\n", "holds a path"),
        (
            "accounts_k.csv",
            b"account_id,na\0me\n1,x\n",
            "the name of column 2 has a NUL",
        ),
        (
            "accounts_l.csv",
            b"account_id,name\n1,x\n2,y\0\n",
            "2 1 0 0 1 UTF-8",
        ),
    ];
    let files: Vec<_> = table.iter().map(|it| (it.0, it.1)).collect();
    let answer = upload_files(&app, &person, &files).await;
    for ((name, _, expected), file) in table.iter().zip(answer["files"].as_array().unwrap()) {
        let found = match file["error"].as_str() {
            Some(error) => error.to_owned(),
            None => format!("{} {}", counts(file), file["encoding"].as_str().unwrap()),
        };
        assert!(found.contains(expected), "{name}: {found}");
    }
    let row = sqlx::query("select source_id, name from accounts where source_system = 'a'")
        .fetch_one(&app.database().pool())
        .await
        .unwrap();
    let pair: (String, String) = (row.get(0), row.get(1));
    assert_eq!(pair, ("ü1".to_owned(), "Müller".to_owned()));
}

#[tokio::test]
async fn short_rows_are_padded_where_the_connection_says_so() {
    let app = TestApp::start().await;
    let person = app.register("Pads Ltd").await;
    connect_filesource(&app, &person, json!({ "short_rows": "pad" })).await;
    let file = b"account_id,name,industry\n1,One\n2,Two,Law\n";
    let answer = upload_files(&app, &person, &[("accounts_filesource.csv", file)]).await;
    assert_eq!(counts(&answer["total"]), "2 2 0 0 0");
}

#[tokio::test]
async fn a_renamed_column_is_a_drift() {
    let (app, person, id) = set_up().await;
    let first = b"hs_object_id,company_name,hs_industry\n1,Cedar,Law\n";
    let second = b"hs_object_id,company_name,industry_segment\n1,Cedar,Law\n";
    let answer = upload_files(&app, &person, &[("accounts_hubspot.csv", first)]).await;
    assert_eq!(pick(&answer, "files/0/drift"), "null");
    let answer = upload_files(&app, &person, &[("accounts_hubspot.csv", second)]).await;
    let drift = &answer["files"][0]["drift"];
    assert_eq!(
        pick(
            drift,
            "changes/0/kind changes/0/path changes/1/kind changes/1/path"
        ),
        "removed hs_industry added industry_segment"
    );

    let base = format!("/api/v1/aam/connections/{id}/schemas");
    let schemas = app.get(&base, &person).await.json();
    let versions = "total schemas/0/version schemas/1/version schemas/1/baseline";
    assert_eq!(pick(&schemas, versions), "2 2 1 true");
    let path = format!("{base}/diff?object=hubspot.account&from=1&to=2");
    let diff = app.get(&path, &person).await.json();
    assert_eq!(diff["changes"].as_array().unwrap().len(), 2, "{diff}");
    let absent = app.get(&path.replace("to=2", "to=9"), &person).await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
    let odd = app.get(&path.replace("hubspot", "hub%00"), &person).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY, "{odd}");

    let listed = app.get("/api/v1/aam/connectors", &person).await.json();
    let row = &listed["connectors"][0];
    assert_eq!(
        pick(
            row,
            "has_drift last_event_type last_sync_status last_sync_records"
        ),
        "true drift_detected success 1"
    );
    assert!(row["mapping_count"].as_i64().unwrap() > 5, "{row}");
}

#[tokio::test]
async fn an_odd_body_is_the_clients_fault() {
    let (app, person, _) = set_up().await;
    let whole = multipart_form(&[("accounts_filesource.csv", ACCOUNTS)]);
    let table: [(&[u8], &str, u16); 6] = [
        (&whole, "multipart/form-data", 400),
        (&whole, "application/json", 400),
        (
            &whole[..whole.len() - 30],
            "multipart/form-data; boundary=cut",
            400,
        ),
        (b"", "multipart/form-data; boundary=cut", 400),
        (b"--cut--\r\n", "multipart/form-data; boundary=cut", 422),
        (
            &multipart_form(&[("x.exe", b"a\n"), ("y.exe", b"a\n")]),
            "multipart/form-data; boundary=cut",
            422,
        ),
    ];
    for (body, kind, status) in table {
        let path = "/api/v1/filesource/upload";
        let body = Body::from(body.to_vec());
        let answer = app
            .send(
                Method::POST,
                path,
                Some(&person),
                body,
                &[("content-type", kind)],
            )
            .await;
        assert_eq!(answer.status, status, "{kind}: {answer}");
        assert!(!answer.detail().is_empty());
    }
}

/// The chunks of an upload of `rows` accounts with so many bytes each, made as they are asked
/// for; then perhaps an error.
fn chunks(
    (rows, size): (usize, usize),
    breaks: bool,
) -> impl stream::Stream<Item = std::io::Result<Bytes>> + Send {
    const ROWS: usize = 100;
    let start = Bytes::from(part_head("accounts_filesource.csv") + "account_id,name,notes\n");
    let filler = "x".repeat(size);
    let middle = (0..rows / ROWS).map(move |chunk| {
        let lines =
            (chunk * ROWS..(chunk + 1) * ROWS).map(|it| format!("id-{it},Company {it},{filler}\n"));
        Ok(Bytes::from(lines.collect::<String>()))
    });
    let end = if breaks {
        Err(std::io::Error::other("gone"))
    } else {
        Ok(Bytes::from("\r\n--cut--\r\n"))
    };
    stream::iter([Ok(start)].into_iter().chain(middle).chain([end]))
}

#[tokio::test]
async fn an_upload_that_breaks_off_keeps_and_counts_what_came() {
    let (app, person, id) = set_up().await;
    let answer = send_form(&app, &person, Body::from_stream(chunks((3200, 100), true))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");

    let run = latest_run(&app, &person, &id).await;
    let written = run["written"].as_u64().unwrap();
    assert_eq!(
        (&run["status"], &run["rows_read"]),
        (&json!("failed"), &json!(written))
    );
    assert!((1..3200).contains(&written), "{run}");
    assert_eq!(
        run["error"],
        "the upload was interrupted, send the file again"
    );
    let stored: i64 = sqlx::query_scalar("select count(*) from accounts")
        .fetch_one(&app.database().pool())
        .await
        .unwrap();
    assert_eq!(u64::try_from(stored).unwrap(), written);

    let check = format!("/api/v1/aam/connections/{id}/health-check");
    let health = app.post(&check, &person, json!({})).await.json();
    assert_eq!(
        (&health["status"], &health["connection_status"]),
        (&json!("degraded"), &json!("HEALING"))
    );

    let answer = send_form(&app, &person, Body::from_stream(chunks((3200, 100), false))).await;
    let total = answer.json()["total"].clone();
    assert_eq!(
        counts(&total),
        format!("3200 {} {written} 0 0", 3200 - written)
    );
    let health = app.post(&check, &person, json!({})).await.json();
    assert_eq!(health["connection_status"], "ACTIVE");
}

#[tokio::test]
async fn a_failed_run_says_whether_to_try_again() {
    let (app, person, id) = set_up().await;
    let pool = app.database().pool();
    for (state, status, reason) in [
        (
            "40001",
            503,
            "a concurrent request changed the same rows, try again",
        ),
        ("57P01", 503, "the database is unavailable, try again"),
        ("XX000", 500, "an internal error: its cause is in the log"),
    ] {
        let refuses = format!(
            "create or replace function refuse() returns trigger language plpgsql as
              $$ begin raise exception 'no' using errcode = '{state}'; end $$;
            create or replace trigger refuses before insert on raw_records
              execute function refuse()"
        );
        let refuses = sqlx::raw_sql(sqlx::AssertSqlSafe(refuses));
        refuses.execute(&pool).await.unwrap();
        let file = multipart_form(&[("accounts_filesource.csv", ACCOUNTS)]);
        let answer = send_form(&app, &person, file).await;
        assert_eq!(answer.status.as_u16(), status, "{answer}");
        let run = latest_run(&app, &person, &id).await;
        assert_eq!(run["error"], reason, "{state}");
    }
}

#[tokio::test]
async fn a_run_of_a_killed_process_is_given_up_at_the_next_upload() {
    let (app, person, id) = set_up().await;
    upload_files(&app, &person, &[("accounts_filesource.csv", ACCOUNTS)]).await;
    sqlx::query(
        "update runs set status = 'running', finished_at = null,
          started_at = now() - interval '1 hour'",
    )
    .execute(&app.database().pool())
    .await
    .unwrap();
    upload_files(&app, &person, &[("accounts_filesource.csv", ACCOUNTS)]).await;
    let runs = list_runs(&app, &person, &id).await;
    let found = pick(&runs, "total runs/0/status runs/1/status");
    assert_eq!(found, "2 success failed");
}

#[tokio::test]
async fn a_large_file_flows_through_little_memory() {
    let (app, person, _) = set_up().await;
    let before = resident();
    // 48 MiB.
    let answer = send_form(
        &app,
        &person,
        Body::from_stream(chunks((3000, 16 << 10), false)),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    let total = answer.json()["total"].clone();
    assert_eq!(counts(&total), "3000 3000 0 0 0");
    let grown = resident().saturating_sub(before);
    assert!(
        grown < 40 << 20,
        "{} MiB more for {} bytes",
        grown >> 20,
        total["bytes"]
    );
}

/// The resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|it| it.starts_with("VmHWM")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}
