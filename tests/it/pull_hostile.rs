//! A source that lies, does not end or says nothing: it costs its own job, and nobody else.

use std::process::Command;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Person, TestApp};
use tests::double::{Double, Reply, cells, frame, frames, row};
use tests::fixtures::connections::CONNECTIONS;
use tests::fixtures::jobs::end_leases;
use tests::fixtures::postgres_source::{
    ACCOUNTS_TABLE, accounts_object, connect_postgres, new_postgres_connection,
    set_up_postgres_source, sync,
};
use tests::source::Source;
use uuid::Uuid;

/// Parts of the questions.
const STARTUP: &str = "startup";
const PASSWORD: &str = "password";
const BEGIN: &str = "begin transaction";
const LOOK: &str = "pg_catalog.pg_class";
const COLUMNS: &str = "with recursive typed";
const PAGE: &str = "row_number() over";

/// Less than any wait for an answer takes: a lie is seen when it comes.
const AT_ONCE: Duration = Duration::from_secs(9);

/// What a source sends instead of an honest answer.
type Lie = fn(Vec<u8>) -> Reply;

/// Some name, the question, and the lie.
const LIES: &[(&str, &str, Lie)] = &[
    ("a banner of HTTP", STARTUP, |_| {
        Reply::End(b"HTTP/1.1 400 Bad Request\r\n\r\n".into())
    }),
    ("a banner of SSH", STARTUP, |_| {
        Reply::End(b"SSH-2.0-OpenSSH_9.2p1\r\n".into())
    }),
    ("a banner that is an error", STARTUP, |_| {
        Reply::End(b"ERROR secret banner\r\n".into())
    }),
    ("nothing", STARTUP, |_| Reply::End(vec![])),
    ("ready at once", STARTUP, |_| Reply::End(frame(b'Z', b"I"))),
    ("an unknown way to sign in", STARTUP, |_| {
        Reply::End(frame(b'R', &[0, 0, 0, 99]))
    }),
    ("a way to sign in without end", STARTUP, |_| {
        Reply::End(frame(b'R', &vec![7; 1 << 20]))
    }),
    ("no mechanism", STARTUP, |_| {
        Reply::End(frame(b'R', b"\0\0\0\x0a\0"))
    }),
    ("half a salt", STARTUP, |_| {
        Reply::End(frame(b'R', &[0, 0, 0, 5, 1]))
    }),
    ("too many iterations", PASSWORD, |it| {
        Reply::GoOn(replaced(&it, "i=4096", "i=4000000000"))
    }),
    ("many iterations", PASSWORD, |it| {
        Reply::GoOn(replaced(&it, "i=4096", "i=100001"))
    }),
    ("no iterations", PASSWORD, |it| {
        Reply::GoOn(replaced(&it, "i=4096", "i=0"))
    }),
    ("settings without end", PASSWORD, |it| {
        endless(it, |n| setting(&n.to_string(), 10))
    }),
    ("large settings", PASSWORD, |it| {
        endless(it, |n| setting(&n.to_string(), 60_000))
    }),
    ("notices without end", PASSWORD, |it| {
        endless(it, |_| notice(100))
    }),
    ("large notices", PASSWORD, |it| {
        endless(it, |_| notice(900_000))
    }),
    ("notices to a beginning", BEGIN, |it| {
        endless(it, |_| notice(100))
    }),
    ("one setting without end", BEGIN, |it| {
        endless(it, |_| setting("a", 10_000))
    }),
    ("rows to a beginning", BEGIN, |it| {
        endless(it, |_| row(&[Some(b"x")]))
    }),
    ("completions without end", BEGIN, |it| {
        endless(it, |_| frame(b'C', b"BEGIN\0"))
    }),
    ("a request for a copy", BEGIN, |_| {
        Reply::GoOn(frame(b'G', &[0, 0, 1, 0, 0]))
    }),
    ("a copy", BEGIN, |_| {
        Reply::Endless(Box::new(|_| frame(b'd', &[0; 60_000])))
    }),
    ("notifications", BEGIN, |it| {
        endless(it, |_| frame(b'A', b"\0\0\0\x01a\0b\0"))
    }),
    ("a length of 0", LOOK, |_| {
        Reply::GoOn(vec![b'T', 0, 0, 0, 0])
    }),
    ("a length of 3", LOOK, |_| {
        Reply::GoOn(vec![b'D', 0, 0, 0, 3, 0, 0])
    }),
    ("a length of 4", LOOK, |_| {
        Reply::GoOn(vec![b'T', 0, 0, 0, 4])
    }),
    ("the greatest length", LOOK, |_| {
        Reply::GoOn(vec![b'T', 127, 255, 255, 255])
    }),
    ("a negative length", LOOK, |_| {
        Reply::GoOn(vec![b'E', 255, 255, 255, 255])
    }),
    ("an unknown message", LOOK, |_| {
        Reply::GoOn(frame(b'!', b"x"))
    }),
    ("no description", LOOK, |it| Reply::GoOn(without(&it, b'T'))),
    ("two descriptions", LOOK, |it| {
        Reply::GoOn(changed(&it, b'T', |it| {
            [frame(b'T', it), frame(b'T', it)].concat()
        }))
    }),
    ("too many columns", LOOK, |it| {
        Reply::GoOn(changed(&it, b'T', |it| {
            frame(b'T', &[&[255, 255], &it[2..]].concat())
        }))
    }),
    ("an array", LOOK, |it| Reply::GoOn(array(&it))),
    ("a type that nobody knows", LOOK, |it| {
        Reply::GoOn(changed(&it, b'T', |it| frame(b'T', &typed(it, 99_999))))
    }),
    ("no cells", COLUMNS, |it| {
        Reply::GoOn(changed(&it, b'D', |_| frame(b'D', &[0, 0])))
    }),
    ("a cell too few", COLUMNS, |it| Reply::GoOn(narrowed(&it))),
    ("a cell too many", COLUMNS, |it| Reply::GoOn(widened(&it))),
    ("a cell beyond its row", COLUMNS, |it| {
        Reply::GoOn(changed(&it, b'D', |it| {
            frame(b'D', &[&it[..2], &[127, 255, 255, 255], &it[6..]].concat())
        }))
    }),
    ("a negative cell", COLUMNS, |it| {
        Reply::GoOn(changed(&it, b'D', |it| {
            frame(b'D', &[&it[..2], &[255, 255, 255, 254], &it[6..]].concat())
        }))
    }),
    ("nulls", COLUMNS, |it| Reply::GoOn(celled(&it, |_| None))),
    ("no text", COLUMNS, |it| {
        Reply::GoOn(celled(&it, |_| Some(vec![0xff, 0xfe])))
    }),
    ("zero bytes", COLUMNS, |it| {
        Reply::GoOn(celled(&it, |_| Some(vec![0])))
    }),
    ("the end in the middle", COLUMNS, |it| {
        Reply::End(it[..it.len() / 2].into())
    }),
    ("the end", COLUMNS, |_| Reply::End(vec![])),
    ("columns without end", COLUMNS, |it| again(&it)),
    ("a huge error", COLUMNS, |_| Reply::GoOn(error(20_000_000))),
    ("a large error", COLUMNS, |_| Reply::GoOn(error(900_000))),
    ("an error of nothing", COLUMNS, |_| {
        Reply::GoOn(frame(b'E', b""))
    }),
    ("an error that is no text", COLUMNS, |it| {
        let error = frame(b'E', b"SERROR\0C\xff\xff\0M\xff\xfe\x80\0\0");
        let told = without(&without(&without(&it, b'T'), b'D'), b'C');
        Reply::GoOn([error, told].concat())
    }),
];

