//! The rows of people, sessions, invitations and keys.

pub(crate) mod api_keys;
pub(crate) mod invitations;
pub(crate) mod logins;
pub(crate) mod password_resets;
pub(crate) mod refresh_tokens;
pub(crate) mod sign_in_addresses;
pub(crate) mod tenants;
pub(crate) mod users;
