//! What people type, checked before anything else happens.

use schema::{Error, Result};

/// An e-mail address as typed, and as compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Email {
    pub(crate) typed: String,
    /// In lower case.
    pub(crate) key: String,
}

impl Email {
    /// Checks the form only: whether somebody reads there, only a message can tell.
    pub(crate) fn parse(text: &str) -> Result<Email> {
        let typed = text.trim();
        match complaint(typed) {
            Some(detail) => Err(Error::invalid("/email", detail)),
            None => Ok(Email {
                typed: typed.to_owned(),
                key: email_key(typed),
            }),
        }
    }

    /// What stands before the `@`, in lower case.
    pub(crate) fn local_part(&self) -> &str {
        self.key.split('@').next().unwrap_or_default()
    }
}

/// The form in which addresses are compared.
pub(crate) fn email_key(text: &str) -> String {
    text.trim().to_lowercase()
}

fn complaint(email: &str) -> Option<&'static str> {
    let Some((local, domain)) = email.split_once('@') else {
        return Some("not an e-mail address: it has no @");
    };
    let forbidden =
        |it: char| it.is_whitespace() || it.is_control() || "<>()[]\\,;:\"".contains(it);
    if email.len() > 254 || local.len() > 64 {
        Some("not an e-mail address: it is longer than one can be")
    } else if email.contains(forbidden) {
        Some("not an e-mail address: it has a character that none has")
    } else if local.is_empty() || local.split('.').any(str::is_empty) {
        Some("not an e-mail address: what stands before the @ is not a mailbox")
    } else if !domain.contains('.') || !domain.split('.').all(is_label) {
        Some("not an e-mail address: what stands behind the @ is not a domain")
    } else {
        None
    }
}

fn is_label(text: &str) -> bool {
    let letters = text.chars().all(|it| it.is_alphanumeric() || it == '-');
    let edges = text.starts_with('-') || text.ends_with('-');
    (1..=63).contains(&text.len()) && letters && !edges
}

/// A name for people to read: 1 to 200 characters, no control characters.
pub(crate) fn name(pointer: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if !(1..=200).contains(&text.chars().count()) {
        return Err(Error::invalid(pointer, "has 1 to 200 characters"));
    }
    if text.contains(char::is_control) {
        return Err(Error::invalid(pointer, "has no control characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_can_be_are_taken() {
        let long = format!("{}@{}.example", "a".repeat(64), "b".repeat(63));
        for good in [
            "ada@example.com",
            "ada.l+x@mail.example.co.uk",
            "o'neil@example.com",
            "用户@例え.jp",
            "jörg@münchen.de",
            &long,
        ] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn addresses_that_cannot_be_are_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}example.com", "b.".repeat(125));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@example.com.",
            "ada@.com",
            "a@b@example.com",
            "ada lovelace@example.com",
            "ada@exa mple.com",
            "ada\0@example.com",
            "ada@example.com\nbcc: x@example.com",
            ".ada@example.com",
            "a..b@example.com",
            "ada@-example.com",
            "<ada@example.com>",
            &long,
            &longer,
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_kept_as_typed_and_compared_in_lower_case() {
        let email = Email::parse("  Ada@Example.COM ").unwrap();
        assert_eq!(
            (email.typed.as_str(), email.key.as_str()),
            ("Ada@Example.COM", "ada@example.com")
        );
    }
}
