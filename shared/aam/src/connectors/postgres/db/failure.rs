//! What a source's failures mean for whoever connected it.

use sqlx::Error;

use crate::connectors::postgres::Config;
use crate::connectors::{Trouble, TroubleClass};

/// What went wrong while signing in.
pub(super) fn of_sign_in(error: &Error, config: &Config) -> Trouble {
    let code = code(error);
    let (class, pointer, message) = match (error, code.as_deref()) {
        (_, Some("28P01" | "28000")) => (
            TroubleClass::Auth,
            "/password",
            format!(
                "the source refuses `{}`: check user and password",
                config.user
            ),
        ),
        (_, Some("3D000")) => (
            TroubleClass::Schema,
            "/database",
            format!("the server has no database `{}`", config.database),
        ),
        (_, Some("42501")) => (
            TroubleClass::Permission,
            "/user",
            format!(
                "`{}` may not connect to `{}`: grant connect on the database to it",
                config.user, config.database
            ),
        ),
        (Error::Tls(cause), _) => (
            TroubleClass::Network,
            "/tls",
            format!("no trusted TLS with the server: {cause}; ca_pem may name its authority"),
        ),
        (Error::Io(cause), _) if is_certificate(cause) => (
            TroubleClass::Network,
            "/tls",
            format!(
                "the server's certificate is not trusted: {cause}; ca_pem may name its authority"
            ),
        ),
        (Error::Io(cause), _) => (
            TroubleClass::Network,
            "/host",
            format!("the server `{}` cannot be reached: {cause}", config.host),
        ),
        (Error::Protocol(_), _) => (
            TroubleClass::Network,
            "/port",
            "what answers there is no PostgreSQL".to_owned(),
        ),
        _ => return trouble(error),
    };
    Trouble::new(class, pointer, message)
}

/// What went wrong while asking.
pub(super) fn trouble(error: &Error) -> Trouble {
    let said = || {
        error
            .as_database_error()
            .map_or("", |it| it.message())
            .to_owned()
    };
    let code = code(error).unwrap_or_default();
    let (class, pointer, message) = match code.as_str() {
        "" => (
            TroubleClass::Network,
            "/host",
            format!("the line to the source broke: {error}"),
        ),
        "42501" => (
            TroubleClass::Permission,
            "/user",
            format!("{}: grant it to the user", said()),
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
            format!("the source says: {}", said()),
        ),
        code if code.starts_with("08") => (
            TroubleClass::Network,
            "/host",
            format!("the source says: {}", said()),
        ),
        code => (
            TroubleClass::Schema,
            "/objects",
            format!("the source says: {} ({code})", said()),
        ),
    };
    Trouble::new(class, pointer, message)
}

/// Who does not answer in time.
pub(super) fn late(what: &str) -> Trouble {
    Trouble::new(TroubleClass::Network, "/host", what)
}

fn code(error: &Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}

/// rustls hands its refusal through as an I/O error.
fn is_certificate(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::InvalidData
}
