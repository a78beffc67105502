//! A connection to a source: the driver, and what of its answers is let in.
//!
//! **Invariant:** nothing reaches the driver that [`Checked`] has not let through, and nothing of
//! an answer is kept beyond the rows, columns and bytes that its question allows.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;

use futures_util::TryStreamExt;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, NoTls};

use super::error::QueryError;
use super::tls;
use super::wire::Checked;
use crate::postgres::Config;
use crate::postgres::config::Tls;

/// The driver.
pub(super) struct Conn {
    client: Client,
    /// It reads and writes for the client. It is gone when somebody asked how it ended.
    driving: Option<JoinHandle<Result<(), tokio_postgres::Error>>>,
}

/// How much an answer may have.
#[derive(Clone, Copy)]
pub(super) struct Most {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) bytes: usize,
}

/// One row of an answer.
pub(super) struct Cells(tokio_postgres::Row);

impl Conn {
    /// Signs in at one of these addresses.
    pub(super) async fn open(
        addresses: &[SocketAddr],
        config: &Config,
    ) -> Result<Conn, QueryError> {
        // Whatever the name leads to by now: these are the addresses that were looked at.
        let stream = TcpStream::connect(addresses).await?;
        stream.set_nodelay(true)?;
        match config.tls {
            Tls::Disable => Conn::sign_in(stream, config).await,
            Tls::VerifyFull | Tls::VerifyCa => {
                let stream = tls::encrypt(stream, config).await?;
                Conn::sign_in(stream, config).await
            }
        }
    }

    async fn sign_in<S>(stream: S, config: &Config) -> Result<Conn, QueryError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (client, mut connection) = tokio_postgres::Config::new()
            .dbname(&config.database)
            .user(&config.user)
            .password(config.password.expose_secret())
            .application_name("autonomos")
            // What is encrypted is the stream.
            .ssl_mode(SslMode::Disable)
            .connect_raw(Checked::new(stream), NoTls)
            .await?;
        let driving = tokio::spawn(async move {
            // Not the connection's own future, which logs what a server says unasked.
            while let Some(said) = poll_fn(|cx| connection.poll_message(cx)).await {
                said?;
            }
            Ok(())
        });
        Ok(Conn {
            client,
            driving: Some(driving),
        })
    }

    /// Does statements that answer nothing.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), QueryError> {
        tracing::debug!(sql, "asks a source");
        let done = self.client.batch_execute(sql).await;
        match done {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(error.into()).await),
        }
    }

    /// The rows that a statement answers, which has no name: a pooler before the source may hand
    /// the next one to another server.
    pub(super) async fn rows(
        &mut self,
        sql: &str,
        values: &[&str],
        most: Most,
    ) -> Result<Vec<Cells>, QueryError> {
        tracing::debug!(sql, "asks a source");
        match fetch(&self.client, sql, values, most).await {
            Ok(rows) => Ok(rows),
            Err(failure) => Err(self.failed(failure).await),
        }
    }

    /// Hangs up and waits until the source has been told.
    pub(super) async fn close(mut self) {
        let driving = self.driving.take();
        drop(self);
        if let Some(driving) = driving {
            let _ = driving.await;
        }
    }

    /// Hangs up at once.
    pub(super) fn abort(&self) {
        if let Some(driving) = &self.driving {
            driving.abort();
        }
    }

    /// The cause of a failure. Who broke the protocol once is listened to no longer.
    async fn failed(&mut self, failure: QueryError) -> QueryError {
        match failure {
            QueryError::Said(_) => failure,
            QueryError::Closed => match self.driving.take() {
                None => failure,
                Some(driving) => match driving.await {
                    Ok(Err(error)) => error.into(),
                    _ => failure,
                },
            },
            _ => {
                self.abort();
                failure
            }
        }
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.abort();
    }
}

async fn fetch(
    client: &Client,
    sql: &str,
    values: &[&str],
    most: Most,
) -> Result<Vec<Cells>, QueryError> {
    let values = values.iter().map(|it| (it, Type::TEXT));
    let mut stream = pin!(client.query_typed_raw(sql, values).await?);
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = stream.try_next().await? {
        bytes += row.raw_size_bytes();
        if rows.len() == most.rows || most.columns != row.len() || most.bytes < bytes {
            return Err(QueryError::Wire("it answers more than it was asked for"));
        }
        rows.push(Cells(row));
    }
    Ok(rows)
}

impl Cells {
    /// The cell at that place.
    pub(super) fn get<'a, T: FromSql<'a>>(&'a self, index: usize) -> Result<T, QueryError> {
        let value = self.0.try_get(index);
        value.map_err(|_| QueryError::Wire("it answers something else than it was asked for"))
    }

    /// The text at that place. PostgreSQL's never have a zero byte, and nothing that is stored
    /// may.
    pub(super) fn text(&self, index: usize) -> Result<Option<String>, QueryError> {
        let text: Option<String> = self.get(index)?;
        if text.as_ref().is_some_and(|it| it.contains('\0')) {
            return Err(QueryError::Wire("its texts have zero bytes"));
        }
        Ok(text)
    }

    /// The text that must be at that place.
    pub(super) fn some_text(&self, index: usize) -> Result<String, QueryError> {
        let text = self.text(index)?;
        text.ok_or(QueryError::Wire(
            "it answers nothing where something must be",
        ))
    }
}
