//! How often somebody may try to sign in. Only failures count.
//!
//! The narrow quota is of account and client address together, so nobody uses up another's. Two
//! wider ones slow down who tries many accounts from one address, or one account from many
//! addresses; anybody can use these up, so they are not for whoever signs in from an address that
//! the account has been signed in to from before.
//!
//! **Invariant:** a try is counted before the password is looked at and given back when it was
//! right: a hundred at once are not all let through because none has failed yet.

use platform::Platform;
use platform::client_address::ClientAddress;
use platform::limit::Class;
use schema::{Result, UserId};

use crate::opaque_token;

/// A try to sign in that is being looked at.
pub(crate) struct Attempt<'a> {
    platform: &'a Platform,
    account: String,
    address: ClientAddress,
    counted: Vec<(Class, String)>,
}

impl<'a> Attempt<'a> {
    /// Counts a try, whether the account exists or not.
    ///
    /// # Errors
    /// Too many have failed from this address.
    pub(crate) async fn begin(
        platform: &'a Platform,
        email: &str,
        address: ClientAddress,
    ) -> Result<Attempt<'a>> {
        let mut attempt = Attempt {
            platform,
            // Hashed, so that a counter's name tells no address.
            account: opaque_token::hex(&opaque_token::sha256(email.as_bytes())),
            address,
            counted: vec![],
        };
        let key = format!("{}:{}", attempt.account, address.neighbourhood());
        attempt.count(Class::SignIn, key).await?;
        Ok(attempt)
    }

    /// Counts it in the wider quotas too: nobody signed in to the account from this address yet.
    ///
    /// # Errors
    /// Too many have failed from this address, or for this account.
    pub(crate) async fn count_widely(&mut self) -> Result<()> {
        let (address, account) = (self.address.neighbourhood(), self.account.clone());
        self.count(Class::SignInAddress, address).await?;
        self.count(Class::SignInAccount, account).await
    }

    /// It was right, and so counts for nothing; nor do the failures before it from here.
    pub(crate) async fn succeed(self) {
        for (class, key) in self.counted {
            match class {
                Class::SignIn => self.platform.limiter.clear(class, &key).await,
                _ => self.platform.limiter.give_back(class, &key).await,
            }
        }
    }

    async fn count(&mut self, class: Class, key: String) -> Result<()> {
        if let Err(limited) = self.platform.limiter.check(class, &key).await {
            // A try that is not looked at is none: it must not use up the other quotas.
            for (class, key) in self.counted.drain(..) {
                self.platform.limiter.give_back(class, &key).await;
            }
            return Err(limited);
        }
        self.counted.push((class, key));
        Ok(())
    }
}

/// What is kept of the address of a sign-in; none where it is not known.
pub(crate) fn address_hash(user: UserId, address: ClientAddress) -> Option<[u8; 32]> {
    address.0?;
    let text = format!("{user} {}", address.neighbourhood());
    Some(opaque_token::sha256(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn hash(user: u128, address: &str) -> Option<[u8; 32]> {
        let address = ClientAddress(address.parse().ok());
        address_hash(UserId(Uuid::from_u128(user)), address)
    }

    #[test]
    fn a_known_address_is_of_one_user_and_of_one_neighbourhood() {
        let known = hash(1, "2001:db8:1:2::1");
        assert!(known.is_some());
        assert_eq!(hash(1, "2001:db8:1:2:ffff::9"), known);
        assert_ne!(hash(1, "2001:db8:1:3::1"), known);
        // So that the table does not tell who signs in from one place.
        assert_ne!(hash(2, "2001:db8:1:2::1"), known);
        assert_eq!(hash(1, "unknown"), None);
    }
}
