//! A function as a process, in the environment that Lambda gives.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use super::api::{Api, Call, Failed, PATIENCE};
use super::output::Output;
use crate::app::TestApp;

/// A function that runs. Dropping it kills it.
pub struct Function {
    api: Api,
    child: Child,
    logs: Output,
    metrics: Output,
    secrets: PathBuf,
}

impl Function {
    /// Starts `binary`, the program `function`, as the function of that name over the
    /// application's database.
    pub async fn start(binary: &str, name: &str, app: &TestApp) -> Function {
        let url = app.database().url();
        Function::with(binary, name, app, &[("DATABASE_URL", &url)]).await
    }

    /// The same with more in its environment.
    pub async fn with(
        binary: &str,
        name: &str,
        app: &TestApp,
        environment: &[(&str, &str)],
    ) -> Function {
        let api = Api::start().await;
        let secrets = std::env::temp_dir().join(uuid::Uuid::now_v7().to_string());
        std::fs::write(&secrets, app.secrets_text()).expect("a temporary file");
        let endpoint = format!("http://{}", api.address());
        let mut child = Command::new(binary)
            .arg(name)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", format!("autonomos-{name}"))
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "tested")
            .env("AWS_SECRET_ACCESS_KEY", "tested")
            .env("AWS_ENDPOINT_URL", &endpoint)
            .env("JOBS_QUEUE_URL", format!("{endpoint}/000000000000/jobs"))
            .env("SECRETS_FILE", &secrets)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|err| panic!("{err}: {binary}"));
        let logs = Output::read(child.stderr.take().expect("it is piped"));
        let metrics = Output::read(child.stdout.take().expect("it is piped"));
        Function {
            api,
            child,
            logs,
            metrics,
            secrets,
        }
    }

    /// Calls it, with plenty of time.
    pub async fn invoke(&self, event: Value) -> Result<Value, Failed> {
        self.invoke_within(event, PATIENCE).await
    }

    /// Calls it. After that time Lambda would end it.
    pub async fn invoke_within(&self, event: Value, time: Duration) -> Result<Value, Failed> {
        let answer = self.begin(event, time);
        let answer = tokio::time::timeout(PATIENCE * 2, answer).await;
        answer.expect("an answer in time").expect("an answer")
    }

    /// Calls it and does not wait.
    pub fn begin(&self, event: Value, time: Duration) -> oneshot::Receiver<Result<Value, Failed>> {
        self.api.invoke(event, time)
    }

    /// What it asked of SQS, once that is enough.
    pub async fn calls(&self, enough: impl Fn(&[Call]) -> bool) -> Vec<Call> {
        self.api.calls(enough).await
    }

    /// The first log line that is meant.
    pub async fn log(&self, meant: impl Fn(&Value) -> bool) -> Value {
        self.logs.line(meant).await
    }

    /// The first line of metrics that is meant.
    pub async fn metrics(&self, meant: impl Fn(&Value) -> bool) -> Value {
        self.metrics.line(meant).await
    }

    /// Ends it as Lambda does, by a signal that it hears.
    pub fn terminate(&mut self) -> ExitStatus {
        let kill = format!("kill -TERM {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.expect("a shell").success());
        self.child.wait().expect("it ends")
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it was killed");
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.secrets);
    }
}
