//! Redaction: secrets are taken out of a config before it is stored, and restored before it is used.

use std::collections::BTreeMap;

use serde_json::Value;

/// What stands in a stored config in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// The secrets of a config by their JSON pointers.
pub type Secrets = BTreeMap<String, Value>;

/// Puts [`REDACTED`] in the place of each secret and returns what stood there.
///
/// One that is redacted already was read from an answer, so it is not a secret.
pub fn redact(config: &mut Value, pointers: &[&str]) -> Secrets {
    let mut secrets = Secrets::new();
    for pointer in pointers {
        if let Some(place) = config.pointer_mut(pointer)
            && *place != REDACTED
        {
            let secret = std::mem::replace(place, REDACTED.into());
            secrets.insert((*pointer).to_owned(), secret);
        }
    }
    secrets
}

/// Puts each secret back in its place.
pub fn restore(config: &mut Value, secrets: &Secrets) {
    for (pointer, secret) in secrets {
        if let Some(place) = config.pointer_mut(pointer)
            && *place == REDACTED
        {
            place.clone_from(secret);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_taken_out_at_any_depth_and_put_back() {
        let whole = json!({ "a": { "key": "s1" }, "password": "s2", "user": "u" });
        let mut config = whole.clone();
        let secrets = redact(&mut config, &["/a/key", "/password", "/absent"]);
        assert_eq!(
            config,
            json!({ "a": { "key": REDACTED }, "password": REDACTED, "user": "u" })
        );
        assert_eq!(secrets.len(), 2);
        assert_eq!(redact(&mut config, &["/password"]), Secrets::new());
        restore(&mut config, &secrets);
        assert_eq!(config, whole);
    }

    #[test]
    fn a_new_secret_is_not_overwritten_by_the_old_one() {
        let old = Secrets::from([("/password".to_owned(), json!("old"))]);
        let mut config = json!({ "password": "new" });
        restore(&mut config, &old);
        assert_eq!(config["password"], "new");
    }
}
