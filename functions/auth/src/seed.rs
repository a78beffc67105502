//! Tenants for development, made where they are not.

use platform::Platform;
use platform::audit::{self, Entry, Signer};
use platform::db::accounts;
use schema::{Role, TenantId, UserId};

use crate::db::users::{self, NewUser};
use crate::db::{logins, tenants};
use crate::input::Email;
use crate::{opaque_token, password};

/// A tenant and its admin.
pub struct Seed {
    /// The tenant's id.
    pub tenant: TenantId,
    /// The organisation's name.
    pub name: &'static str,
    /// The admin's id.
    pub user: UserId,
    /// The admin's address.
    pub email: &'static str,
    /// The admin's password; none where nobody shall sign in. No rules: it is as public as the
    /// seed.
    pub password: Option<&'static str>,
}

/// Makes each tenant that is not there yet, with its admin. One that is there is left alone.
pub async fn seed(platform: &Platform, seeds: &[Seed]) -> anyhow::Result<()> {
    for seed in seeds {
        let email = Email::parse(seed.email)?;
        let now = platform::now();
        let mut tx = accounts::begin_directory(&platform.db).await?;
        if !tenants::insert_once(&mut tx, seed.tenant, seed.name).await? {
            continue;
        }
        logins::insert(&mut tx, seed.tenant, seed.user, &email.key).await?;
        accounts::enter(&platform.db, &mut tx, seed.tenant).await?;
        let password = match seed.password {
            Some(password) => password.to_owned(),
            None => opaque_token::hex(&opaque_token::random()),
        };
        let user = NewUser {
            id: seed.user,
            email: email.typed,
            name: None,
            password_hash: password::hash(password).await?,
            role: Role::Admin,
        };
        users::insert(&mut tx, seed.tenant, &user, now).await?;
        let signer = Signer::of(&platform.secrets).await?;
        let what = ("tenant.seed", format!("tenant:{}", seed.tenant));
        let entry = Entry::of(signer, "system".to_owned(), what, now);
        audit::append(&mut tx, seed.tenant, &entry).await?;
        tx.commit().await?;
    }
    Ok(())
}
