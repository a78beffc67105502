//! What a source's failures mean for whoever connected it.

use std::io;

use tokio_postgres::error::DbError;

use crate::connectors::postgres::Config;
use crate::connectors::{Trouble, TroubleClass};

/// Why a source does not answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The network.
    Io(io::Error),
    /// It has hung up.
    Closed,
    /// It says what no PostgreSQL does, or more than was asked for: what is wrong with it, in
    /// none of its own words.
    Wire(&'static str),
    /// There is no TLS.
    Tls(String),
    /// Nobody who is trusted has signed its certificate.
    Certificate(String),
    /// It says why itself.
    Said(Box<DbError>),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        use io::ErrorKind::{InvalidData, InvalidInput};
        match error.kind() {
            InvalidData | InvalidInput => Failure::Wire("it does not speak PostgreSQL's protocol"),
            _ => Failure::Io(error),
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        if error.is_closed() {
            return Failure::Closed;
        }
        let Some(source) = error.into_source() else {
            return Failure::Wire("it does not speak PostgreSQL's protocol");
        };
        let source = match source.downcast::<DbError>() {
            Ok(said) => return Failure::Said(said),
            Err(source) => source,
        };
        match source.downcast::<io::Error>() {
            Ok(error) => (*error).into(),
            Err(_) => Failure::Wire("it does not sign in as PostgreSQL does"),
        }
    }
}

/// What went wrong while signing in.
pub(super) fn of_sign_in(failure: &Failure, config: &Config) -> Trouble {
    let network = |pointer, message| Trouble::new(TroubleClass::Network, pointer, message);
    let host = &config.host;
    match failure {
        Failure::Said(said) => refused(said, config),
        Failure::Tls(cause) => network(
            "/tls",
            format!("no trusted TLS with the server: {cause}; ca_pem may name its authority"),
        ),
        Failure::Certificate(cause) => network(
            "/tls",
            format!(
                "the server's certificate is not trusted: {cause}; ca_pem may name its authority"
            ),
        ),
        Failure::Io(cause) => network(
            "/host",
            format!("the server `{host}` cannot be reached: {cause}"),
        ),
        Failure::Closed => network(
            "/host",
            format!("the server `{host}` cannot be reached: it hangs up"),
        ),
        Failure::Wire(_) => network("/port", "what answers there is no PostgreSQL".to_owned()),
    }
}

/// Why a server does not let somebody in.
fn refused(said: &DbError, config: &Config) -> Trouble {
    let (class, pointer, message) = match said.code().code() {
        "28P01" | "28000" => (
            TroubleClass::Auth,
            "/password",
            format!(
                "the source refuses `{}`: check user and password",
                config.user
            ),
        ),
        "3D000" => (
            TroubleClass::Schema,
            "/database",
            format!("the server has no database `{}`", config.database),
        ),
        "42501" => (
            TroubleClass::Permission,
            "/user",
            format!(
                "`{}` may not connect to `{}`: grant connect on the database to it",
                config.user, config.database
            ),
        ),
        _ => return of_words(said),
    };
    Trouble::new(class, pointer, message)
}

/// What went wrong while asking.
pub(super) fn trouble(failure: &Failure) -> Trouble {
    let message = match failure {
        Failure::Said(said) => return of_words(said),
        Failure::Wire(what) => format!("the source is no PostgreSQL: {what}"),
        Failure::Closed => "the line to the source broke: it hung up".to_owned(),
        Failure::Io(cause) => format!("the line to the source broke: {cause}"),
        Failure::Tls(cause) | Failure::Certificate(cause) => {
            format!("the line to the source broke: {cause}")
        }
    };
    Trouble::new(TroubleClass::Network, "/host", message)
}

/// What a source's own words mean.
fn of_words(said: &DbError) -> Trouble {
    let text = said.message();
    let (class, pointer, message) = match said.code().code() {
        "42501" => (
            TroubleClass::Permission,
            "/user",
            format!("{text}: grant it to the user"),
        ),
        "57014" => (
            TroubleClass::Quota,
            "/objects",
            "an answer took longer than 20 s: index the cursor together with the key".to_owned(),
        ),
        "57P01" | "57P02" | "57P03" => (
            TroubleClass::Network,
            "/host",
            "the source is shutting down or starting".to_owned(),
        ),
        code if code.starts_with("53") || code.starts_with("54") || code == "55P03" => (
            TroubleClass::Quota,
            "/host",
            format!("the source says: {text}"),
        ),
        code if code.starts_with("08") => (
            TroubleClass::Network,
            "/host",
            format!("the source says: {text}"),
        ),
        code => (
            TroubleClass::Schema,
            "/objects",
            format!("the source says: {text} ({code})"),
        ),
    };
    Trouble::new(class, pointer, message)
}

/// Who does not answer in time.
pub(super) fn late(what: &str) -> Trouble {
    Trouble::new(TroubleClass::Network, "/host", what)
}
