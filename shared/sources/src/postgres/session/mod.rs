//! A session with a source database, and what is asked in it.
//!
//! **Invariant:** each question is one read-only transaction, whose statements have no names: a
//! pooler before the source may hand each transaction to another server.

mod catalog;
mod checks;
mod conn;
mod error;
mod frames;
mod keys;
mod page;
mod read;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use schema::EgressPolicy;
use tokio::time::{Instant, timeout_at};

use super::config::Tls;
use super::{Config, Object, Table};
use crate::egress::{is_public, resolve};
use crate::{SourceError, SourceErrorKind};
use conn::Conn;
use error::{Detail, query_error};

use page::{KeysetPage, PageStart};

/// How long a server may take to let somebody in.
const SIGN_IN: Duration = Duration::from_secs(10);
/// How long an answer may take; the source itself gives up before.
const ANSWER: Duration = Duration::from_secs(30);
/// How values are spelt is said in each transaction: a pooler refuses it at sign-in.
const BEGIN: &str = "begin transaction read only; set local statement_timeout = '20s'; \
    set local lock_timeout = '5s'; set local idle_in_transaction_session_timeout = '60s'; \
    set local datestyle = 'ISO'; set local intervalstyle = 'postgres'; \
    set local timezone = 'UTC'; set local extra_float_digits = 3; \
    set local bytea_output = 'hex'; set local lc_monetary = 'C'; \
    set local client_min_messages = 'error'";

/// A session with a source database.
pub(super) struct PostgresSession {
    conn: Conn,
    config: Config,
}

impl PostgresSession {
    /// Signs in.
    ///
    /// # Errors
    /// Where the source cannot be reached or does not let in.
    pub(super) async fn open(
        config: Config,
        egress: EgressPolicy,
    ) -> Result<PostgresSession, SourceError> {
        let late = || error::timeout(&format!("the server `{}` does not answer", config.host));
        let until = Instant::now() + SIGN_IN;
        let found = timeout_at(until, addresses(&config, egress)).await;
        let addresses = found.map_err(|_| late())??;
        let detail = detail(&addresses, egress);
        // Boxed: a sign-in is large, and its callers are deep.
        let opened = Box::pin(Conn::open(&addresses, &config));
        let conn = timeout_at(until, opened)
            .await
            .map_err(|_| error::connect_timeout(&config, detail))?
            .map_err(|err| error::connect_error(&err, &config, detail))?;
        Ok(PostgresSession { conn, config })
    }

    /// What the source's catalogue says of an object, the `index`th of the config.
    ///
    /// # Errors
    /// Where it is not there or may not be read.
    async fn table(&mut self, index: usize, object: &Object) -> Result<Table, SourceError> {
        self.ask(async |conn| catalog::table(conn, index, object).await)
            .await
    }

    /// The next rows of an object.
    ///
    /// # Errors
    /// Where the source does not give them.
    async fn page(
        &mut self,
        object: &Object,
        start: &PageStart<'_>,
    ) -> Result<KeysetPage, SourceError> {
        self.ask(async |conn| page::list(conn, object, start).await)
            .await
    }

    /// The greatest value of an object's cursor, but nothing later than the source's own time.
    ///
    /// # Errors
    /// Where the source does not tell it.
    async fn newest(
        &mut self,
        object: &Object,
        cursor: &super::KeyColumn,
    ) -> Result<Option<String>, SourceError> {
        self.ask(async |conn| {
            page::newest(conn, object, cursor)
                .await
                .map_err(|err| query_error(&err))
        })
        .await
    }

    /// Looks whether an object's cursor, of the `index`th object of the config, tells of changes.
    ///
    /// # Errors
    /// Where it is the source's own time instead.
    async fn check_cursor(
        &mut self,
        index: usize,
        object: &Object,
        order: &super::ReadOrder,
    ) -> Result<(), SourceError> {
        let Some(cursor) = &order.cursor else {
            return Ok(());
        };
        let is_clock = self
            .ask(async |conn| {
                checks::is_clock(conn, object, cursor)
                    .await
                    .map_err(|err| query_error(&err))
            })
            .await?;
        if !is_clock {
            return Ok(());
        }
        Err(SourceError::new(
            SourceErrorKind::Schema,
            format!("/objects/{index}/cursor"),
            format!(
                "`{}` of `{}` is the time now in every row: name a column that is set when a row \
                 changes",
                cursor.name,
                object.name()
            ),
        ))
    }

