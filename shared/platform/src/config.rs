//! What the environment must say to every function.

use std::sync::Arc;

use anyhow::{Context, bail};
use axum::http::HeaderValue;
use schema::EgressPolicy;

use crate::auth::{Auth, Verifier};
use crate::limit::Limits;
use crate::queue::{self, Queue};
use crate::secrets::{RefreshingSecret, Secrets};
use crate::storage::StorageQuota;
use crate::{db, env, redis};

/// The configuration that all functions share.
pub struct Config {
    /// Where the database is: `SUPABASE_DATABASE_URL`, else `DATABASE_URL`; and who signs in
    /// there: they say it too, or the secret at `DATABASE_SECRET_ID`, or the function's own.
    pub database: db::Login,
    /// Most connections held at once: `DATABASE_CONNECTIONS`, 2 in a deployed function.
    pub database_connections: u32,
    /// Where Redis is: `REDIS_URL` with `REDIS_CA_FILE`; memory serves where it is absent.
    pub redis: Option<redis::Config>,
    /// Who signs access tokens, and for whom: `TOKEN_ISSUER`, `TOKEN_AUDIENCE`.
    pub realm: Realm,
    /// Whether tokens are asked for: `DCL_AUTH_ENABLED`.
    pub auth: Auth,
    /// Whether anybody may register an organisation: `OPEN_REGISTRATION`.
    pub open_registration: bool,
    /// Keys for verifying, sealing and signing: `SECRET_ID`, else `SECRETS_FILE`.
    pub secrets: Secrets,
    /// How often who may call: `RATE_LIMIT_READS`, `RATE_LIMIT_WRITES`, `RATE_LIMIT_SIGN_INS`.
    pub limits: Limits,
    /// What a tenant may store: `STORAGE_QUOTA`.
    pub storage: StorageQuota,
    /// What wakes a worker: SQS at `JOBS_QUEUE_URL`, this process where it is absent.
    pub queue: Arc<dyn Queue>,
    /// Most jobs of a tenant that run at once: `JOBS_PER_TENANT`.
    pub jobs_per_tenant: u16,
    /// Origins that browsers may call from: `CORS_ORIGINS`, separated by commas.
    pub cors_origins: Vec<HeaderValue>,
    /// Which hosts a tenant may name: those of the internet, and with `PRIVATE_HOSTS=true` those of
    /// private networks.
    pub egress: EgressPolicy,
}

/// Who signs access tokens, and for whom.
#[derive(Debug, Clone)]
pub struct Realm {
    /// Their `iss`, a URL below which the discovery document is: `TOKEN_ISSUER`.
    pub issuer: String,
    /// Their `aud`: `TOKEN_AUDIENCE`.
    pub audience: String,
}

impl Realm {
    /// Reads the environment. The issuer is who starts the process, unless it says another one.
    pub fn from_env(issuer: &str) -> anyhow::Result<Realm> {
        Ok(Realm {
            issuer: env::optional("TOKEN_ISSUER")?.unwrap_or_else(|| issuer.to_owned()),
            audience: env::optional("TOKEN_AUDIENCE")?.unwrap_or_else(|| AUDIENCE.to_owned()),
        })
    }
}

impl Default for Realm {
    fn default() -> Realm {
        Realm {
            issuer: LOCAL_ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
        }
    }
}

/// The default of `TOKEN_ISSUER`, right for the local platform on its usual port.
pub const LOCAL_ISSUER: &str = "http://127.0.0.1:9000";
/// The default of `TOKEN_AUDIENCE`.
pub const AUDIENCE: &str = "autonomos";

impl Config {
    /// What a deployed function reads: the environment, whole. The secrets are not read yet.
    pub fn from_env() -> anyhow::Result<Config> {
        let secrets = Secrets::from_env()?;
        let at = database_from_env()?;
        let database = match RefreshingSecret::credentials_from_env()? {
            Some(secret) => db::Login::InSecret { at, secret },
            None => db::Login::InDocument {
                at,
                secrets: secrets.clone(),
            },
        };
        Config::new(secrets, database, 2, LOCAL_ISSUER)
    }

    /// The same with a database that is known already. `DATABASE_CONNECTIONS` wins over
    /// `connections`, `TOKEN_ISSUER` over `issuer`.
    pub fn new(
        secrets: Secrets,
        database: db::Login,
        connections: u32,
        issuer: &str,
    ) -> anyhow::Result<Config> {
        let realm = Realm::from_env(issuer)?;
        Ok(Config {
            auth: auth_from_env(&realm)?,
            realm,
            open_registration: env::optional("OPEN_REGISTRATION")?.unwrap_or(true),
            database,
            database_connections: env::optional("DATABASE_CONNECTIONS")?.unwrap_or(connections),
            redis: redis::Config::from_env()?,
            secrets,
            limits: Limits::from_env()?,
            storage: env::optional("STORAGE_QUOTA")?.unwrap_or_default(),
            queue: queue_from_env()?,
            jobs_per_tenant: jobs_per_tenant_from_env()?,
            cors_origins: cors_from_env()?,
            egress: egress_from_env()?,
        })
    }
}