/// The same for what only a sync asks.
const PAGES: &[(&str, &str, Lie)] = &[
    ("rows without end", PAGE, |it| again(&it)),
    ("nulls", PAGE, |it| Reply::GoOn(celled(&it, |_| None))),
    ("no text", PAGE, |it| {
        Reply::GoOn(celled(&it, |_| Some(vec![0xff, 0xfe])))
    }),
    ("large cells", PAGE, |it| {
        Reply::GoOn(celled(&alone(&it), |_| Some(vec![b'x'; 3_000_000])))
    }),
    ("one huge cell", PAGE, |it| {
        Reply::GoOn(changed(&alone(&it), b'D', |_| {
            row(&[Some(&vec![b'x'; 60_000_000])])
        }))
    }),
    ("a huge row that never comes", PAGE, |it| {
        Reply::End(changed(&alone(&it), b'D', |_| {
            vec![b'D', 1, 128, 0, 0, 0, 6, 1, 127, 255, 255]
        }))
    }),
    ("the end in the middle", PAGE, |it| {
        Reply::End(it[..it.len() / 2].into())
    }),
    ("a large error", PAGE, |_| Reply::GoOn(error(900_000))),
];

fn replaced(answer: &[u8], from: &str, to: &str) -> Vec<u8> {
    let change = |(tag, body): (u8, Vec<u8>)| {
        let text = body
            .windows(from.len())
            .position(|it| it == from.as_bytes());
        let body = match text {
            Some(at) => [&body[..at], to.as_bytes(), &body[at + from.len()..]].concat(),
            None => body,
        };
        frame(tag, &body)
    };
    frames(answer).into_iter().flat_map(change).collect()
}

