//! What somebody tries who has a token, a password or a session that they should not have.

mod revocation;
