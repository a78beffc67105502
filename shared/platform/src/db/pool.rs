//! The pool, and who signs in with it: known from the start, or read from a secret that may change.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use schema::TenantId;
use secrecy::ExposeSecret;
use sqlx::pool::{MaybePoolConnection, PoolConnection};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgPool, Postgres, SqlSafeStr, SqlStr};

use super::tenant_proofs::{self, TenantProofs};
use super::{Connection, Transaction};
use crate::secrets::{Credentials, Document, RefreshingSecret, Secrets};
use crate::trace;

/// Where the database is and who signs in to it.
pub enum Login {
    /// All of it, from the start.
    Known(PgConnectOptions),
    /// User and password are in the function's document, if it has any; so is the place where
    /// `at` is none.
    InDocument {
        /// Where the database is.
        at: Option<PgConnectOptions>,
        /// The function's document.
        secrets: Secrets,
    },
    /// User and password are in a secret of their own; so is the place where `at` is none.
    InSecret {
        /// Where the database is.
        at: Option<PgConnectOptions>,
        /// The secret.
        secret: RefreshingSecret<Credentials>,
    },
}

impl From<PgConnectOptions> for Login {
    fn from(options: PgConnectOptions) -> Login {
        Login::Known(options)
    }
}

/// A pool of connections, made at their first use. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    inner: PgPool,
    provider: Option<Arc<CredentialProvider>>,
    /// None for the owner of the tables, who needs to prove nothing.
    proofs: Option<Arc<TenantProofs>>,
}

/// Where the credentials come from, and which were used last.
struct CredentialProvider {
    at: Option<PgConnectOptions>,
    who: CredentialSource,
    version: Mutex<Option<CredentialVersion>>,
}

enum CredentialSource {
    Document(Secrets),
    Secret(RefreshingSecret<Credentials>),
}

/// Compared by address: another value is another version.
#[derive(Clone)]
enum CredentialVersion {
    Document(Arc<Document>),
    Credentials(Arc<Credentials>),
}

impl Pool {
    /// A pool that connects at the first use.
    pub fn new(login: Login, connections: u32) -> Pool {
        let (options, provider) = match login {
            Login::Known(options) => (options, None),
            Login::InDocument { at, secrets } => {
                CredentialProvider::new(at, CredentialSource::Document(secrets))
            }
            Login::InSecret { at, secret } => {
                CredentialProvider::new(at, CredentialSource::Secret(secret))
            }
        };
        let inner = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .max_lifetime(Duration::from_secs(600))
            // A frozen function wakes with dead sockets. Some only stay silent, for longer than a
            // request can wait: whoever does not answer at once is made anew. Nothing freezes
            // while a request runs, so what was in use since it began needs no question.
            .test_before_acquire(false)
            .before_acquire(|conn, known| {
                let awake = trace::so_far().is_some_and(|it| known.idle_for < it);
                Box::pin(async move { if awake { Ok(true) } else { answers(conn).await } })
            })
            .connect_lazy_with(options);
        Pool {
            inner,
            provider,
            proofs: None,
        }
    }

    /// With proofs of the tenant that each transaction is for, made with the platform's key. A
    /// login role of a function sees no tenant's rows without them.
    #[must_use]
    pub fn with_proofs(mut self, secrets: Secrets) -> Pool {
        self.proofs = Some(Arc::new(TenantProofs::new(secrets)));
        self
    }

    /// What names the tenant in a transaction that was begun here.
    pub(super) fn naming(&self, tenant: TenantId) -> sqlx::Result<String> {
        match &self.proofs {
            Some(proofs) => proofs.naming(tenant),
            None => Ok(tenant_proofs::unproven(tenant)),
        }
    }

    /// The pool itself, for those who need no news of its credentials.
    pub fn inner(&self) -> &PgPool {
        &self.inner
    }

    /// A connection. Where the database refuses the credentials, newer ones are asked for.
    pub async fn acquire(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        // On the heap: opening a connection is large, and whoever may open one would be.
        Box::pin(self.acquire_or_open()).await
    }

    async fn acquire_or_open(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        let Some(provider) = &self.provider else {
            return self.inner.acquire().await;
        };
        let version = provider.ask().await?;
        provider.pass_on(&version, &self.inner)?;
        match self.inner.acquire().await {
            Err(error) if refuses(&error) => match provider.ask_again(&version).await {
                Some(newer) => {
                    tracing::info!("the database refused the credentials, there are newer ones");
                    provider.pass_on(&newer, &self.inner)?;
                    self.inner.acquire().await
                }
                None => Err(error),
            },
            acquired => acquired,
        }
    }

