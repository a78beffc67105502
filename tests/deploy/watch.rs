//! `cargo lambda watch`: the functions behind one port of this machine.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use local::child_process::Process;
use serde_json::Value;
use structure_lint::bundle;
use tests::app::{JSON, Person, TestApp};
use tests::fixtures::users;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::ministack::inherited;
use crate::stack::root;
use crate::wait::until;

const FUNCTIONS: [&str; 5] = [
    "auth",
    "aam-connect",
    "aam-monitor",
    "dcl-query",
    "event-ingest",
];

/// A `cargo lambda watch` with the functions as they are deployed, instead of compiling them.
struct Watch {
    address: String,
    folder: PathBuf,
    processes: Vec<Process>,
    client: reqwest::Client,
}

impl Watch {
    async fn start(app: &TestApp) -> Watch {
        let folder = std::env::temp_dir().join(format!("watch-{}", Uuid::now_v7().simple()));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("secrets.json"), app.secrets_text()).unwrap();
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr();
        let port = free.unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30));
        let mut watch = Watch {
            address,
            folder,
            processes: vec![],
            client: client.build().unwrap(),
        };
        watch.lambda(port);
        until("cargo lambda watch", async || {
            TcpStream::connect(&watch.address).await.ok()
        })
        .await;
        for name in FUNCTIONS {
            watch.function(name, app);
        }
        watch
    }

    fn lambda(&mut self, port: u16) {
        let program = cargo_lambda();
        let nothing = self.folder.join("nothing.env");
        fs::write(&nothing, "").unwrap();
        let log = File::create(self.folder.join("watch.log")).unwrap();
        let errors = log.try_clone().unwrap();
        let process = Process::start(program.as_os_str(), |command| {
            command.args(["lambda", "watch", "--only-lambda-apis"]);
            command.args(["--invoke-address", "127.0.0.1", "--invoke-port"]);
            command.arg(port.to_string()).current_dir(root());
            // Not the one of the manifest, which `cargo run` writes.
            command.arg("--env-file").arg(&nothing);
            command.env_clear().envs(inherited());
            command.stdout(log).stderr(errors);
        });
        self.processes.push(process.unwrap());
    }

    fn function(&mut self, name: &str, app: &TestApp) {
        let program = self.folder.join(name);
        unpack(name, &program);
        let log = File::create(program.with_extension("log")).unwrap();
        let errors = log.try_clone().unwrap();
        let process = Process::start(program.as_os_str(), |command| {
            command
                .env_clear()
                .env(
                    "AWS_LAMBDA_RUNTIME_API",
                    format!("http://{}/.rt/{name}", self.address),
                )
                .env("AWS_LAMBDA_FUNCTION_NAME", name)
                .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
                .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "4096")
                .env("DATABASE_URL", app.database().url())
                .env("SECRETS_FILE", self.folder.join("secrets.json"))
                .stdout(log)
                .stderr(errors);
        });
        self.processes.push(process.unwrap());
    }

    async fn send(&self, method: &Method, path: &str, person: Option<&Person>) -> Seen {
        let url = format!("http://{}{path}", self.address);
        let mut request = self.client.request(method.clone(), url);
        if let Some(person) = person {
            request = request.bearer_auth(&person.token);
        }
        if has_body(method) {
            request = request.header(JSON.0, JSON.1).body(BODY);
        }
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("content-type");
        let kind = kind.map(|it| it.to_str().unwrap().to_owned());
        let status = answer.status();
        Seen::new(status, kind, &answer.bytes().await.unwrap())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The functions first: nobody hands them events any more.
        while let Some(mut process) = self.processes.pop() {
            let _ = process.stop();
        }
        if std::thread::panicking() {
            for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
                if file.path().extension().is_some_and(|it| it == "log") {
                    let log = fs::read_to_string(file.path()).unwrap_or_default();
                    eprintln!("{}:\n{log}", file.path().display());
                }
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The one that tests/run installs.
fn cargo_lambda() -> PathBuf {
    let wheels = fs::read_dir(tests::dev().join("wheels")).unwrap().flatten();
    let programs = wheels.map(|it| it.path().join("bin/cargo-lambda"));
    let installed = programs.filter(|it| it.is_file()).max();
    installed.expect("tests/run installs cargo-lambda")
}

fn unpack(name: &str, program: &Path) {
    let zip = root().join(format!("target/bundle-test/{name}.zip"));
    let zip = fs::read(&zip)
        .unwrap_or_else(|err| panic!("{err}: {}; tests/run builds it", zip.display()));
    fs::write(program, bundle::unpack(&zip).unwrap()).unwrap();
    fs::set_permissions(program, fs::Permissions::from_mode(0o700)).unwrap();
}

const BODY: &str = r#"{"unknown":1}"#;

fn has_body(method: &Method) -> bool {
    [Method::POST, Method::PATCH].contains(method)
}

/// What of an answer is the same wherever it comes from.
#[derive(Debug, PartialEq)]
struct Seen {
    status: StatusCode,
    kind: Option<String>,
    /// What is wrong, where something is.
    problem: Option<(Value, Value)>,
    keys: BTreeSet<String>,
}

impl Seen {
    fn new(status: StatusCode, kind: Option<String>, body: &[u8]) -> Seen {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let keys = body.as_object().into_iter().flatten();
        Seen {
            status,
            kind,
            problem: (!status.is_success()).then(|| (body["code"].clone(), body["detail"].clone())),
            keys: keys.map(|(key, _)| key.clone()).collect(),
        }
    }
}

async fn direct(app: &TestApp, method: &Method, path: &str, person: Option<&Person>) -> Seen {
    let (body, headers) = match has_body(method) {
        true => (Body::from(BODY), &[JSON][..]),
        false => (Body::empty(), &[][..]),
    };
    let answer = app.send(method.clone(), path, person, body, headers).await;
    let kind = answer.header("content-type").map(str::to_owned);
    Seen::new(answer.status, kind, &answer.body)
}

#[tokio::test]
async fn each_operation_answers_as_under_cargo_run() {
    let app = TestApp::start().await;
    let (mut ann, mut bob) = (app.register("Ann Ltd").await, app.register("Bob Ltd").await);
    let watch = Watch::start(&app).await;
    let document = app.get("/openapi.json", None).await.json();
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths {
        let path = path.split('/').map(|it| match it {
            "{view}" => "accounts",
            it if it.starts_with('{') => "00000000-0000-0000-0000-000000000000",
            it => it,
        });
        let path = path.collect::<Vec<_>>().join("/");
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            // One person for each side: a call may end all tokens of who makes it.
            for is_signed_in in [false, true] {
                let caller = |person| is_signed_in.then_some(person);
                let there = watch.send(&method, &path, caller(&ann)).await;
                let here = direct(&app, &method, &path, caller(&bob)).await;
                assert_eq!(there, here, "{method} {path} {is_signed_in}");
                if there.status == StatusCode::NO_CONTENT {
                    ann = users::login(&app, &ann).await;
                    bob = users::login(&app, &bob).await;
                }
            }
        }
    }
}
