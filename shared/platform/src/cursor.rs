//! Opaque cursors: a place in a list, signed, bound to tenant, route and order.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use schema::{Error, Result, TenantId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::secrets::{Key, KeyRing};

/// What a cursor is good for. Handed to another list, it is refused.
pub struct Scope<'a> {
    /// Whose list.
    pub tenant: TenantId,
    /// Which list.
    pub route: &'a str,
    /// In which order, and filtered how.
    pub order: &'a str,
}

const TAG: usize = 16;

/// The cursor for a place.
pub fn seal<T: Serialize>(keys: &KeyRing, scope: &Scope<'_>, place: &T) -> String {
    let text = serde_json::to_vec(place).expect("a place is plain data");
    let tag = tag(keys.current(), scope, &text);
    BASE64_URL_SAFE_NO_PAD.encode([&tag[..], &text].concat())
}

/// The place of a cursor.
///
/// # Errors
/// [`Error::Invalid`] where it was made by nobody, for another list or for another tenant.
pub fn open<T: DeserializeOwned>(keys: &KeyRing, scope: &Scope<'_>, cursor: &str) -> Result<T> {
    let wrong = || {
        Error::invalid(
            "?cursor",
            "not a cursor of this list: start again without it",
        )
    };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    let (claimed, text) = bytes.split_first_chunk::<TAG>().ok_or_else(wrong)?;
    let is_of = |key| verify_slices_are_equal(claimed, &tag(key, scope, text)).is_ok();
    if !keys.iter().any(is_of) {
        return Err(wrong());
    }
    serde_json::from_slice(text).map_err(|_| wrong())
}

fn tag(key: &Key, scope: &Scope<'_>, text: &[u8]) -> [u8; TAG] {
    let parts = [
        scope.tenant.0.as_bytes(),
        scope.route.as_bytes(),
        scope.order.as_bytes(),
        text,
    ];
    *key.mac("cursor", &parts)
        .first_chunk()
        .expect("a MAC has 32 bytes")
}
