//! What a source's failures mean for whoever connected it.

use std::io;

use tokio_postgres::error::DbError;

use super::wire::Refused;
use crate::error::cut;
use crate::postgres::Config;
use crate::{SourceError, SourceErrorKind};

/// So much of a source's own words is repeated, which leaves room for what to do.
const WORDS: usize = 300;

/// Why a source does not answer.
#[derive(Debug)]
pub(super) enum QueryError {
    /// The network.
    Io(io::Error),
    /// The driver has ended, and knows why.
    Closed,
    /// It has hung up, in the middle perhaps.
    HungUp,
    /// It says what no PostgreSQL does, or more than was asked for: what is wrong with it, in
    /// none of its own words.
    Wire(&'static str),
    /// There is no TLS: why not, and what to do.
    Tls(String),
    /// Nobody who is trusted has signed its certificate.
    Certificate(String),
    /// It says why itself.
    Said(Box<DbError>),
}

impl From<io::Error> for QueryError {
    fn from(error: io::Error) -> QueryError {
        use io::ErrorKind::{InvalidData, InvalidInput};
        let refused = error.get_ref().and_then(|it| it.downcast_ref());
        if let Some(Refused(why)) = refused {
            return QueryError::Wire(why);
        }
        match error.kind() {
            InvalidData | InvalidInput => {
                QueryError::Wire("it does not speak PostgreSQL's protocol")
            }
            // Only the system's own words are clear: others mean an end in the middle.
            _ if error.raw_os_error().is_none() => QueryError::HungUp,
            _ => QueryError::Io(error),
        }
    }
}

impl From<tokio_postgres::Error> for QueryError {
    fn from(error: tokio_postgres::Error) -> QueryError {
        if error.is_closed() {
            return QueryError::Closed;
        }
        let Some(source) = error.into_source() else {
            return QueryError::Wire("it does not speak PostgreSQL's protocol");
        };
        let source = match source.downcast::<DbError>() {
            Ok(said) => return QueryError::Said(said),
            Err(source) => source,
        };
        match source.downcast::<io::Error>() {
            Ok(error) => (*error).into(),
            Err(_) => QueryError::Wire("it does not sign in as PostgreSQL does"),
        }
    }
}

/// How much may be said of a server that is not reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Detail {
    /// Why not.
    Why,
    /// No more than that it is not: why not would tell what else is in a network that only the
    /// platform sees.
    That,
}

/// What went wrong while signing in.
pub(super) fn connect_error(failure: &QueryError, config: &Config, detail: Detail) -> SourceError {
    match failure {
        // These are PostgreSQL's own.
        QueryError::Said(_) | QueryError::Tls(_) | QueryError::Certificate(_) => {}
        QueryError::Io(_) | QueryError::Closed | QueryError::HungUp | QueryError::Wire(_) => {
            if detail == Detail::That {
                return unreached(config);
            }
        }
    }
    let network = |pointer, message| SourceError::new(SourceErrorKind::Network, pointer, message);
    let host = &config.host;
    match failure {
        QueryError::Said(said) => refused(said, config),
        QueryError::Tls(cause) => network("/tls", format!("no TLS with the server: {cause}")),
        QueryError::Certificate(cause) => network(
            "/tls",
            format!(
                "the server's certificate is not trusted: {cause}; ca_pem may name its authority"
            ),
        ),
        QueryError::Io(cause) => network(
            "/host",
            format!("the server `{host}` cannot be reached: {cause}"),
        ),
        QueryError::Closed | QueryError::HungUp => network(
            "/host",
            format!("the server `{host}` cannot be reached: it hangs up"),
        ),
        QueryError::Wire(why) => network(
            "/port",
            format!("what answers there is no PostgreSQL: {why}"),
        ),
    }
}

/// There is no server that lets in, for whatever reason.
fn unreached(config: &Config) -> SourceError {
    let message = format!(
        "the server `{}` cannot be reached as a PostgreSQL: check host and port, and that its \
         network lets this platform in",
        config.host
    );
    SourceError::new(SourceErrorKind::Network, "/host", message)
}

/// Who does not let anybody in in time.
pub(super) fn connect_timeout(config: &Config, detail: Detail) -> SourceError {
    match detail {
        Detail::Why => timeout(&format!("the server `{}` does not answer", config.host)),
        Detail::That => unreached(config),
    }
}

/// Why a server does not let somebody in.
fn refused(said: &DbError, config: &Config) -> SourceError {
    let (class, pointer, message) = match said.code().code() {
        "28P01" | "28000" => (
            SourceErrorKind::Auth,
            "/password",
            format!(
                "the source refuses `{}`: check user and password",
                config.user
            ),
        ),
        "3D000" => (
            SourceErrorKind::Schema,
            "/database",
            format!("the server has no database `{}`", config.database),
        ),
        "42501" => (
            SourceErrorKind::Permission,
            "/user",
            format!(
                "`{}` may not connect to `{}`: grant connect on the database to it",
                config.user, config.database
            ),
        ),
        _ => return of_words(said),
    };
    SourceError::new(class, pointer, message)
}

/// What went wrong while asking.
pub(super) fn query_error(failure: &QueryError) -> SourceError {
    let message = match failure {
        QueryError::Said(said) => return of_words(said),
        QueryError::Wire(what) => format!("the source does not answer as it should: {what}"),
        QueryError::Closed | QueryError::HungUp => {
            "the line to the source broke: it hung up".to_owned()
        }
        QueryError::Io(cause) => format!("the line to the source broke: {cause}"),
        QueryError::Tls(cause) | QueryError::Certificate(cause) => {
            format!("the line to the source broke: {cause}")
        }
    };
    SourceError::new(SourceErrorKind::Network, "/host", message)
}

/// What a source's own words mean.
fn of_words(said: &DbError) -> SourceError {
    let text = cut(said.message().to_owned(), WORDS);
    let (class, pointer, message) = match said.code().code() {
        "42501" => (
            SourceErrorKind::Permission,
            "/user",
            format!("{text}: grant it to the user"),
        ),
        "57014" => (
            SourceErrorKind::Quota,
            "/objects",
            "an answer took longer than 20 s: index the cursor together with the key".to_owned(),
        ),
        "57P01" | "57P02" | "57P03" => (
            SourceErrorKind::Network,
            "/host",
            "the source is shutting down or starting".to_owned(),
        ),
        code if code.starts_with("53") || code.starts_with("54") || code == "55P03" => (
            SourceErrorKind::Quota,
            "/host",
            format!("the source says: {text}"),
        ),
        code if code.starts_with("08") => (
            SourceErrorKind::Network,
            "/host",
            format!("the source says: {text}"),
        ),
        code => (
            SourceErrorKind::Schema,
            "/objects",
            format!("the source says: {text} ({})", cut(code.to_owned(), 5)),
        ),
    };
    SourceError::new(class, pointer, message)
}

/// Who does not answer in time.
pub(super) fn timeout(what: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Network, "/host", what)
}