/// The answer with another message for each of that type.
fn changed(answer: &[u8], of: u8, change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let change = |(tag, body): (u8, Vec<u8>)| match tag {
        it if it == of => change(&body),
        _ => frame(tag, &body),
    };
    frames(answer).into_iter().flat_map(change).collect()
}

fn without(answer: &[u8], of: u8) -> Vec<u8> {
    changed(answer, of, |_| vec![])
}

fn celled(answer: &[u8], cell: fn(usize) -> Option<Vec<u8>>) -> Vec<u8> {
    changed(answer, b'D', |body| {
        let cells: Vec<_> = (0..cells(body).len()).map(cell).collect();
        let cells: Vec<_> = cells.iter().map(|it| it.as_deref()).collect();
        row(&cells)
    })
}

fn narrowed(answer: &[u8]) -> Vec<u8> {
    changed(answer, b'D', |body| {
        let cells = cells(body);
        let cells: Vec<_> = cells[1..].iter().map(|it| it.as_deref()).collect();
        row(&cells)
    })
}

fn widened(answer: &[u8]) -> Vec<u8> {
    changed(answer, b'D', |body| {
        let cells = cells(body);
        let cells = cells.iter().map(|it| it.as_deref());
        row(&cells.chain([Some(&b"more"[..])]).collect::<Vec<_>>())
    })
}

/// The answer with its first row only.
fn alone(answer: &[u8]) -> Vec<u8> {
    let mut first = true;
    let mut kept = frames(answer);
    kept.retain(|it| it.0 != b'D' || std::mem::take(&mut first));
    kept.into_iter()
        .flat_map(|(tag, body)| frame(tag, &body))
        .collect()
}

/// The description with another type for its first column.
fn typed(description: &[u8], oid: u32) -> Vec<u8> {
    let name = description[2..].iter().position(|it| *it == 0).unwrap();
    let at = 2 + name + 1 + 6;
    [
        &description[..at],
        &oid.to_be_bytes(),
        &description[at + 4..],
    ]
    .concat()
}

/// An array of texts that claims to have more elements than fit anywhere.
fn array(answer: &[u8]) -> Vec<u8> {
    const OF_TEXTS: u32 = 1009;
    let answer = changed(answer, b'T', |it| frame(b'T', &typed(it, OF_TEXTS)));
    celled(&answer, |_| {
        let parts = [1, 0, 25, i32::MAX, 1];
        Some(parts.iter().flat_map(|it| it.to_be_bytes()).collect())
    })
}

