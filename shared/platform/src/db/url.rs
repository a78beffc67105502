//! The address of a database, as it is written.

use std::str::FromStr;

use super::ConnectOptions;

/// Where a PostgreSQL is and who signs in to it, as a URL.
#[derive(Debug)]
pub struct Url(pub ConnectOptions);

impl FromStr for Url {
    type Err = sqlx::Error;

    /// The parser below takes any scheme. Errors do not show the text: it may have a password.
    fn from_str(text: &str) -> sqlx::Result<Url> {
        const FORM: &str = "write postgres://USER:PASSWORD@HOST/DATABASE";
        let refuse = |why: String| sqlx::Error::Configuration(format!("{why}: {FORM}").into());
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => text.parse().map(Url),
            Some((scheme, _)) => Err(refuse(format!("it is for `{scheme}`"))),
            None => Err(refuse("it is no URL".to_owned())),
        }
    }
}
