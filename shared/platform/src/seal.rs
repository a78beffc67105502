//! Sealing what is stored and has a secret in it, with AES-256-GCM.
//!
//! The associated data names what was sealed, so that a sealed text moved to another row does not
//! open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use schema::Error;

use crate::secrets::Key;

/// Nonce, ciphertext and tag of the plain bytes, bound to `about`.
pub(crate) fn seal(key: &Key, about: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce).expect("the system's randomness is there");
    let mut sealed = plain.to_vec();
    cipher(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(about),
            &mut sealed,
        )
        .expect("a secret is shorter than 64 GiB");
    [&nonce[..], &sealed].concat()
}

/// The plain bytes again.
///
/// # Errors
/// [`Error::Internal`] where the key, `about` or a bit of the text is another than at sealing.
pub(crate) fn open(key: &Key, about: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let broken = || Error::Internal("a sealed secret does not open".into());
    let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
    let mut text = text.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = cipher(key)
        .open_in_place(nonce, Aad::from(about), &mut text)
        .map_err(|_| broken())?;
    Ok(plain.to_vec())
}

/// A new key.
pub(crate) fn random_key() -> Key {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system's randomness is there");
    Key::new(bytes)
}

fn cipher(key: &Key) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, key.bytes()).expect("AES-256 takes 32 bytes");
    LessSafeKey::new(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_where_it_belongs() {
        let (key, other) = (Key::new([1; 32]), Key::new([2; 32]));
        let sealed = seal(&key, b"tenant 1, connection 2", b"hunter2");
        assert_eq!(
            open(&key, b"tenant 1, connection 2", &sealed).unwrap(),
            b"hunter2"
        );
        assert!(open(&key, b"tenant 1, connection 3", &sealed).is_err());
        assert!(open(&other, b"tenant 1, connection 2", &sealed).is_err());
        for byte in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[byte] ^= 1;
            assert!(
                open(&key, b"tenant 1, connection 2", &broken).is_err(),
                "byte {byte}"
            );
        }
        assert!(open(&key, b"tenant 1, connection 2", &sealed[..5]).is_err());
    }
}
