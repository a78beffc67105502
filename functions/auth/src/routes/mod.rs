//! The routes, by resource.

mod api_keys;
mod discovery;
mod invitations;
mod legacy;
mod me;
mod password;
mod password_resets;
mod register;
mod session;
mod sessions;
mod tenant;
mod users;

use platform::Routes;

use crate::App;

pub(crate) fn router() -> Routes<App> {
    Routes::new()
        .merge(register::router())
        .merge(session::router())
        .merge(sessions::router())
        .merge(password::router())
        .merge(password_resets::router())
        .merge(me::router())
        .merge(tenant::router())
        .merge(users::router())
        .merge(invitations::router())
        .merge(api_keys::router())
        .merge(discovery::router())
        .merge(legacy::router())
}
