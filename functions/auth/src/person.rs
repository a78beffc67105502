//! Callers who signed in themselves: passwords and sessions are people's, not their API keys'.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use platform::{Caller, Platform, Problem};
use schema::{Error, Result};

/// A caller with an access token.
pub(crate) struct Person(pub(crate) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Person
where
    Platform: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Person, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        check(&caller)?;
        Ok(Person(caller))
    }
}

/// Refuses an API key: what a program is given must not become a person's password.
pub(crate) fn check(caller: &Caller) -> Result<()> {
    match caller.api_key {
        None => Ok(()),
        Some(_) => Err(Error::Forbidden(
            "this is for people, not for API keys: sign in with your password",
        )),
    }
}
