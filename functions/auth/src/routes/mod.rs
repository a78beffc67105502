//! The routes, by resource.

mod api_keys;
mod discovery;
mod invitations;
mod legacy;
mod me;
mod register;
mod session;
mod users;

use platform::Routes;

use crate::App;

pub(crate) fn router() -> Routes<App> {
    Routes::new()
        .merge(register::router())
        .merge(session::router())
        .merge(me::router())
        .merge(users::router())
        .merge(invitations::router())
        .merge(api_keys::router())
        .merge(discovery::router())
        .merge(legacy::router())
}
