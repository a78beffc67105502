//! Secrets of a config: taken out before it is stored, put back before it is used.

use std::collections::BTreeMap;

use serde_json::Value;

/// What stands in a stored config in the place of a secret.
pub const MARK: &str = "[redacted]";

/// The secrets of a config by their JSON pointers.
pub type Secrets = BTreeMap<String, Value>;

/// Puts the mark in the place of each secret and returns what stood there.
///
/// One that is the mark already was read from an answer, so it is not a secret.
pub fn take(config: &mut Value, pointers: &[&str]) -> Secrets {
    let mut secrets = Secrets::new();
    for pointer in pointers {
        if let Some(place) = config.pointer_mut(pointer)
            && *place != MARK
        {
            let secret = std::mem::replace(place, MARK.into());
            secrets.insert((*pointer).to_owned(), secret);
        }
    }
    secrets
}

/// Puts each secret back in its place.
pub fn put(config: &mut Value, secrets: &Secrets) {
    for (pointer, secret) in secrets {
        if let Some(place) = config.pointer_mut(pointer)
            && *place == MARK
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
        let secrets = take(&mut config, &["/a/key", "/password", "/absent"]);
        assert_eq!(
            config,
            json!({ "a": { "key": MARK }, "password": MARK, "user": "u" })
        );
        assert_eq!(secrets.len(), 2);
        assert_eq!(take(&mut config, &["/password"]), Secrets::new());
        put(&mut config, &secrets);
        assert_eq!(config, whole);
    }

    #[test]
    fn a_new_secret_is_not_overwritten_by_the_old_one() {
        let old = Secrets::from([("/password".to_owned(), json!("old"))]);
        let mut config = json!({ "password": "new" });
        put(&mut config, &old);
        assert_eq!(config["password"], "new");
    }
}
