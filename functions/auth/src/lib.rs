//! The auth function: people and programs prove who they are, and get tokens that say so.
//!
//! **Invariant:** the only code that reads the private key, a password or a refresh token.

mod audit;
mod db;
mod discovery;
mod input;
pub mod keys;
mod maker;
mod opaque;
mod password;
pub mod rotate;
mod routes;
mod seed;
mod session;
mod token;

use std::sync::Arc;

use axum::extract::FromRef;
use platform::config::Realm;
use platform::http::ClientAddress;
use platform::limit::Class;
use platform::{Platform, Routes};

pub use seed::{Seed, seed};

use token::Signer;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    platform: Platform,
    signer: Arc<Signer>,
}

/// The function's routes.
pub fn routes(platform: Platform) -> anyhow::Result<Routes> {
    let signer = Arc::new(Signer::new(Realm::from_env()?));
    let app = App { platform, signer };
    Ok(routes::router().with_state(app))
}

impl App {
    /// Counts a request of somebody who is not known yet.
    async fn limit_address(&self, class: Class, address: ClientAddress) -> schema::Result<()> {
        let key = format!("address:{}", address.neighbourhood());
        self.platform.limiter.check(class, &key).await?;
        Ok(())
    }

    /// Counts an attempt to sign in to an account, whether it exists or not.
    async fn limit_account(&self, email: &str) -> schema::Result<()> {
        // Hashed, so that a counter's name tells no address.
        let hash = opaque::hex(&opaque::sha256(email.as_bytes()));
        let key = format!("account:{hash}");
        self.platform.limiter.check(Class::SignIn, &key).await?;
        Ok(())
    }
}

impl FromRef<App> for Platform {
    fn from_ref(app: &App) -> Platform {
        app.platform.clone()
    }
}