/// The description and the rows, and the rows again for ever.
fn again(answer: &[u8]) -> Reply {
    let rows: Vec<u8> = frames(answer)
        .into_iter()
        .filter(|it| it.0 == b'D')
        .flat_map(|(tag, body)| frame(tag, &body))
        .collect();
    let begin = without(&without(answer, b'C'), b'Z');
    Reply::Endless(Box::new(
        move |n| if n == 0 { begin.clone() } else { rows.clone() },
    ))
}

/// The answer but its end, and these messages for ever.
fn endless(answer: Vec<u8>, next: fn(u32) -> Vec<u8>) -> Reply {
    let begin = without(&answer, b'Z');
    if begin.len() == answer.len() {
        // It only asks for a password.
        return Reply::GoOn(answer);
    }
    Reply::Endless(Box::new(move |n| match n {
        0 => begin.clone(),
        _ => next(n),
    }))
}

fn setting(name: &str, length: usize) -> Vec<u8> {
    frame(b'S', format!("{name}\0{}\0", "x".repeat(length)).as_bytes())
}

fn notice(length: usize) -> Vec<u8> {
    let text = "x".repeat(length);
    frame(b'N', format!("SNOTICE\0C00000\0M{text}\0\0").as_bytes())
}

fn error(length: usize) -> Vec<u8> {
    let text = "ä".repeat(length / 2);
    let error = frame(b'E', format!("SERROR\0C22000\0M{text}\0\0").as_bytes());
    [error, frame(b'Z', b"E")].concat()
}

