//! The platform as a process: started, stopped, killed, started again.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use local::postgres::Binaries;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

/// A platform of its own, in a folder of its own; dropping it kills it.
struct Process {
    child: Child,
    base: String,
    _output: BufReader<ChildStdout>,
}

struct Installation {
    dev: PathBuf,
    port: u16,
}

impl Installation {
    fn new() -> Installation {
        let dev = std::env::temp_dir().join(uuid::Uuid::now_v7().to_string());
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        Installation {
            dev,
            port: listener.local_addr().unwrap().port(),
        }
    }

    fn command(&self) -> Command {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev");
        let set = std::env::var_os("PG_BIN").map(PathBuf::from);
        let binaries = Binaries::find(set.as_deref(), &workspace, &mut |_| {}).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command
            .env("LOCAL_DEV", &self.dev)
            .env("PG_BIN", binaries.folder());
        command.env("PORT", self.port.to_string());
        command
            .env_remove("DATABASE_URL")
            .env_remove("SUPABASE_DATABASE_URL");
        command
    }

    fn start(&self) -> Process {
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("answers on") {
            line.clear();
            assert!(
                output.read_line(&mut line).unwrap() > 0,
                "it ended before it answered"
            );
        }
        let base = line.trim().rsplit(' ').next().unwrap().to_owned();
        Process {
            child,
            base,
            _output: output,
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dev);
    }
}

impl Process {
    fn signal(&mut self, name: &str) -> ExitStatus {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Client {
    async fn sign_in(base: &str) -> Client {
        let http = reqwest::Client::new();
        let login = json!({
            "email": local::start::DEMO_EMAIL,
            "password": local::start::DEMO_PASSWORD,
        });
        let path = format!("{base}/api/v1/auth/login");
        let answer = http.post(path).json(&login).send().await.unwrap();
        let session: Value = answer.error_for_status().unwrap().json().await.unwrap();
        let token = session["access_token"].as_str().unwrap().to_owned();
        Client {
            http,
            base: base.to_owned(),
            token,
        }
    }

    async fn get(&self, path: &str) -> Value {
        let request = self
            .http
            .get(format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        let answer = request.send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }

    async fn connect(&self) -> String {
        let new = json!({ "name": "Files", "source_type": "filesource", "connector_config": {} });
        let path = format!("{}/api/v1/aam/connections", self.base);
        let request = self.http.post(path).bearer_auth(&self.token).json(&new);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.json::<Value>().await.unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn upload(&self, connection: &str, file: String) -> reqwest::Result<Value> {
        let path = format!(
            "{}/api/v1/filesource/upload?connection_id={connection}",
            self.base
        );
        let form = Form::new().part("file", Part::text(file).file_name("accounts_crm.csv"));
        let request = self
            .http
            .post(path)
            .bearer_auth(&self.token)
            .multipart(form);
        request.send().await?.error_for_status()?.json().await
    }
}

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
async fn a_second_start_finds_the_same_data_and_reset_erases_it() {
    let place = Installation::new();
    let mut process = place.start();
    let connection = Client::sign_in(&process.base).await.connect().await;
    let refused = place.run(&["reset"]);
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("in use by process"), "{said}");
    assert!(process.signal("INT").success());

    let mut process = place.start();
    let path = format!("/api/v1/aam/connections/{connection}");
    let found = Client::sign_in(&process.base).await.get(&path).await;
    assert_eq!(found["name"], "Files");
    assert!(process.signal("TERM").success());

    assert!(place.run(&["reset"]).status.success());
    let process = place.start();
    let list = Client::sign_in(&process.base)
        .await
        .get("/api/v1/aam/connections")
        .await;
    assert_eq!(list["total"], 0, "{list}");
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
    assert!(place.run(&["reset"]).status.success());
    assert!(!place.dev.join("lambda.env").exists());
}

#[test]
fn a_taken_port_is_said_in_a_sentence() {
    let place = Installation::new();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", place.port)).unwrap();
    let output = place.run(&[]);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
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

#[test]
fn the_demo_starts_a_platform_of_its_own_and_ends_it() {
    let place = Installation::new();
    let output = place.run(&["demo", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["ingest"]["total"]["rows_read"], 21);
    assert_eq!(figures["ingest"]["total"]["written"], 20);
    assert_eq!(figures["ingest"]["total"]["quarantined"], 1);
    assert_eq!(figures["quarantine"][0]["field"], "amount");
    assert_eq!(figures["exports"]["total"]["written"], 7);
    assert_eq!(figures["proposals"][0]["entity"], "account");
    assert_eq!(figures["together"].as_array().unwrap().len(), 2);
    assert_eq!(figures["counts"]["accounts"], 13);
    assert_eq!(figures["again"]["unchanged"], 20);
    assert_eq!(figures["drift"]["severity"], "high");
}

#[test]
fn a_demo_without_files_says_what_it_takes() {
    let place = Installation::new();
    std::fs::create_dir_all(&place.dev).unwrap();
    let empty = place.dev.join("empty");
    std::fs::create_dir(&empty).unwrap();
    let output = place.run(&["demo", "--dir", empty.to_str().unwrap()]);
    assert!(!output.status.success());
    let mut said = String::new();
    output.stderr.as_slice().read_to_string(&mut said).unwrap();
    assert!(
        said.contains("has no CSV or TSV file: put some there"),
        "{said}"
    );
}
