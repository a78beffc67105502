//! Starting the platform: secrets, database, tables, seed, routers, queue loop, in this order.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use axum::Router;
use axum::middleware::from_fn_with_state;
use platform::audit::{self, Signer};
use platform::auth::{Auth, DEV_EMAIL, DEV_TENANT, DEV_USER};
use platform::config::Realm;
use platform::db::roles;
use platform::deadline::Deadline;
use platform::queue::Local;
use platform::secrets::Secrets;
use platform::{Config, Platform, db};
use schema::{EgressPolicy, TenantId, UserId};
use sqlx::ConnectOptions as _;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::gateway::{self, Patience};
use crate::postgres::{Binaries, Profile, Server};
use crate::settings::Settings;
use crate::{memory, reset, same_origin};

/// The demo tenant's admin.
pub const DEMO_EMAIL: &str = "demo@autonomos.dev";
/// The demo admin's password: of this machine only, as the platform listens on 127.0.0.1.
pub const DEMO_PASSWORD: &str = "local demo tenant";

const CONNECTIONS: u32 = 10;

/// A platform that answers.
pub struct Running {
    stop: watch::Sender<bool>,
    served: tokio::task::JoinHandle<()>,
    worker: tokio::task::JoinHandle<()>,
    clock: tokio::task::JoinHandle<()>,
    server: Option<Server>,
}

/// Starts everything and returns once it answers. `say` hears what takes long.
pub async fn start(
    settings: &Settings,
    say: &mut (dyn FnMut(&str) + Send),
) -> anyhow::Result<Running> {
    // First, so that a taken port costs nothing.
    let listener = listen(settings.port).await?;
    settings.make_folder()?;
    let secrets = secrets(&settings.secrets()).await?;
    let (server, owner) = database(settings, say)?;
    let database = prepare(settings, owner, &secrets).await?;
    let queue = Arc::new(Local::default());
    let mut config = Config::new(
        secrets,
        database.clone().into(),
        CONNECTIONS,
        &settings.base(),
    )?;
    share(settings, server.as_ref(), &database, &config.realm)?;
    config.queue = queue.clone();
    // A source beside the platform, on this machine.
    config.egress = EgressPolicy::Any;
    let platform = Platform::new(config)?;
    seed(&platform).await.context("seeding the demo tenant")?;

    let (stop, stopped) = watch::channel(false);
    let service = service(&platform);
    let stop_serving = until(stopped.clone());
    let served = tokio::spawn(gateway::serve(
        listener,
        service,
        Patience::default(),
        stop_serving,
    ));
    let clock = tokio::spawn(tick(platform.clone(), stopped.clone()));
    let worker = tokio::spawn(work(platform, queue, stopped));
    Ok(Running {
        stop,
        served,
        worker,
        clock,
        server,
    })
}

impl Running {
    /// Lets running requests and the running slice of a job end, then stops the database.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        self.worker.await?;
        self.clock.await?;
        self.served.await?;
        match self.server {
            Some(server) => tokio::task::spawn_blocking(|| server.stop()).await?,
            None => Ok(()),
        }
    }
}

/// The routes, for this machine's user alone while they ask for no token.
fn service(platform: &Platform) -> Router {
    let service = gateway::service(platform);
    match platform.auth {
        Auth::On(_) => service,
        Auth::Off => service.layer(from_fn_with_state(platform.clone(), same_origin::layer)),
    }
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => Ok(listener),
        Err(err) if err.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("port {port} is taken: is the platform running already? Set PORT to another one")
        }
        Err(err) => Err(err).with_context(|| format!("listening on 127.0.0.1:{port}")),
    }
}

/// The local secrets, made at the first start and readable by this user only.
async fn secrets(path: &Path) -> anyhow::Result<Secrets> {
    if !path.exists() {
        write_private(path, &auth::keys::generate()?)?;
    }
    let secrets = Secrets::from_file(path.to_owned())?;
    // Here a defect of the file ends the start, with its reason.
    match (secrets.get().await, secrets.failure()) {
        (_, Some(failure)) => bail!("{}: {failure}", path.display()),
        (Err(err), None) => Err(err.into()),
        (Ok(_), None) => Ok(secrets),
    }
}

/// Writes a file that its user alone may read.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    // Under another name until it is whole, as a kill may come in between.
    let unfinished = path.with_added_extension("new");
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}

fn database(
    settings: &Settings,
    say: &mut (dyn FnMut(&str) + Send),
) -> anyhow::Result<(Option<Server>, db::ConnectOptions)> {
    if let Some(database) = &settings.database {
        return Ok((None, database.clone()));
    }
    let server = tokio::task::block_in_place(|| {
        let binaries = Binaries::find(settings.pg_bin.as_deref(), &settings.dev, say)?;
        Server::start(&binaries, &settings.data(), Profile::Lasting)
    })?;
    let options = server.options()?;
    Ok((Some(server), options))
}

