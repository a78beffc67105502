//! The whole platform over a database of its own: the real routers, no port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use platform::auth::Auth;
use platform::auth::Verifier;
use platform::client_address::ClientAddress;
use platform::config::{AUDIENCE, JOBS_PER_TENANT, LOCAL_ISSUER, Realm};
use platform::db::ConnectOptions;
use platform::limit::{Limits, quota};
use platform::secrets::{Document, Secrets};
use platform::storage::StorageQuota;
use platform::{Config, Platform};
use schema::{EgressPolicy, TenantId, UserId};
use serde_json::{Value, json};
use sqlx::PgPool;
use tower::ServiceExt;
use uuid::Uuid;

use crate::postgres::{TestDatabase, database};

/// The password of everybody in the tests.
pub const PASSWORD: &str = "correct horse battery";

/// One key pair for the whole process: making one takes a while.
static SECRETS: LazyLock<String> =
    LazyLock::new(|| auth::keys::generate().expect("the system's randomness is there"));

/// The document that every test's platform reads, unless it has another one.
pub fn secrets() -> &'static str {
    &SECRETS
}

/// The platform of one test.
pub struct TestApp {
    /// What the routers hold.
    pub platform: Platform,
    /// The secrets it runs with, the signing key included.
    pub secrets: Arc<Document>,
    router: Router,
    owner: PgPool,
    // Dropped last, after every connection to it.
    database: TestDatabase,
}

/// How a test's platform differs from the usual one.
pub struct Setup {
    /// How often who may call. Wide by default, so that only tests of limits meet them.
    pub limits: Limits,
    /// Redis, where a test has one.
    pub redis: Option<platform::redis::Config>,
    /// Most connections to the database.
    pub connections: u32,
    /// Whether tokens are asked for.
    pub auth: bool,
    /// Whether anybody may register an organisation.
    pub open_registration: bool,
    /// The keys. Made for this process by default.
    pub secrets: Secrets,
    /// Which hosts a tenant may name. Any by default, as sources of tests are on this machine.
    pub egress: EgressPolicy,
    /// Most jobs of a tenant that run at once.
    pub jobs_per_tenant: u16,
}

impl Default for Setup {
    fn default() -> Setup {
        let wide = quota(1_000_000, 1_000_000);
        let limits = Limits {
            reads: wide,
            writes: wide,
            sign_in: wide,
            sign_in_address: wide,
            sign_in_account: wide,
        };
        Setup {
            limits,
            redis: None,
            connections: 8,
            auth: true,
            open_registration: true,
            secrets: Secrets::fixed(SECRETS.as_str().into()),
            egress: EgressPolicy::Any,
            jobs_per_tenant: JOBS_PER_TENANT,
        }
    }
}

/// Somebody signed in.
#[derive(Clone)]
pub struct Person {
    /// Their tenant.
    pub tenant: TenantId,
    /// Themselves.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// Their access token.
    pub token: String,
    /// Their refresh token.
    pub refresh_token: String,
}

impl TestApp {
    /// The usual platform.
    pub async fn start() -> TestApp {
        TestApp::with(Setup::default()).await
    }

    /// A platform set up in another way.
    pub async fn with(setup: Setup) -> TestApp {
        let database = database().await;
        let way = database.login();
        TestApp::over(database, way, setup).await
    }

    /// The same over a database that is reached in a way of its own.
    pub async fn over(database: TestDatabase, way: ConnectOptions, setup: Setup) -> TestApp {
        let auth = if setup.auth {
            let (issuer, audience) = (LOCAL_ISSUER.to_owned(), AUDIENCE.to_owned());
            Auth::On(Box::new(Verifier::new(issuer, audience)))
        } else {
            Auth::Off
        };
        let platform = Platform::new(Config {
            database: way.into(),
            database_connections: setup.connections,
            redis: setup.redis,
            realm: Realm::default(),
            open_registration: setup.open_registration,
            auth,
            secrets: setup.secrets,
            limits: setup.limits,
            storage: StorageQuota::default(),
            queue: Arc::new(platform::queue::Local::default()),
            jobs_per_tenant: setup.jobs_per_tenant,
            cors_origins: vec!["https://app.example".parse().expect("an origin")],
            egress: setup.egress,
        })
        .expect("nothing is contacted yet");
        let secrets = platform.secrets.get().await.expect("they can be read");
        let router = local::gateway::service(&platform);
        TestApp {
            platform,
            secrets,
            router,
            owner: database.pool(),
            database,
        }
    }

