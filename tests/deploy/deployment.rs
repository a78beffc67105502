//! What the steps find: the stack, somebody signed in, and the database behind it all.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};
use tests::app::Person;
use tests::postgres::{TestDatabase, empty_database};

use crate::aws::Aws;
use crate::gateway::Gateway;
use crate::ministack::MiniStack;
use crate::queue::Queue;
use crate::stack::Stack;
use crate::wait::until;

/// The stack and who uses it.
pub(crate) struct Deployment {
    pub(crate) aws: Aws,
    pub(crate) stack: Stack,
    pub(crate) api: Gateway,
    pub(crate) person: Person,
    /// The person's, of files.
    pub(crate) connection: String,
    /// The database, as its owner, whom no row-level security binds.
    pub(crate) pool: PgPool,
    pub(crate) ministack: MiniStack,
    _database: TestDatabase,
}

impl Deployment {
    pub(crate) async fn start() -> Deployment {
        // The stack makes the tables.
        let (ministack, database) = (MiniStack::start().await.unwrap(), empty_database().await);
        let aws = Aws::new(&ministack.endpoint);
        let url = database.url();
        let architecture = match std::env::consts::ARCH {
            "aarch64" => "arm64",
            other => other,
        };
        let parameters = [
            ("AlarmEmail", "none"),
            ("Architecture", architecture),
            ("DatabaseUrl", &url),
        ];
        let stack = Stack::create(&aws, &parameters).await;
        let api = Gateway::new(&ministack.endpoint, stack.output("ApiUrl"));
        signs(&aws, &stack).await;
        let person = api.register("Deployed Ltd").await;
        let connection = api.connect(&person).await;
        Deployment {
            aws,
            stack,
            api,
            person,
            connection,
            pool: database.pool(),
            ministack,
            _database: database,
        }
    }

    /// A queue, by the output that is its URL.
    pub(crate) fn queue(&self, output: &str) -> Queue<'_> {
        Queue::new(&self.aws, self.stack.output(output))
    }

    /// A new key of the person's that may ingest.
    pub(crate) async fn api_key(&self) -> String {
        let new = json!({ "name": "queue", "scopes": ["ingest"] });
        let token = self.person.token.as_str();
        let answer = self.api.post("/api/v1/auth/api-keys", token, new).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer}");
        answer.json()["key"].as_str().unwrap().to_owned()
    }

    /// A call to Secrets Manager.
    pub(crate) async fn secrets(&self, action: &str, body: Value) -> Value {
        secrets(&self.aws, action, body).await
    }

    /// The number that a query gives.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.pool).await.unwrap();
    }

    /// Lets nobody write to a table until the transaction ends; everybody may read.
    pub(crate) async fn lock(&self, table: &str) -> Transaction<'static, Postgres> {
        let mut lock = self.pool.begin().await.unwrap();
        let sql = AssertSqlSafe(format!("lock table {table} in exclusive mode"));
        sqlx::raw_sql(sql).execute(&mut *lock).await.unwrap();
        lock
    }

    /// Waits until a function waits for a lock, in the middle of its transaction.
    pub(crate) async fn somebody_waits(&self) {
        const WAITING: &str = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'";
        until("a function in the middle of its work", async || {
            (self.count(WAITING).await > 0).then_some(())
        })
        .await;
    }
}

/// Waits until the first rotation has made the keys.
async fn signs(aws: &Aws, stack: &Stack) {
    let id = json!({ "SecretId": stack.resource("AuthSecret") });
    until("the first rotation", async || {
        let value = secrets(aws, "GetSecretValue", id.clone()).await;
        let document: Value = serde_json::from_str(value["SecretString"].as_str()?).ok()?;
        document.get("signing_key").map(|_| ())
    })
    .await;
}

async fn secrets(aws: &Aws, action: &str, body: Value) -> Value {
    let target = format!("secretsmanager.{action}");
    aws.json("secretsmanager", &target, body).await
}
