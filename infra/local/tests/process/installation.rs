//! A platform in a folder of its own, and who signs in to it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use local::postgres::{Binaries, Profile, Server};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

/// A platform of its own, in a folder of its own; dropping it kills it.
pub(crate) struct Process {
    child: Child,
    pub(crate) base: String,
    _output: BufReader<ChildStdout>,
}

pub(crate) struct Installation {
    pub(crate) dev: PathBuf,
    pub(crate) port: u16,
}

impl Installation {
    pub(crate) fn new() -> Installation {
        let dev = std::env::temp_dir().join(uuid::Uuid::now_v7().to_string());
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        Installation {
            dev,
            port: listener.local_addr().unwrap().port(),
        }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command
            .env("LOCAL_DEV", &self.dev)
            .env("PG_BIN", binaries().folder())
            // Whoever asks for backtraces wants none where a sentence says it all.
            .env("RUST_BACKTRACE", "1");
        command.env("PORT", self.port.to_string());
        command
            .env_remove("DATABASE_URL")
            .env_remove("SUPABASE_DATABASE_URL");
        command
    }

    pub(crate) fn start(&self) -> Process {
        self.start_with(&[])
    }

    /// Starts it with these variables besides.
    pub(crate) fn start_with(&self, variables: &[(&str, &str)]) -> Process {
        let mut child = self
            .command()
            .envs(variables.iter().copied())
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

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs it with somebody at the keyboard.
    pub(crate) fn run_and_type(&self, arguments: &[&str], typed: &str) -> Output {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who is not asked does not listen.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        child.wait_with_output().unwrap()
    }
}

/// A PostgreSQL that somebody else runs, in a folder of its own.
pub(crate) struct Foreign {
    pub(crate) server: Server,
    folder: PathBuf,
}

impl Foreign {
    pub(crate) fn start() -> Foreign {
        let folder = std::env::temp_dir().join(uuid::Uuid::now_v7().to_string());
        let binaries = binaries();
        let server = Server::start(&binaries, &folder.join("data"), Profile::Disposable).unwrap();
        Foreign { server, folder }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url().unwrap()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// PostgreSQL's programs.
pub(crate) fn binaries() -> Binaries {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev");
    let set = std::env::var_os("PG_BIN").map(PathBuf::from);
    Binaries::find(set.as_deref(), &workspace, &mut |_| {}).unwrap()
}

/// What a command that failed has said.
pub(crate) fn complaint(output: Output) -> String {
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "it succeeded: {said}");
    assert!(!said.contains("stack backtrace"), "{said}");
    said
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dev);
    }
}

impl Process {
    pub(crate) fn signal(&mut self, name: &str) -> ExitStatus {
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

pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    base: String,
    pub(crate) token: String,
}

impl Client {
    pub(crate) async fn sign_in(base: &str) -> Client {
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

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self
            .http
            .get(format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        let answer = request.send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }

    pub(crate) async fn connect(&self) -> String {
        let new = json!({ "name": "Files", "source_type": "filesource", "connector_config": {} });
        let path = format!("{}/api/v1/aam/connections", self.base);
        let request = self.http.post(path).bearer_auth(&self.token).json(&new);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.json::<Value>().await.unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Changes something that is written to the audit log, and says with which status.
    pub(crate) async fn change(&self) -> u16 {
        let new = json!({ "name": uuid::Uuid::now_v7().to_string(), "scopes": ["read"] });
        let path = format!("{}/api/v1/auth/api-keys", self.base);
        let request = self.http.post(path).bearer_auth(&self.token).json(&new);
        request.send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn upload(&self, connection: &str, file: String) -> reqwest::Result<Value> {
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
