//! Who is calling: proved by an access token or an API key, and by nothing else.

mod caller;
pub mod claims;
mod verifier;

pub use caller::{
    Admin, Caller, DEV_EMAIL, DEV_TENANT, DEV_USER, Ingester, Reader, format_api_key,
};
pub use verifier::{Refusal, Verifier};

/// Whether tokens are asked for.
pub enum Auth {
    /// Each request must carry a token or an API key.
    On(Box<Verifier>),
    /// Every request is the development admin. Never in a deployed function.
    Off,
}
