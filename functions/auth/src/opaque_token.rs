//! Tokens that mean nothing to their holder: tenant, id and secret in one text.
//!
//! The tenant is inside so that the row is looked up under the tenant's lock. Only the hash of
//! the secret is stored; 256 random bits need no slow hash.

use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use platform::secrets::Key;
use schema::TenantId;
use uuid::Uuid;

/// A refresh token or an invitation.
pub(crate) struct OpaqueToken {
    pub(crate) tenant: TenantId,
    pub(crate) id: Uuid,
    secret: [u8; 32],
}

impl OpaqueToken {
    pub(crate) fn new(tenant: TenantId, id: Uuid) -> OpaqueToken {
        OpaqueToken {
            tenant,
            id,
            secret: random(),
        }
    }

    /// The refresh token that replaces this one: always the same, so that it can be handed out
    /// again although nobody stored it.
    pub(crate) fn child(&self, key: &Key) -> OpaqueToken {
        let id = key.mac("refresh child id", &[&self.secret]);
        let id = id.first_chunk().expect("a MAC has 32 bytes");
        OpaqueToken {
            tenant: self.tenant,
            id: Uuid::from_bytes(*id),
            secret: key.mac("refresh child", &[&self.secret]),
        }
    }

    pub(crate) fn parse(text: &str) -> Option<OpaqueToken> {
        let bytes: [u8; 64] = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (tenant, rest) = bytes.split_first_chunk()?;
        let (id, secret) = rest.split_first_chunk()?;
        Some(OpaqueToken {
            tenant: TenantId(Uuid::from_bytes(*tenant)),
            id: Uuid::from_bytes(*id),
            secret: secret.try_into().ok()?,
        })
    }

    pub(crate) fn text(&self) -> String {
        let parts = [
            &self.tenant.0.as_bytes()[..],
            self.id.as_bytes(),
            &self.secret,
        ];
        BASE64_URL_SAFE_NO_PAD.encode(parts.concat())
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(&self.secret)
    }

    /// Whether this is the token that the hash was made of.
    pub(crate) fn matches(&self, hash: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.hash(), hash).is_ok()
    }
}

/// 32 random bytes.
pub(crate) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system's randomness is there");
    bytes
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> OpaqueToken {
        OpaqueToken::new(TenantId(Uuid::now_v7()), Uuid::now_v7())
    }

    #[test]
    fn a_token_survives_its_text() {
        let token = token();
        let again = OpaqueToken::parse(&token.text()).unwrap();
        assert_eq!((again.tenant, again.id), (token.tenant, token.id));
        assert!(again.matches(&token.hash()));
        assert!(!again.matches(&[0; 32]));
    }

    #[test]
    fn another_text_is_no_token() {
        let text = token().text();
        for wrong in [
            "",
            "a",
            "\0",
            &text[1..],
            &format!("{text}A"),
            &"é".repeat(43),
        ] {
            assert!(OpaqueToken::parse(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn a_child_is_the_same_again_and_depends_on_the_key() {
        let (token, key) = (token(), Key::new([1; 32]));
        assert_eq!(token.child(&key).text(), token.child(&key).text());
        assert_ne!(token.child(&key).text(), token.text());
        assert_ne!(
            token.child(&key).text(),
            token.child(&Key::new([2; 32])).text()
        );
    }
}
