//! Bringing the tables up to date, or finding that those of a later release serve as well.
//!
//! **Invariant:** a release works over tables that later migrations have only added to, and over no
//! others. The name of a migration says which it is, and the database keeps the name.

use anyhow::ensure;
use sqlx::migrate::{Migrate, Migrator};

use super::{Connection, roles};

/// What the name of a migration begins with that takes nothing away from the release before.
const EXPANDS: &str = "expand ";

/// Brings the tables up to date.
///
/// # Errors
/// Where their owner may not do it, a migration fails, or a later release has taken away from them
/// what this one needs.
pub async fn migrate(conn: &mut Connection) -> anyhow::Result<()> {
    let mut migrator = sqlx::migrate!("../../migrations");
    roles::require_owner(conn).await?;
    require_compatible(conn, &migrator).await?;
    migrator.set_ignore_missing(true);
    migrator.run(conn).await?;
    Ok(())
}

async fn require_compatible(conn: &mut Connection, known: &Migrator) -> anyhow::Result<()> {
    conn.ensure_migrations_table(&known.table_name).await?;
    let newest = known.iter().map(|it| it.version).max().unwrap_or_default();
    let applied: Vec<(i64, String)> =
        sqlx::query_as("select version, description from _sqlx_migrations order by version")
            .fetch_all(conn)
            .await?;
    let unknown = applied.iter().filter(|it| !known.version_exists(it.0));
    for (version, description) in unknown {
        let name = format!("{version:04} {description}");
        ensure!(
            newest < *version,
            "the tables have the migration `{name}`, which this release never had: run the release \
             that made them"
        );
        ensure!(
            description.starts_with(EXPANDS),
            "the tables are of a later release, whose migration `{name}` took away what this one \
             needs: run the later release again, or restore a backup from before it"
        );
        tracing::info!("the tables are of a later release too: `{name}` only adds");
    }
    Ok(())
}
