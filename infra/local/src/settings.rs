//! What the environment says to the local platform.

use std::path::PathBuf;

use platform::{db, env};

/// Where things are. Everything has a default.
pub struct Settings {
    /// Local state: `LOCAL_DEV`, default `.dev` in the workspace.
    pub dev: PathBuf,
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
        Ok(Settings {
            dev: env::optional("LOCAL_DEV")?.unwrap_or_else(|| root.join(".dev")),
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

    /// Where the variables are that `cargo lambda watch` gives its functions.
    pub fn lambda(&self) -> PathBuf {
        self.dev.join("lambda.env")
    }
}
