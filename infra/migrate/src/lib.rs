//! The function that CloudFormation calls at each deployment, as a custom resource, to bring the
//! tables up to date before the other functions change, and to let those sign in.
//!
//! **Invariant:** a request is always answered, also when it fails or takes too long: an answer
//! that does not come holds the stack for an hour.

mod custom_resource;

use std::time::Duration;

use anyhow::Context;
use aws_lambda_events::cloudformation::CloudFormationCustomResourceRequest as Request;
use lambda_runtime::{LambdaEvent, service_fn};
use platform::db::roles::{self, Class};
use platform::lambda::deadline;
use platform::secrets::{Credentials, RefreshingSecret};
use platform::{config, db, env, telemetry};
use secrecy::ExposeSecret;

pub use custom_resource::Answer;

/// What is left for the answer when the migrations have not ended in time.
const MARGIN: Duration = Duration::from_secs(10);

/// Serves CloudFormation's requests until the function is stopped.
pub async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init(telemetry::Format::Json { service: "migrate" })?;
    let client = reqwest::Client::new();
    // Boxed, as a future within a future within … is more than the compiler looks through.
    lambda_runtime::run(service_fn(|event: LambdaEvent<Request>| {
        Box::pin(respond(&client, event))
    }))
    .await
}

async fn respond(
    client: &reqwest::Client,
    event: LambdaEvent<Request>,
) -> Result<(), lambda_runtime::Error> {
    let (request, context) = event.into_parts();
    let time = deadline(&context).earlier(MARGIN).left();
    let end = match (login_from_env(), logins_from_env().await) {
        (Ok(login), Ok(logins)) => handle(&request, login, &logins, time).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    if let Err(error) = &end {
        tracing::error!(?error, "the tables are not up to date");
    }
    custom_resource::send(client, &request, &end).await?;
    Ok(())
}

/// The login role of a class of functions.
pub type Login = (Class, Credentials);

/// Who the functions sign in as, by their secrets.
async fn logins_from_env() -> anyhow::Result<Vec<Login>> {
    let ids: [(Class, String); 3] = [
        (Class::Auth, env::required("AUTH_LOGIN_SECRET_ID")?),
        (Class::Api, env::required("API_LOGIN_SECRET_ID")?),
        (Class::Worker, env::required("WORKER_LOGIN_SECRET_ID")?),
    ];
    let mut logins = Vec::new();
    for (class, id) in ids {
        let credentials = RefreshingSecret::credentials(id)?.get().await?;
        logins.push((class, (*credentials).clone()));
    }
    Ok(logins)
}

/// Where the database is and who owns it.
fn login_from_env() -> anyhow::Result<db::Login> {
    let at = config::database_from_env()?;
    Ok(match RefreshingSecret::credentials_from_env()? {
        Some(secret) => db::Login::InSecret { at, secret },
        None => db::Login::Known(at.context("DATABASE_URL is not set")?),
    })
}

/// Does what a request asks for: a deletion leaves the tables and the login roles alone.
///
/// # Errors
/// Where the database does not answer, a migration fails, a login role may do more than its class,
/// or `time` is over.
pub async fn handle(
    request: &Request,
    owner: db::Login,
    logins: &[Login],
    time: Duration,
) -> anyhow::Result<()> {
    if let Request::Delete(_) = request {
        return Ok(());
    }
    let pool = db::Pool::new(owner, 1);
    let migrate = async {
        let mut conn = pool.acquire().await?;
        db::migrate(&mut conn).await?;
        for (class, it) in logins {
            let password = Some(it.password.expose_secret());
            roles::admit(&mut conn, &it.username, *class, password).await?;
        }
        anyhow::Ok(())
    };
    let end = tokio::time::timeout(time, migrate).await;
    pool.inner().close().await;
    end.with_context(|| format!("the migrations took longer than {} s", time.as_secs()))?
        .context("migrating the database")
}