/// Brings the tables up to date as their owner, and says how the platform signs in: as a role that
/// owns nothing.
async fn prepare(
    settings: &Settings,
    owner: db::ConnectOptions,
    secrets: &Secrets,
) -> anyhow::Result<db::ConnectOptions> {
    let mut conn = sign_in(&owner).await?;
    db::migrate(&mut conn)
        .await
        .with_context(|| match settings.database {
            Some(_) => "bringing the database's tables up to date".to_owned(),
            None => format!(
                "bringing the tables in {} up to date (where they are of a version that was never \
                 released, `cargo run -- reset` begins anew)",
                settings.data().display()
            ),
        })?;
    let document = secrets.get().await?;
    let signer = Signer::with(document.clone());
    ensure!(
        audit::recognises(&mut conn, &signer).await?,
        "the keys in {} are not those that this database was written with: put the lost file back. \
         Where it is gone for good, so is what was sealed with it: use another database, or begin \
         the private one anew with `cargo run -- reset`",
        settings.secrets().display()
    );
    // From here on there are rows that need the keys.
    if settings.database.is_some() {
        reset::note(settings, &owner)?;
    }
    roles::admit_local(&mut conn, owner, document.keys.platform.current())
        .await
        .context("making the role that the platform signs in to the database as")
}

/// Signs in as the owner of the tables.
async fn sign_in(owner: &db::ConnectOptions) -> anyhow::Result<db::Connection> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let at = reset::address(owner);
    match tokio::time::timeout(PATIENCE, roles::connect(owner)).await {
        Ok(Ok(conn)) => Ok(conn),
        Ok(Err(error @ sqlx::Error::Database(_))) => Err(error).with_context(|| {
            format!("the PostgreSQL at {at} lets nobody in this way: correct DATABASE_URL")
        }),
        Ok(Err(error)) => Err(error).with_context(|| nobody_at(&at)),
        Err(_) => bail!("{}: it says nothing for 5 seconds", nobody_at(&at)),
    }
}

fn nobody_at(address: &str) -> String {
    format!("no PostgreSQL answers at {address}: start it, or correct DATABASE_URL")
}

/// Writes down what the functions of `cargo lambda watch` need to work on the same rows, as the same
/// role and with the same keys, and to believe the same tokens.
fn share(
    settings: &Settings,
    server: Option<&Server>,
    login: &db::ConnectOptions,
    realm: &Realm,
) -> anyhow::Result<()> {
    let secrets = settings.secrets().canonicalize()?;
    let url = match server {
        Some(server) => server.url_of(login.get_username())?,
        None => login.to_url_lossy().to_string(),
    };
    let Realm { issuer, audience } = realm;
    // The first of the two addresses wins, wherever it is said.
    let text = format!(
        "SECRETS_FILE={secrets:?}\nPRIVATE_HOSTS=\"true\"\nSUPABASE_DATABASE_URL={url:?}\n\
         DATABASE_URL={url:?}\nTOKEN_ISSUER={issuer:?}\nTOKEN_AUDIENCE={audience:?}\n"
    );
    write_private(&settings.lambda(), &text)
}

async fn seed(platform: &Platform) -> anyhow::Result<()> {
    let development = auth::Seed {
        tenant: DEV_TENANT,
        name: "Development",
        user: DEV_USER,
        email: DEV_EMAIL,
        // Nobody logs in as it: it is who everybody is while authentication is off.
        password: None,
    };
    let demo = auth::Seed {
        tenant: TenantId(Uuid::from_u128(2)),
        name: "Demo",
        user: UserId(Uuid::from_u128(2)),
        email: DEMO_EMAIL,
        password: Some(DEMO_PASSWORD),
    };
    auth::seed(platform, &[development, demo]).await
}

/// Works off the queue until it is stopped, some jobs at once; looks again when it is woken, and
/// now and then for jobs whose rest is over.
async fn work(platform: Platform, queue: Arc<Local>, stopped: watch::Receiver<bool>) {
    const PAUSE: Duration = Duration::from_millis(500);
    let places = Arc::new(Semaphore::new(memory::jobs_at_once()));
    let mut running = JoinSet::new();
    while !*stopped.borrow() {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.expect("nobody closes it"),
            () = until(stopped.clone()) => break,
        };
        let taken = aam_connect::worker::take(&platform).await;
        if let Some(held) = taken.unwrap_or_else(unworked) {
            let platform = platform.clone();
            running.spawn(async move {
                let worked = aam_connect::worker::run(&platform, held).await;
                worked.unwrap_or_else(unworked);
                drop(place);
            });
        } else {
            tokio::select! {
                () = queue.notified() => {}
                () = until(stopped.clone()) => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
}

fn unworked<T: Default>(error: anyhow::Error) -> T {
    let error = format!("{error:#}");
    tracing::error!(error, "the queue could not be processed");
    T::default()
}

/// Does every minute what a deployed platform's schedules do, until it is stopped. One that takes
/// long keeps no other from its minute.
async fn tick(platform: Platform, stopped: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    for schedule in aam_connect::SCHEDULES {
        running.spawn(tick_one(platform.clone(), schedule, stopped.clone()));
    }
    while running.join_next().await.is_some() {}
}

async fn tick_one(platform: Platform, schedule: &str, stopped: watch::Receiver<bool>) {
    const MINUTE: Duration = Duration::from_secs(60);
    while !*stopped.borrow() {
        let deadline = Deadline::after(MINUTE);
        if let Err(problem) = aam_connect::tick(&platform, schedule, deadline).await {
            tracing::error!(error = ?problem.error(), "`{schedule}` failed");
        }
        tokio::select! {
            () = until(stopped.clone()) => {}
            () = tokio::time::sleep(MINUTE) => {}
        }
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error says that the sender is gone, which is a stop too.
    let _ = stopped.wait_for(|it| *it).await;
}
