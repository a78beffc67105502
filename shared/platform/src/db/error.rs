//! Database errors as answers.

use schema::Error;

use crate::Problem;

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Problem {
        Problem::from(translate(error))
    }
}

fn translate(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::PoolTimedOut => Error::Unavailable("the database is busy, try again"),
        sqlx::Error::Io(_) => {
            tracing::error!(?error, "the database is unavailable");
            Error::Unavailable("the database is unavailable, try again")
        }
        sqlx::Error::Configuration(cause) => match cause.downcast_ref() {
            Some(Error::Unavailable(what)) => Error::Unavailable(what),
            _ => Error::Internal(error.into()),
        },
        sqlx::Error::Database(refusal) => match refusal.code().as_deref().and_then(by_code) {
            Some(answer) => answer,
            None => Error::Internal(error.into()),
        },
        _ => Error::Internal(error.into()),
    }
}

/// What the client can do about a refusal, by its SQLSTATE.
fn by_code(code: &str) -> Option<Error> {
    match code {
        // Texts are checked where they come in; this is the second lock.
        "22021" | "22P05" => Some(Error::invalid("", "has a character that cannot be stored")),
        "22003" => Some(Error::invalid("", "has a number that is too large")),
        "54000" => Some(Error::invalid("", "has a text that is too long")),
        "40001" | "40P01" => Some(Error::Unavailable(
            "a concurrent request changed the same rows, try again",
        )),
        "53100" | "25006" => Some(Error::Unavailable(
            "the database takes nothing more at the moment, try again later",
        )),
        "53300" | "57P01" | "57P02" | "57P03" => {
            Some(Error::Unavailable("the database is unavailable, try again"))
        }
        "28P01" | "28000" => Some(Error::Unavailable(
            "the database rejects the platform's credentials, try again",
        )),
        _ => None,
    }
}

/// Maps a constraint's name to the answer that it stands for.
pub trait OnConstraint<T> {
    /// The answer `error` where the named constraint was violated.
    fn on_constraint(self, name: &str, error: Error) -> Result<T, Problem>;
}

impl<T> OnConstraint<T> for sqlx::Result<T> {
    fn on_constraint(self, name: &str, error: Error) -> Result<T, Problem> {
        self.map_err(
            |err| match err.as_database_error().and_then(|it| it.constraint()) {
                Some(violated) if violated == name => error.into(),
                _ => err.into(),
            },
        )
    }
}
