//! A durable PostgreSQL with the platform's routers over it.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use platform::auth::Auth;
use platform::auth::DEV_TENANT;
use platform::config::Realm;
use platform::db::roles::{Class, admit};
use platform::limit::{Limits, quota};
use platform::secrets::Secrets;
use platform::{Config, Platform, db};
use schema::ConnectionId;
use serde_json::Value;
use sqlx::PgPool;
use tower::ServiceExt;
use uuid::Uuid;

use local::postgres::{Binaries, Profile, Server, erase};

/// Everything that a benchmark of routes needs. One thread, as in a function.
pub(crate) struct World {
    pub(crate) pool: PgPool,
    pub(crate) connection: ConnectionId,
    pub(crate) platform: Platform,
    router: Router,
    // Stopped last.
    _server: Server,
}

impl World {
    pub(crate) async fn new() -> anyhow::Result<World> {
        let dev = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.dev");
        let pg_bin = std::env::var_os("PG_BIN");
        let binaries = Binaries::find(pg_bin.as_deref().map(Path::new), &dev, &mut |it| {
            eprintln!("{it}");
        })?;
        let data = dev.join("bench-postgres/data");
        erase(&data)?;
        let server = Server::start(&binaries, &data, Profile::Lasting)?;
        let options = server.options()?;
        let pool = PgPool::connect_with(options.clone()).await?;
        let mut owner = pool.acquire().await?;
        db::migrate(&mut owner).await?;
        admit(&mut owner, "autonomos_bench", Class::Local, None).await?;
        drop(owner);
        let connection = seed(&pool).await?;
        let platform = platform(options.username("autonomos_bench"))?;
        let router = local::gateway::service(&platform);
        Ok(World {
            pool,
            connection,
            platform,
            router,
            _server: server,
        })
    }

    /// POST as the development admin; the answer must be a success.
    pub(crate) async fn post(&self, path: &str, body: Vec<u8>) -> anyhow::Result<Value> {
        self.post_as("application/json", path, body).await
    }

    /// The same with a body of that type.
    pub(crate) async fn post_as(
        &self,
        content_type: &str,
        path: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<Value> {
        let request = Request::post(path)
            .header("content-type", content_type)
            .body(Body::from(body))?;
        self.call(request).await
    }

    /// GET as the development admin; the answer must be a success.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Request::get(path).body(Body::empty())?).await
    }

    async fn call(&self, request: Request<Body>) -> anyhow::Result<Value> {
        let response = self.router.clone().oneshot(request).await?;
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
        let success = (StatusCode::OK..StatusCode::MULTIPLE_CHOICES).contains(&status);
        anyhow::ensure!(success, "{status}: {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body)?)
    }
}

fn platform(database: db::ConnectOptions) -> anyhow::Result<Platform> {
    let secrets = Secrets::fixed(auth::keys::generate()?.into());
    let wide = quota(1_000_000_000, 1_000_000_000);
    Platform::new(Config {
        database: database.into(),
        database_connections: 4,
        redis: None,
        realm: Realm::default(),
        open_registration: true,
        auth: Auth::Off,
        secrets,
        limits: Limits {
            reads: wide,
            writes: wide,
            sign_in: wide,
            sign_in_address: wide,
            sign_in_account: wide,
        },
        storage: platform::storage::StorageQuota::default(),
        queue: std::sync::Arc::new(platform::queue::Local::default()),
        jobs_per_tenant: platform::config::JOBS_PER_TENANT,
        cors_origins: vec![],
        egress: schema::EgressPolicy::Any,
    })
}

async fn seed(pool: &PgPool) -> anyhow::Result<ConnectionId> {
    sqlx::query("insert into tenants (id, name) values ($1, 'Bench')")
        .bind(DEV_TENANT)
        .execute(pool)
        .await?;
    let id = ConnectionId(Uuid::now_v7());
    sqlx::query(
        "insert into connections
           (tenant_id, id, name, source_type, status, connector_config, created_at, updated_at)
         values ($1, $2, 'bench', 'salesforce', 'ACTIVE', '{}', now(), now())",
    )
    .bind(DEV_TENANT)
    .bind(id)
    .execute(pool)
    .await?;
    Ok(id)
}