    /// Waits until every connection is back, or a moment. A connection goes back with a question
    /// to the server: frozen in between, it would be missed until TCP gives up.
    pub async fn settle(&self) {
        const PATIENCE: Duration = Duration::from_millis(250);
        let back = async {
            while (self.inner.num_idle() as u64) < u64::from(self.inner.size()) {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, back).await.is_err() {
            tracing::warn!("a connection is not back in the pool when the function ends");
        }
    }

    /// Closes it, once each connection has come back.
    pub(crate) async fn close(&self) {
        self.inner.close().await;
    }

    /// A transaction that begins with the statement, and as the tenant where there is one.
    pub(super) async fn begin_with(
        &self,
        mut statement: String,
        tenant: Option<TenantId>,
    ) -> sqlx::Result<Transaction> {
        let mut conn = self.acquire().await?;
        if let Some(proofs) = &self.proofs {
            // On the heap, as it seldom has anything to do.
            Box::pin(proofs.prepare(&mut conn)).await?;
        }
        if let Some(tenant) = tenant {
            statement.push_str("; ");
            statement.push_str(&self.naming(tenant)?);
        }
        begin_whole(conn, AssertSqlSafe(statement).into_sql_str()).await
    }
}

/// Begins in a task of its own. A caller that goes away in the middle would leave a connection that
/// has begun and does not know it, with its tenant and role for whoever is next; so the task begins
/// to the end, and the transaction is rolled back as it is dropped.
async fn begin_whole(
    conn: PoolConnection<Postgres>,
    statement: SqlStr,
) -> sqlx::Result<Transaction> {
    let conn = MaybePoolConnection::PoolConnection(conn);
    match tokio::spawn(Transaction::begin(conn, Some(statement))).await {
        Ok(begun) => begun,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(_) => Err(sqlx::Error::PoolClosed),
        },
    }
}

async fn answers(conn: &mut Connection) -> sqlx::Result<bool> {
    const PATIENCE: Duration = Duration::from_secs(1);
    let silent = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    let ping = tokio::time::timeout(PATIENCE, conn.ping()).await;
    ping.map_err(silent)??;
    Ok(true)
}

impl CredentialProvider {
    fn new(
        at: Option<PgConnectOptions>,
        who: CredentialSource,
    ) -> (PgConnectOptions, Option<Arc<CredentialProvider>>) {
        let options = at
            .clone()
            .unwrap_or_else(PgConnectOptions::new_without_pgpass);
        let provider = CredentialProvider {
            at,
            who,
            version: Mutex::new(None),
        };
        (options, Some(Arc::new(provider)))
    }

    async fn ask(&self) -> sqlx::Result<CredentialVersion> {
        let version = match &self.who {
            CredentialSource::Document(secrets) => {
                secrets.get().await.map(CredentialVersion::Document)
            }
            CredentialSource::Secret(secret) => {
                secret.get().await.map(CredentialVersion::Credentials)
            }
        };
        version.map_err(|err| sqlx::Error::Configuration(err.into()))
    }

    async fn ask_again(&self, version: &CredentialVersion) -> Option<CredentialVersion> {
        match (&self.who, version) {
            (CredentialSource::Document(secrets), CredentialVersion::Document(seen)) => secrets
                .newer_than(seen)
                .await
                .map(CredentialVersion::Document),
            (CredentialSource::Secret(secret), CredentialVersion::Credentials(seen)) => secret
                .newer_than(seen)
                .await
                .map(CredentialVersion::Credentials),
            _ => None,
        }
    }

    /// Makes new connections with these credentials, unless they are already.
    fn pass_on(&self, version: &CredentialVersion, pool: &PgPool) -> sqlx::Result<()> {
        let mut last = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_some_and(|it| it.is(version)) {
            return Ok(());
        }
        if let Some(options) = options(self.at.as_ref(), version.credentials())? {
            pool.set_connect_options(options);
        }
        *last = Some(version.clone());
        Ok(())
    }
}

impl CredentialVersion {
    fn credentials(&self) -> Option<&Credentials> {
        match self {
            CredentialVersion::Document(document) => document.database.as_ref(),
            CredentialVersion::Credentials(credentials) => Some(credentials),
        }
    }

    fn is(&self, other: &CredentialVersion) -> bool {
        match (self, other) {
            (CredentialVersion::Document(one), CredentialVersion::Document(other)) => {
                Arc::ptr_eq(one, other)
            }
            (CredentialVersion::Credentials(one), CredentialVersion::Credentials(other)) => {
                Arc::ptr_eq(one, other)
            }
            _ => false,
        }
    }
}

/// The place of the environment where it names one, else the secret's; the secret's user and
/// password. None where the environment says all of it.
fn options(
    at: Option<&PgConnectOptions>,
    credentials: Option<&Credentials>,
) -> sqlx::Result<Option<PgConnectOptions>> {
    let Some(credentials) = credentials else {
        return match at {
            Some(_) => Ok(None),
            None => Err(incomplete("neither DATABASE_URL nor the secret names it")),
        };
    };
    let place = at.cloned().or_else(|| credentials.place());
    let nowhere = || incomplete("DATABASE_URL is not set, and the secret has no host");
    Ok(Some(credentials.sign_in(place.ok_or_else(nowhere)?)))
}

impl Credentials {
    /// Where the secret says that the database is. `PGSSLMODE` and `PGSSLROOTCERT` say how far
    /// the server must prove itself.
    pub fn place(&self) -> Option<PgConnectOptions> {
        let place = PgConnectOptions::new_without_pgpass()
            .host(self.host.as_ref()?)
            .port(self.port.unwrap_or(5432));
        Some(match &self.dbname {
            Some(name) => place.database(name),
            None => place,
        })
    }

    /// The way in there.
    pub fn sign_in(&self, place: PgConnectOptions) -> PgConnectOptions {
        let password = self.password.expose_secret();
        place.username(&self.username).password(password)
    }
}

fn incomplete(why: &str) -> sqlx::Error {
    tracing::error!("the address of the database is unknown: {why}");
    sqlx::Error::Configuration(Box::new(schema::Error::Unavailable(
        "the database is not configured",
    )))
}

/// Whether the user or the password is wrong.
fn refuses(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|it| it.code());
    matches!(code.as_deref(), Some("28P01" | "28000"))
}
