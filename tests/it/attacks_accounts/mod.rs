//! What somebody tries who has a token, a password or a session that they should not have, or who
//! takes more than their share.

mod headers;
mod orders;
mod passwords;
mod quotas;
mod revocation;
mod sessions;
