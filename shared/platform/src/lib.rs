//! What every function stands on: configuration, secrets, database, tokens, limits, problems.
//!
//! **Invariant:** it knows no domain word. A connection, an entity, a view is nothing to it.

pub mod audit;
mod audit_chain;
pub mod auth;
pub mod aws;
pub mod cache;
pub mod client_address;
mod clock;
pub mod config;
pub mod cursor;
pub mod data_key;
pub mod db;
pub mod deadline;
pub mod env;
pub mod etag;
pub mod extract;
mod health;
pub mod http;
mod https;
mod idempotency;
mod job_accepted;
pub mod jobs;
mod keyset;
pub mod lambda;
pub mod limit;
mod message;
mod openapi;
pub mod page;
pub mod problem;
pub mod queue;
mod quota;
pub mod redis;
pub mod routes;
mod seal;
pub mod secrets;
mod security_headers;
pub mod storage;
pub mod telemetry;
pub mod tls;
pub mod trace;

use std::sync::Arc;

pub use auth::{Admin, Caller, Ingester, Reader, claims};
pub use clock::now;
pub use config::Config;
pub use job_accepted::JobAccepted;
pub use problem::{Problem, Result};
pub use routes::Routes;
pub use trace::metrics;

/// What a function holds for all its requests. Cheap to clone.
#[derive(Clone)]
pub struct Platform(Arc<Parts>);

/// The parts of a [`Platform`].
pub struct Parts {
    /// The database.
    pub db: db::Pool,
    /// Redis where it is configured, memory where it is not.
    pub cache: cache::Cache,
    /// How often who may call.
    pub limiter: limit::Limiter,
    /// What a tenant may store that has no quota of its own.
    pub storage: storage::StorageQuota,
    /// Who signs access tokens, and for whom.
    pub realm: config::Realm,
    /// Whether tokens are asked for.
    pub auth: auth::Auth,
    /// Whether anybody may register an organisation.
    pub open_registration: bool,
    /// The keys of now.
    pub secrets: secrets::Secrets,
    /// What wakes a worker for a job.
    pub queue: Arc<dyn queue::Queue>,
    /// Most jobs of a tenant that run at once.
    pub jobs_per_tenant: u16,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<axum::http::HeaderValue>,
    /// Which hosts a tenant may name.
    pub egress: schema::EgressPolicy,
}

impl Platform {
    /// Connects lazily: nothing is contacted before the first use.
    pub fn new(config: Config) -> anyhow::Result<Platform> {
        let redis = config.redis.as_ref().map(redis::connect).transpose()?;
        let db = db::Pool::new(config.database, config.database_connections)
            .with_proofs(config.secrets.clone());
        Ok(Platform(Arc::new(Parts {
            db: db.clone(),
            cache: cache::Cache::new(redis.clone()),
            limiter: limit::Limiter::new(config.limits, db, redis),
            storage: config.storage,
            realm: config.realm,
            auth: config.auth,
            open_registration: config.open_registration,
            secrets: config.secrets,
            queue: config.queue,
            jobs_per_tenant: config.jobs_per_tenant,
            cors_origins: config.cors_origins,
            egress: config.egress,
        })))
    }
}

impl std::ops::Deref for Platform {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