fn tell(double: &Double, (_, stage, lie): &(&str, &'static str, Lie)) {
    let (stage, lie) = (*stage, *lie);
    double.lie(move |question, answer| {
        if question.contains(stage) {
            lie(answer)
        } else {
            Reply::GoOn(answer)
        }
    });
}

/// What a user reads of a source that lies.
#[track_caller]
fn check(name: &str, said: &str) {
    assert!(!said.is_empty(), "{name}: nothing");
    assert!(said.chars().count() <= 560, "{name}: {said:.600}");
    for word in ["banner", "SSH", "HTTP", "panicked"] {
        assert!(!said.contains(word), "{name}: {said}");
    }
}

#[tokio::test]
async fn a_protocol_violation_at_the_first_contact_is_refused_with_a_json_pointer() {
    let (app, source) = (TestApp::start().await, Source::start(ACCOUNTS_TABLE).await);
    let double = Double::start().await;
    let person = app.register("Lies Ltd").await;
    let config = source.config_at(double.port(), accounts_object());
    for lie in LIES {
        tell(&double, lie);
        let begun = Instant::now();
        let answer = app
            .post(CONNECTIONS, &person, new_postgres_connection(&config))
            .await;
        assert!(
            begun.elapsed() < AT_ONCE,
            "{}: {:?}",
            lie.0,
            begun.elapsed()
        );
        let refused = answer.status == StatusCode::UNPROCESSABLE_ENTITY;
        assert!(refused, "{}: {answer}", lie.0);
        let error = &answer.json()["errors"][0];
        check(lie.0, error["detail"].as_str().unwrap());
    }
    double.repent();
    let id = connect_postgres(&app, &person, config).await;
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(done["result"]["written"], 1200, "{done}");
}

/// Lets a worker, a process of its own, sync a connection once. The job, and the most memory that
/// the worker had.
async fn synced(app: &TestApp, person: &Person, id: &str) -> (Value, usize) {
    let path = format!("{CONNECTIONS}/{id}/sync");
    let answer = app.post(&path, person, json!({ "mode": "full" })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer}");
    let job = answer.json()["job_id"].as_str().unwrap().to_owned();
    // The next failure is the last one.
    sqlx::query("update jobs set attempts = 2 where status = 'queued'")
        .execute(&app.database().pool())
        .await
        .unwrap();
    let memory = work_off(app).await;
    let done = app.get(&format!("/api/v1/tasks/{job}"), person).await;
    (done.json(), memory)
}

/// Its own process ends well, whatever a source sent.
async fn work_off(app: &TestApp) -> usize {
    let secrets = std::env::temp_dir().join(Uuid::now_v7().to_string());
    std::fs::write(&secrets, app.secrets_text()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker-for-tests"));
    command
        .env_clear()
        .env("DATABASE_URL", app.database().url())
        .env("SECRETS_FILE", &secrets);
    // The double is in this thread.
    let worker = tokio::task::spawn_blocking(move || command.output());
    let output = worker.await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    assert!(!said.contains("panicked"), "{said}");
    std::fs::remove_file(&secrets).unwrap();
    let memory = String::from_utf8(output.stdout).unwrap();
    memory.trim().parse().unwrap()
}

#[tokio::test]
async fn a_protocol_violation_fails_its_own_job_and_costs_little_memory() {
    let (app, source) = (TestApp::start().await, Source::start(ACCOUNTS_TABLE).await);
    let double = Double::start().await;
    let person = app.register("Lies Ltd").await;
    let config = source.config_at(double.port(), accounts_object());
    let id = connect_postgres(&app, &person, config).await;
    let (done, usual) = synced(&app, &person, &id).await;
    assert_eq!(done["status"], "success", "{done}");

    for lie in LIES.iter().chain(PAGES) {
        tell(&double, lie);
        let begun = Instant::now();
        let (done, memory) = synced(&app, &person, &id).await;
        assert!(
            begun.elapsed() < AT_ONCE,
            "{}: {:?}",
            lie.0,
            begun.elapsed()
        );
        check(lie.0, done["error"].as_str().unwrap_or_default());
        let more = memory.saturating_sub(usual) >> 20;
        assert!(more < 64, "{}: {more} MiB more", lie.0);
        // What comes after some progress is tried again.
        double.repent();
        end_leases(&app).await;
        work_off(&app).await;
    }
    double.repent();
    let (done, _) = synced(&app, &person, &id).await;
    assert_eq!(done["status"], "success", "{done}");
}

#[tokio::test]
async fn what_a_source_says_is_cut() {
    let shout = |length: usize| {
        format!(
            "create or replace function shout() returns text as
            $$ begin raise exception '%', repeat('ä', {length}); end $$ language plpgsql"
        )
    };
    let quiet = "create function shout() returns text as $$ select 'a' $$ language sql;
        create view accounts as select 'a' account_id, shout() name";
    let objects = json!([{ "table": "accounts", "entity": "account", "key": ["account_id"] }]);
    let (app, source, person, id) = set_up_postgres_source(quiet, objects).await;
    for length in [400_000, 10_000_000] {
        source.run(&shout(length)).await;
        let (done, _) = synced(&app, &person, &id).await;
        check("a raised error", done["error"].as_str().unwrap_or_default());
    }
    let sql = "select max(length(e::text)) from audit_log e";
    let pool = app.database().pool();
    let longest: i32 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
    assert!(longest < 4000, "{longest}");
}

#[tokio::test]
async fn a_pooler_may_hand_each_transaction_to_another_server() {
    let (app, source) = (TestApp::start().await, Source::start(ACCOUNTS_TABLE).await);
    let double = Double::pooling().await;
    let person = app.register("Pool Ltd").await;
    let config = source.config_at(double.port(), accounts_object());
    let id = connect_postgres(&app, &person, config).await;
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(done["result"]["written"], 1200, "{done}");
    let change = "update accounts set name = 'x', updated_at = now() where account_id < '0100'";
    source.run(change).await;
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(done["result"]["written"], 99, "{done}");
    source
        .run("delete from accounts where account_id > '1100'")
        .await;
    let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(done["result"]["deleted"], 100, "{done}");
}

#[tokio::test]
async fn no_accident_of_a_source_is_ours() {
    // Its own process: ten minutes of it are `cargo run -p tests --bin mutations 600`.
    let mut command = Command::new(env!("CARGO_BIN_EXE_mutations"));
    command.arg("4");
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
}
