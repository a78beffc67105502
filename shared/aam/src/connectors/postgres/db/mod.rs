//! An open line to a source database, and what is asked over it.
//!
//! **Invariant:** each question is one read-only transaction, whose statements have no names: a
//! pooler before the source may hand each transaction to another server.

mod catalog;
mod failure;
mod page;

use std::collections::HashSet;
use std::time::Duration;

use schema::Hosts;
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection as _, Postgres, Transaction};

use super::config::Tls;
use super::{Config, Object, Table};
use crate::connectors::address::{is_public, resolve};
use crate::connectors::{Trouble, TroubleClass};
use failure::trouble;

pub use page::{Page, Row, Start};

/// How long a server may take to let somebody in.
const SIGN_IN: Duration = Duration::from_secs(10);
/// How long an answer may take; the source itself gives up before.
const ANSWER: Duration = Duration::from_secs(30);
/// How values are spelt is said in each transaction: a pooler refuses it at sign-in.
const BEGIN: &str = "begin transaction read only; set local statement_timeout = '20s'; \
    set local lock_timeout = '5s'; set local idle_in_transaction_session_timeout = '60s'; \
    set local datestyle = 'ISO'; set local intervalstyle = 'postgres'; \
    set local timezone = 'UTC'; set local extra_float_digits = 3; \
    set local bytea_output = 'hex'; set local lc_monetary = 'C'";

/// A line to a source database.
pub struct Line {
    conn: PgConnection,
}

impl Line {
    /// Signs in.
    ///
    /// # Errors
    /// Where the source cannot be reached or does not let in.
    pub async fn open(config: &Config, hosts: Hosts) -> Result<Line, Trouble> {
        // Boxed: a sign-in is large, and its callers are deep.
        let opened = Box::pin(async {
            let options = options(config, hosts).await?;
            let conn = PgConnection::connect_with(&options).await;
            conn.map_err(|err| failure::of_sign_in(&err, config))
        });
        let late = || failure::late(&format!("the server `{}` does not answer", config.host));
        let conn = tokio::time::timeout(SIGN_IN, opened)
            .await
            .map_err(|_| late())??;
        Ok(Line { conn })
    }

    /// What the source's catalogue says of an object, the `index`th of the config.
    ///
    /// # Errors
    /// Where it is not there or may not be read.
    pub async fn table(&mut self, index: usize, object: &Object) -> Result<Table, Trouble> {
        self.ask(async |tx| catalog::table(tx, index, object).await)
            .await
    }

    /// The next rows of an object.
    ///
    /// # Errors
    /// Where the source does not give them.
    pub async fn page(&mut self, object: &Object, start: &Start<'_>) -> Result<Page, Trouble> {
        self.ask(async |tx| page::list(tx, object, start).await)
            .await
    }

    /// The greatest value of an object's cursor, but nothing later than the source's own time.
    ///
    /// # Errors
    /// Where the source does not tell it.
    pub async fn newest(
        &mut self,
        object: &Object,
        cursor: &super::Part,
    ) -> Result<Option<String>, Trouble> {
        self.ask(async |tx| {
            page::newest(tx, object, cursor)
                .await
                .map_err(|err| trouble(&err))
        })
        .await
    }

    /// Which of these keys, a JSON array of [`Row::key`]s, the object still has: their indexes.
    ///
    /// # Errors
    /// Where the source does not tell.
    pub async fn existing(
        &mut self,
        object: &Object,
        order: &super::Order,
        keys: &str,
    ) -> Result<HashSet<usize>, Trouble> {
        let found = self
            .ask(async |tx| {
                page::existing(tx, object, order, keys)
                    .await
                    .map_err(|err| trouble(&err))
            })
            .await?;
        Ok(found
            .into_iter()
            .filter_map(|it| it.try_into().ok())
            .collect())
    }

    /// The rows of an object with these keys, a JSON array of [`Row::key`]s, each with the index
    /// of its key. Where they are too large together, the later ones are brought without a body.
    ///
    /// # Errors
    /// Where the source does not give them.
    pub async fn with_keys(
        &mut self,
        object: &Object,
        order: &super::Order,
        keys: &str,
    ) -> Result<Vec<(usize, Option<String>)>, Trouble> {
        let found = self
            .ask(async |tx| {
                page::with_keys(tx, object, order, keys)
                    .await
                    .map_err(|err| trouble(&err))
            })
            .await?;
        let index = |(index, body): (i64, _)| Some((index.try_into().ok()?, body));
        Ok(found.into_iter().filter_map(index).collect())
    }

    /// Signs off. A failure is of no interest to anybody.
    pub async fn close(self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.conn.close()).await;
    }

    async fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&mut Transaction<'_, Postgres>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let asked = Box::pin(async {
            let begun = self.conn.begin_with(BEGIN).await;
            let mut tx = begun.map_err(|err| trouble(&err))?;
            let answer = question(&mut tx).await?;
            tx.commit().await.map_err(|err| trouble(&err))?;
            Ok(answer)
        });
        let late = || failure::late("the source stopped answering in the middle");
        tokio::time::timeout(ANSWER, asked)
            .await
            .map_err(|_| late())?
    }
}

/// How to get in. Nothing is taken from this process's own environment.
async fn options(config: &Config, hosts: Hosts) -> Result<PgConnectOptions, Trouble> {
    let addresses = resolve(&config.host, config.port, hosts).await?;
    let address = addresses[0].ip();
    if config.tls == Tls::Disable && is_public(address) {
        let message = "a password and records would cross the internet unencrypted: leave it out";
        return Err(Trouble::new(TroubleClass::Network, "/tls", message));
    }
    let (mode, host) = match config.tls {
        // The certificate is for the name. A name that leads elsewhere by now leads to nobody
        // with such a certificate.
        Tls::VerifyFull => (PgSslMode::VerifyFull, config.host.clone()),
        // The address that was looked at, and no other.
        Tls::VerifyCa => (PgSslMode::VerifyCa, address.to_string()),
        Tls::Disable => (PgSslMode::Disable, address.to_string()),
    };
    let authorities = config.ca_pem.clone().unwrap_or_default();
    Ok(PgConnectOptions::new_without_pgpass()
        .host(&host)
        .port(config.port)
        .database(&config.database)
        .username(&config.user)
        .password(config.password.expose_secret())
        .ssl_mode(mode)
        .ssl_root_cert_from_pem(authorities.into_bytes())
        .extra_float_digits(None)
        .application_name("autonomos"))
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
