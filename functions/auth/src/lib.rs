//! The auth function: people and programs prove who they are, and get tokens that say so.
//!
//! **Invariant:** the only code that reads the private key, a password or a refresh token.

mod attempt;
mod audit;
mod db;
mod discovery;
mod input;
pub mod keys;
mod maker;
mod opaque_token;
mod password;
mod person;
pub mod rotate;
mod routes;
mod seed;
mod session;
mod token;

use std::sync::Arc;

use axum::extract::FromRef;
use platform::client_address::ClientAddress;
use platform::limit::Class;
use platform::{Platform, Routes};
use schema::Error;

pub use seed::{Seed, seed};

use token::Signer;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    platform: Platform,
    signer: Arc<Signer>,
}

/// The function's routes.
pub fn routes(platform: Platform) -> Routes {
    let signer = Arc::new(Signer::new(platform.realm.clone()));
    let app = App { platform, signer };
    routes::router().with_state(app)
}

impl App {
    /// Counts what somebody did who is not known yet, such as to register.
    async fn limit_address(
        &self,
        class: Class,
        what: &str,
        address: ClientAddress,
    ) -> schema::Result<()> {
        let key = format!("{what}:{}", address.neighbourhood());
        self.platform.limiter.check(class, &key).await?;
        Ok(())
    }

    /// Counts a token that is not valid against the address that sent it, and says so: who tries
    /// many is told to wait. A valid one from there is let through all the same.
    async fn refuse_token(&self, class: Class, address: ClientAddress, invalid: Error) -> Error {
        match self.limit_address(class, "refused", address).await {
            Ok(()) => invalid,
            Err(limited) => limited,
        }
    }
}

impl FromRef<App> for Platform {
    fn from_ref(app: &App) -> Platform {
        app.platform.clone()
    }
}