    /// Whether an object has rows whose cursor is null. Of a large table that may remain unknown.
    ///
    /// # Errors
    /// Where the source does not tell.
    async fn has_null_cursors(
        &mut self,
        object: &Object,
        cursor: &super::KeyColumn,
    ) -> Result<bool, SourceError> {
        self.ask(async |conn| {
            checks::has_null_cursors(conn, object, cursor)
                .await
                .map_err(|err| query_error(&err))
        })
        .await
    }

    /// Looks whether a key that the config names tells the rows of an object, the `index`th of the
    /// config, apart. Of a large table only a sync finds that out.
    ///
    /// # Errors
    /// Where it does not.
    async fn check_key(
        &mut self,
        index: usize,
        object: &Object,
        order: &super::ReadOrder,
    ) -> Result<(), SourceError> {
        if object.key.is_none() {
            return Ok(());
        }
        let fault = self
            .ask(async |conn| {
                checks::fault(conn, object, order)
                    .await
                    .map_err(|err| query_error(&err))
            })
            .await?;
        let message = match fault {
            None => return Ok(()),
            Some(checks::Fault::Null) => "has NULLs: name columns that are never NULL",
            Some(checks::Fault::Shared) => {
                "is shared by several rows: name columns that no two rows share"
            }
        };
        Err(SourceError::new(
            SourceErrorKind::Schema,
            format!("/objects/{index}/key"),
            format!("the key of `{}` {message}", object.name()),
        ))
    }

    /// Which of these keys, a JSON array of [`Row::key`](page::Row::key)s, the object still has: their indexes.
    ///
    /// # Errors
    /// Where the source does not tell.
    async fn existing(
        &mut self,
        object: &Object,
        order: &super::ReadOrder,
        keys: &str,
    ) -> Result<HashSet<usize>, SourceError> {
        let found = self
            .ask(async |conn| {
                keys::existing(conn, object, order, keys)
                    .await
                    .map_err(|err| query_error(&err))
            })
            .await?;
        Ok(found
            .into_iter()
            .filter_map(|it| it.try_into().ok())
            .collect())
    }

    /// The rows of an object with these keys, a JSON array of [`Row::key`](page::Row::key)s, each with the index
    /// of its key. Where they are too large together, the later ones are brought without a body.
    ///
    /// # Errors
    /// Where the source does not give them.
    async fn with_keys(
        &mut self,
        object: &Object,
        order: &super::ReadOrder,
        keys: &str,
    ) -> Result<Vec<(usize, Option<String>)>, SourceError> {
        let found = self
            .ask(async |conn| {
                keys::with_keys(conn, object, order, keys)
                    .await
                    .map_err(|err| query_error(&err))
            })
            .await?;
        let index = |(index, body): (i64, _)| Some((index.try_into().ok()?, body));
        Ok(found.into_iter().filter_map(index).collect())
    }

    /// Signs off. A failure is of no interest to anybody.
    async fn sign_off(self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.conn.close()).await;
    }

    /// Asks within a transaction. It ends with the question, whatever came of it.
    async fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&mut Conn) -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let conn = &mut self.conn;
        let asked = Box::pin(async {
            conn.run(BEGIN).await.map_err(|err| query_error(&err))?;
            let answer = question(conn).await;
            let end = if answer.is_ok() { "commit" } else { "rollback" };
            let ended = conn.run(end).await;
            let answer = answer?;
            ended.map_err(|err| query_error(&err))?;
            Ok(answer)
        });
        let asked = tokio::time::timeout(ANSWER, asked).await;
        asked.unwrap_or_else(|_| {
            self.conn.abort();
            Err(error::timeout("the source stopped answering in the middle"))
        })
    }
}

/// Where to sign in.
async fn addresses(config: &Config, egress: EgressPolicy) -> Result<Vec<SocketAddr>, SourceError> {
    let addresses = resolve(&config.host, config.port, egress).await?;
    if config.tls == Tls::Disable && addresses.iter().any(|it| is_public(it.ip())) {
        let message = "a password and records would cross the internet unencrypted: leave it out";
        return Err(SourceError::new(SourceErrorKind::Network, "/tls", message));
    }
    Ok(addresses)
}

/// Whoever may contact any host is at home there. On the internet, everybody can find out why.
fn detail(addresses: &[SocketAddr], egress: EgressPolicy) -> Detail {
    if egress == EgressPolicy::Any || addresses.iter().all(|it| is_public(it.ip())) {
        Detail::Why
    } else {
        Detail::That
    }
}

/// A name as SQL writes it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An object's table as SQL writes it.
fn from(object: &Object) -> String {
    let (schema, table) = object.parts();
    format!("{}.{}", quoted(schema), quoted(table))
}