/// The database that the environment names, if it names one.
pub fn database_from_env() -> anyhow::Result<Option<db::ConnectOptions>> {
    let url: Option<db::Url> = match env::optional("SUPABASE_DATABASE_URL")? {
        Some(supabase) => Some(supabase),
        None => env::optional("DATABASE_URL")?,
    };
    Ok(url.map(|it| it.0))
}

fn queue_from_env() -> anyhow::Result<Arc<dyn Queue>> {
    Ok(match env::optional("JOBS_QUEUE_URL")? {
        Some(url) => Arc::new(queue::Sqs::new(url)),
        None => Arc::new(queue::Local::default()),
    })
}

/// The default of `JOBS_PER_TENANT`.
pub const JOBS_PER_TENANT: u16 = 5;

fn jobs_per_tenant_from_env() -> anyhow::Result<u16> {
    let jobs = env::optional("JOBS_PER_TENANT")?.unwrap_or(JOBS_PER_TENANT);
    anyhow::ensure!(
        (1..=1000).contains(&jobs),
        "JOBS_PER_TENANT is {jobs}: set it to a number from 1 to 1000"
    );
    Ok(jobs)
}

fn auth_from_env(realm: &Realm) -> anyhow::Result<Auth> {
    let environment = if env::optional::<String>("AWS_LAMBDA_FUNCTION_NAME")?.is_some()
        && env::optional::<String>("LOCAL_GATEWAY")?.is_none()
    {
        Environment::Deployed
    } else {
        Environment::Local
    };
    let flag = env::optional::<String>("DCL_AUTH_ENABLED")?;
    if asks_for_tokens(flag.as_deref(), environment)? {
        return Ok(Auth::On(Box::new(Verifier::new(
            realm.issuer.clone(),
            realm.audience.clone(),
        ))));
    }
    tracing::warn!("DCL_AUTH_ENABLED=false: every request is the development admin");
    Ok(Auth::Off)
}

/// Where the process runs.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Environment {
    Deployed,
    Local,
}

/// What `DCL_AUTH_ENABLED` says, where it may say so.
fn asks_for_tokens(flag: Option<&str>, environment: Environment) -> anyhow::Result<bool> {
    match flag {
        None | Some("true") => Ok(true),
        Some("false") if environment == Environment::Deployed => {
            bail!("DCL_AUTH_ENABLED=false is for development: a deployed function needs it on")
        }
        Some("false") => Ok(false),
        Some(other) => bail!("DCL_AUTH_ENABLED is `{other}`: only `true` and `false` are known"),
    }
}

fn egress_from_env() -> anyhow::Result<EgressPolicy> {
    Ok(match env::optional("PRIVATE_HOSTS")? {
        Some(true) => EgressPolicy::Private,
        Some(false) | None => EgressPolicy::Public,
    })
}

fn cors_from_env() -> anyhow::Result<Vec<HeaderValue>> {
    let list = env::optional::<String>("CORS_ORIGINS")?.unwrap_or_default();
    list.split(',')
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .map(|it| {
            let known = it.starts_with("https://") || it.starts_with("http://");
            anyhow::ensure!(
                known,
                "CORS_ORIGINS has `{it}`: an origin is scheme://host[:port]"
            );
            it.parse()
                .with_context(|| format!("CORS_ORIGINS has `{it}`"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(flag: Option<&str>, environment: Environment, expected: Result<bool, &str>) {
        let found = asks_for_tokens(flag, environment).map_err(|err| err.to_string());
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(*found, expected, "{flag:?} {environment:?}"),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            _ => panic!("{flag:?} {environment:?}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn authentication_is_on_unless_it_is_exactly_off_and_local() {
        for environment in [Environment::Deployed, Environment::Local] {
            check(None, environment, Ok(true));
            check(Some("true"), environment, Ok(true));
            for other in [
                "TRUE", "False", "0", "1", "no", "off", " false", "false ", "ture",
            ] {
                check(
                    Some(other),
                    environment,
                    Err("only `true` and `false` are known"),
                );
            }
        }
        check(Some("false"), Environment::Local, Ok(false));
        check(
            Some("false"),
            Environment::Deployed,
            Err("a deployed function needs it on"),
        );
    }
}
