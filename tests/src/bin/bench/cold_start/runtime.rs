//! Lambda's runtime API for one event: enough for a function to start, answer once and be ended.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// A `GET /health/live` as API Gateway sends it to a function.
const EVENT: &str = r#"{
    "version": "2.0", "routeKey": "$default", "rawPath": "/health/live", "rawQueryString": "",
    "headers": { "accept": "*/*", "host": "api.example", "user-agent": "bench" },
    "requestContext": {
        "accountId": "000000000000", "apiId": "api", "domainName": "api.example",
        "http": {
            "method": "GET", "path": "/health/live", "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1", "userAgent": "bench"
        },
        "requestId": "one", "routeKey": "$default", "stage": "$default",
        "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1767225600000
    },
    "isBase64Encoded": false
}"#;

/// Longer than any start takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How one start went.
pub(crate) struct Start {
    /// From before exec until the answer was here.
    pub(crate) time: Duration,
    pub(crate) peak_kilobytes: u64,
}

/// What an extension is told when it registers.
const EXTENSION: &str = r#"{"functionName":"bench","functionVersion":"1","handler":"bootstrap"}"#;

/// A runtime API on a port of this machine.
pub(crate) struct Runtime {
    address: SocketAddr,
    /// The path and body of each POST, as a function sent it.
    answers: Receiver<(String, Vec<u8>)>,
    secrets: PathBuf,
    /// What the function that runs has to say.
    log: PathBuf,
}

/// Ends with its owner.
struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Runtime {
    /// `folder` holds what functions read and write.
    pub(crate) fn new(folder: &Path) -> anyhow::Result<Runtime> {
        let secrets = folder.join("secrets.json");
        fs::write(&secrets, auth::keys::generate()?)?;
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let (sender, answers) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                // A connection ends with its function.
                thread::spawn(move || drop(serve(stream, &sender)));
            }
        });
        Ok(Runtime {
            address,
            answers,
            secrets,
            log: folder.join("log"),
        })
    }

    /// Starts the program, waits for its first answer and ends it.
    pub(crate) fn start(&self, program: &Path) -> anyhow::Result<Start> {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", self.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_REGION", "eu-central-1")
            .env("SECRETS_FILE", &self.secrets)
            // Nothing listens there: a start asks no database.
            .env("DATABASE_URL", "postgres://nobody@127.0.0.1:9/nothing")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&self.log)?);
        let before = Instant::now();
        let function = Function(command.spawn()?);
        let (path, body) = self
            .answers
            .recv_timeout(PATIENCE)
            .with_context(|| format!("{} gives no answer", program.display()))?;
        let time = before.elapsed();
        let answer: Value = serde_json::from_slice(&body)?;
        ensure!(
            path.ends_with("/response") && answer["statusCode"] == 200,
            "{path}: {answer}"
        );
        let peak_kilobytes = peak(function.0.id())?;
        Ok(Start {
            time,
            peak_kilobytes,
        })
    }
}

/// Answers one connection: the event to whoever asks first, then whatever is posted.
fn serve(mut stream: TcpStream, answers: &Sender<(String, Vec<u8>)>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (method, path, body) = request(&mut reader)?;
        match (method.as_str(), path.as_str()) {
            ("POST", "/2020-01-01/extension/register") => write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 lambda-extension-identifier: one\r\n\r\n{EXTENSION}",
                EXTENSION.len()
            )?,
            // An extension that asks for no events hears of none.
            ("GET", "/2020-01-01/extension/event/next") => {
                reader.read_to_end(&mut Vec::new())?;
            }
            ("GET", _) => write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 lambda-runtime-aws-request-id: one\r\nlambda-runtime-deadline-ms: 9999999999999\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:000000000000:function:bench\r\n\
                 \r\n{EVENT}",
                EVENT.len()
            )?,
            _ => {
                answers.send((path, body))?;
                // A second event never comes: the function is ended while it waits.
                stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")?;
                reader.read_to_end(&mut Vec::new())?;
            }
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> anyhow::Result<(String, String, Vec<u8>)> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        bail!("the connection has ended")
    };
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_lowercase();
        match line.split_once(':') {
            None => break,
            Some(("content-length", value)) => length = value.trim().parse()?,
            Some(("transfer-encoding", value)) => chunked = value.contains("chunked"),
            Some(_) => {}
        }
    }
    if chunked {
        return Ok((method, path, chunks(reader)?));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((method, path, body))
}

fn chunks(reader: &mut BufReader<TcpStream>) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16)?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// The most memory that a process has held.
fn peak(id: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let number = line.and_then(|it| it.split_whitespace().next());
    Ok(number.context("Linux says no VmHWM")?.parse()?)
}