    /// The document that a process of this platform reads its secrets from.
    pub fn secrets_text(&self) -> &'static str {
        &SECRETS
    }

    /// The database below it, as its owner, whom no row-level security binds.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Connections of the database's owner for short statements. To open some for each statement
    /// takes longer than most statements.
    pub fn owner(&self) -> &PgPool {
        &self.owner
    }

    /// A new organisation with its admin.
    pub async fn register(&self, name: &str) -> Person {
        let slug = name.to_lowercase().replace(' ', "-");
        let email = format!("{slug}@{}.example", Uuid::now_v7().simple());
        let new = json!({ "name": name, "email": email, "password": PASSWORD });
        let answer = self.post("/api/v1/auth/register", None, new).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer}");
        Person::from_session(&answer.json())
    }

    /// GET as somebody, or as nobody.
    pub async fn get(&self, path: &str, person: impl Into<Option<&Person>>) -> Answer {
        self.send(Method::GET, path, person.into(), Body::empty(), &[])
            .await
    }

    /// DELETE as somebody, or as nobody.
    pub async fn delete(&self, path: &str, person: impl Into<Option<&Person>>) -> Answer {
        self.send(Method::DELETE, path, person.into(), Body::empty(), &[])
            .await
    }

    /// POST of a JSON value as somebody, or as nobody.
    pub async fn post(
        &self,
        path: &str,
        person: impl Into<Option<&Person>>,
        body: Value,
    ) -> Answer {
        let body = Body::from(body.to_string());
        self.send(Method::POST, path, person.into(), body, &[JSON])
            .await
    }

    /// PATCH of a JSON value as somebody, or as nobody.
    pub async fn patch(
        &self,
        path: &str,
        person: impl Into<Option<&Person>>,
        body: Value,
    ) -> Answer {
        let body = Body::from(body.to_string());
        self.send(Method::PATCH, path, person.into(), body, &[JSON])
            .await
    }

    /// Any request as somebody, or as nobody.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        person: Option<&Person>,
        body: Body,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(person) = person {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", person.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let address = ClientAddress(Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))));
        let request = request
            .extension(address)
            .body(body)
            .expect("the test's own request");
        self.call(request).await
    }

    /// A request as it is.
    pub async fn call(&self, request: Request<Body>) -> Answer {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("a router answers");
        Answer::read(response).await
    }
}

/// The header of a JSON body.
pub const JSON: (&str, &str) = ("content-type", "application/json");

impl Person {
    /// Who an answer of register, login or refresh signs in.
    pub fn from_session(session: &Value) -> Person {
        let text = |pointer: &str| {
            let value = session.pointer(pointer).and_then(Value::as_str);
            value
                .unwrap_or_else(|| panic!("no {pointer} in {session}"))
                .to_owned()
        };
        Person {
            tenant: text("/user/tenant_id").parse().expect("a UUID"),
            user: text("/user/id").parse().expect("a UUID"),
            email: text("/user/email"),
            token: text("/access_token"),
            refresh_token: text("/refresh_token"),
        }
    }
}

/// What a client sees.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// The whole of a response.
    pub async fn read(response: Response) -> Answer {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX)
            .await
            .expect("a body ends");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|err| panic!("{err} in the body of {self}"))
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|it| it.to_str().expect("ASCII"))
    }

    /// The body of a refusal, which must say so as RFC 9457 has it, under the trace of its header.
    pub fn problem(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self}"
        );
        let body = self.json();
        for name in ["type", "title", "code", "detail", "trace_id"] {
            assert!(body[name].is_string(), "no {name} in {self}");
        }
        assert_eq!(body["status"], self.status.as_u16(), "{self}");
        assert_eq!(body["trace_id"].as_str(), self.header("x-trace-id"));
        if self.status == StatusCode::UNPROCESSABLE_ENTITY {
            assert!(body["errors"][0]["pointer"].is_string(), "{self}");
        }
        if self.status == StatusCode::UNAUTHORIZED {
            assert_eq!(self.header("www-authenticate"), Some("Bearer"));
        }
        body
    }

    /// The `detail` of a problem.
    pub fn detail(&self) -> String {
        let body = self.json();
        body["detail"]
            .as_str()
            .unwrap_or_else(|| panic!("no detail in {self}"))
            .to_owned()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\n{}",
            self.status,
            String::from_utf8_lossy(&self.body)
        )
    }
}
