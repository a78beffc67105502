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
            tracing::error!(?error, "the database is away");
            Error::Unavailable("the database is away, try again")
        }
        _ => Error::Internal(error.into()),
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
