//! What the environment says to the local platform.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use platform::{db, env};

/// Where things are. Everything has a default.
pub struct Settings {
    /// Local state: `LOCAL_DEV`, default `.dev` in the workspace.
    pub dev: PathBuf,
    /// Whether that is another folder than where `cargo lambda watch` looks by itself.
    pub elsewhere: bool,
    /// Where it answers on 127.0.0.1: `PORT`, default 9000.
    pub port: u16,
    /// PostgreSQL's programs: `PG_BIN`.
    pub pg_bin: Option<PathBuf>,
    /// A database instead of the private one: `SUPABASE_DATABASE_URL`, else `DATABASE_URL`.
    pub database: Option<db::ConnectOptions>,
}

impl Settings {
    /// Reads the environment.
    pub fn from_env() -> anyhow::Result<Settings> {
        // cargo says where the package is, wherever below the workspace it was called.
        let package: Option<PathBuf> = env::optional("CARGO_MANIFEST_DIR")?;
        let root = match package {
            Some(package) => package.join("../..").canonicalize()?,
            None => PathBuf::from("."),
        };
        let dev: Option<PathBuf> = env::optional("LOCAL_DEV")?;
        Ok(Settings {
            elsewhere: dev.is_some(),
            dev: dev.unwrap_or_else(|| root.join(".dev")),
            port: env::optional("PORT")?.unwrap_or(9000),
            pg_bin: env::optional("PG_BIN")?,
            database: platform::config::database_from_env()?,
        })
    }

    /// Where the platform answers.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the private database keeps its rows.
    pub fn data(&self) -> PathBuf {
        self.dev.join("postgres/data")
    }

    /// Where the local secrets are.
    pub fn secrets(&self) -> PathBuf {
        self.dev.join("secrets.json")
    }

    /// Where it is noted which other databases were written with the local secrets.
    pub fn databases(&self) -> PathBuf {
        self.dev.join("databases")
    }

    /// Makes the folder of the local state.
    ///
    /// # Errors
    /// Where it cannot be made or written to.
    pub fn make_folder(&self) -> anyhow::Result<()> {
        let made = fs::create_dir_all(&self.dev).and_then(|()| {
            let probe = self.dev.join("writable");
            fs::write(&probe, "a file")?;
            fs::remove_file(probe)
        });
        made.with_context(|| {
            format!(
                "{} cannot be written to: start it in a folder of your own, or set LOCAL_DEV to a \
                 folder of your own that has space left",
                self.dev.display()
            )
        })
    }

    /// Where the variables are that `cargo lambda watch` gives its functions.
    pub fn lambda(&self) -> PathBuf {
        self.dev.join("lambda.env")
    }
}
