//! Passwords: kept as Argon2id hashes, checked off the async thread.

mod rules;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use schema::{Error, Result};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

/// Whether a password is the account's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    Wrong,
    Right,
    /// Right, and kept under weaker parameters than new ones are: hash it anew.
    RightButWeak,
}

// OWASP's second choice: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

// Each hash holds its memory: without a limit, a burst of sign-ins would take all there is.
static HASHING: Semaphore = Semaphore::const_new(4);

// Random bytes in the form of a hash: no password is known for it. Who has no account costs as much as who has.
const STRANGER: &str = "$argon2id$v=19$m=19456,t=2,p=1$pEaWCzrZqgir9o9z6sxy3Q$VcC/eCK+xSKPcN7t0R4B3Ccbk/bd7mmj2155xlEFVWg";

/// A password as it is compared, whatever keyboard it was typed on: RFC 8265's OpaqueString, with
/// each space the usual one, and composed.
fn normalise(password: &str) -> String {
    let space = |it: char| if is_space(it) { ' ' } else { it };
    password.chars().map(space).nfc().collect()
}

/// Unicode's space separators.
fn is_space(it: char) -> bool {
    matches!(
        it,
        '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// Refuses a password that should not be taken, with the pointer to it: see [`rules`].
pub(crate) fn check(pointer: &str, password: &str, own_words: &[&str]) -> Result<()> {
    match rules::complaint(&normalise(password), own_words) {
        Some(detail) => Err(Error::invalid(pointer, detail)),
        None => Ok(()),
    }
}

/// The hash to keep of a password.
pub(crate) async fn hash(password: String) -> Result<String> {
    blocking(move || {
        let password = normalise(&password);
        let hash = hasher().hash_password(password.as_bytes());
        hash.map(|it| it.to_string())
            .map_err(|err| Error::Internal(err.into()))
    })
    .await?
}

/// Whether the password is the one that the hash was made of; in the same time if there is none.
/// It may have been kept as it was typed, before passwords were normalised.
pub(crate) async fn verify(password: String, hash: Option<String>) -> Result<Verdict> {
    blocking(move || {
        let kept = hash.as_deref().unwrap_or(STRANGER);
        let kept = PasswordHash::new(kept).map_err(|err| Error::Internal(err.into()))?;
        let is_of = |it: &str| hasher().verify_password(it.as_bytes(), &kept).is_ok();
        let normal = normalise(&password);
        let right = is_of(&normal);
        let raw = !right && password != normal && is_of(&password);
        Ok(match (hash.is_some(), right, raw) {
            (false, ..) | (_, false, false) => Verdict::Wrong,
            (_, true, _) if !is_weak(&kept) => Verdict::Right,
            _ => Verdict::RightButWeak,
        })
    })
    .await?
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("they are within the bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn is_weak(hash: &PasswordHash) -> bool {
    let current = hash.algorithm.as_str() == "argon2id" && hash.version == Some(0x13);
    let Ok(params) = Params::try_from(hash) else {
        return true;
    };
    !current || params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES || params.p_cost() < LANES
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let permit = HASHING
        .acquire()
        .await
        .expect("the semaphore is never closed");
    // The work holds the permit: it goes on when the client has gone.
    let work = move || {
        let result = work();
        drop(permit);
        result
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|err| Error::Internal(err.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_right_for_its_own_hash_only() {
        let hash = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        for (password, verdict) in [
            ("correct horse battery", Verdict::Right),
            ("correct horse batterY", Verdict::Wrong),
            ("", Verdict::Wrong),
        ] {
            let found = verify(password.to_owned(), Some(hash.clone())).await;
            assert_eq!(found.unwrap(), verdict, "{password}");
        }
    }

    #[tokio::test]
    async fn a_password_is_the_same_on_every_keyboard() {
        let composed = "p\u{e4}sse f\u{fc}r Z\u{fc}ge";
        let typed = [
            composed,
            "pa\u{308}sse fu\u{308}r Zu\u{308}ge",
            "p\u{e4}sse\u{a0}f\u{fc}r\u{3000}Z\u{fc}ge",
        ];
        for kept in typed {
            let hash = hash(kept.to_owned()).await.unwrap();
            for password in typed {
                let found = verify(password.to_owned(), Some(hash.clone())).await;
                assert_eq!(found.unwrap(), Verdict::Right, "{password}");
            }
        }
        // Kept as it was typed, by an earlier version.
        for raw in &typed[1..] {
            let hash = hasher().hash_password(raw.as_bytes()).unwrap().to_string();
            let found = verify((*raw).to_owned(), Some(hash)).await;
            assert_eq!(found.unwrap(), Verdict::RightButWeak, "{raw}");
        }
    }

    #[tokio::test]
    async fn a_weaker_hash_is_right_and_is_to_be_renewed() {
        for (memory, passes, weak) in [(8_192, 2, true), (19_456, 1, true), (32_768, 3, false)] {
            let params = Params::new(memory, passes, 1, None).unwrap();
            let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password(b"correct horse battery")
                .unwrap()
                .to_string();
            let verdict = verify("correct horse battery".to_owned(), Some(hash)).await;
            let expected = if weak {
                Verdict::RightButWeak
            } else {
                Verdict::Right
            };
            assert_eq!(verdict.unwrap(), expected, "m={memory} t={passes}");
        }
    }

    #[tokio::test]
    async fn a_stranger_is_wrong_and_costs_as_much() {
        let params = Params::try_from(&PasswordHash::new(STRANGER).unwrap()).unwrap();
        let costs = (params.m_cost(), params.t_cost(), params.p_cost());
        assert_eq!(costs, (MEMORY_KIB, PASSES, LANES));
        let verdict = verify("anything".to_owned(), None).await;
        assert_eq!(verdict.unwrap(), Verdict::Wrong);
    }
}
