//! What people type, checked before anything else happens.

use schema::{Error, Result};
use unicode_normalization::UnicodeNormalization;

/// No address has more bytes (RFC 5321).
const MAX_EMAIL: usize = 254;

/// An e-mail address as typed, and as compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Email {
    pub(crate) typed: String,
    /// One for all spellings of the address: the mailbox as RFC 8265's UsernameCaseMapped has it,
    /// the domain in ASCII (UTS #46).
    pub(crate) key: String,
}

impl Email {
    /// Checks the form only: whether somebody reads there, only a message can tell.
    pub(crate) fn parse(text: &str) -> Result<Email> {
        let typed = text.trim();
        match complaint(typed) {
            Some(detail) => Err(Error::invalid("/email", detail)),
            None => Ok(Email::read(typed)),
        }
    }

    /// Takes whatever was typed: who signs in has an address, or none.
    pub(crate) fn read(text: &str) -> Email {
        let typed = text.trim().to_owned();
        // Nobody's: it is not worth the work.
        let key = if typed.len() <= MAX_EMAIL {
            key(&typed)
        } else {
            String::new()
        };
        Email { typed, key }
    }

    /// The key, and the forms that addresses were compared in before there was one: as typed or
    /// composed otherwise, in lower case.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = vec![self.key.clone()];
        if MAX_EMAIL < self.typed.len() {
            return keys;
        }
        for text in [&self.key, &self.typed] {
            let lower = text.to_lowercase();
            let (local, domain) = lower.rsplit_once('@').unwrap_or((&lower, ""));
            let unicode = idna::domain_to_unicode(domain).0;
            for local in forms(local) {
                for domain in forms(domain).into_iter().chain(forms(&unicode)) {
                    keys.push(format!("{local}@{domain}"));
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        keys.retain(|it| seen.insert(it.clone()));
        keys
    }

    /// What stands before the `@` of the key.
    pub(crate) fn local_part(&self) -> &str {
        self.key.split('@').next().unwrap_or_default()
    }
}

/// The form in which addresses are compared.
fn key(typed: &str) -> String {
    let (local, domain) = typed.rsplit_once('@').unwrap_or((typed, ""));
    let local: String = local.chars().flat_map(widen).collect();
    let local: String = local.to_lowercase().nfc().collect();
    let ascii = idna::domain_to_ascii(domain);
    let domain = ascii.unwrap_or_else(|_| domain.to_lowercase());
    format!("{local}@{domain}")
}

/// A text as it is, composed and decomposed.
fn forms(text: &str) -> [String; 3] {
    [text.to_owned(), text.nfc().collect(), text.nfd().collect()]
}

/// A character of full or half width as the usual one.
fn widen(it: char) -> impl Iterator<Item = char> {
    let mapped = ('\u{FF00}'..='\u{FFEF}').contains(&it);
    let usual = mapped.then(|| it.nfkc()).into_iter().flatten();
    usual.chain((!mapped).then_some(it))
}

/// What cannot be seen: two addresses would look alike.
fn is_invisible(it: char) -> bool {
    matches!(
        it,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

fn complaint(email: &str) -> Option<&'static str> {
    let Some((local, domain)) = email.split_once('@') else {
        return Some("not an e-mail address: it has no @");
    };
    let forbidden = |it: char| {
        it.is_whitespace() || it.is_control() || is_invisible(it) || "<>()[]\\,;:\"".contains(it)
    };
    if MAX_EMAIL < email.len() || local.len() > 64 {
        Some("not an e-mail address: it is too long")
    } else if email.contains(forbidden) {
        Some("not an e-mail address: it contains a character that is not allowed")
    } else if local.is_empty() || local.split('.').any(str::is_empty) {
        Some("not an e-mail address: what is before the @ is not a mailbox")
    } else if !domain.contains('.')
        || !domain.split('.').all(is_label)
        || idna::domain_to_ascii_strict(domain).is_err()
    {
        Some("not an e-mail address: what is after the @ is not a domain")
    } else {
        None
    }
}

fn is_label(text: &str) -> bool {
    let is_mark = unicode_normalization::char::is_combining_mark;
    let letters = text
        .chars()
        .all(|it| it.is_alphanumeric() || it == '-' || is_mark(it));
    let edges = text.starts_with('-') || text.ends_with('-');
    (1..=63).contains(&text.len()) && letters && !edges
}

/// A name for people to read: 1 to 200 characters, no control characters.
pub(crate) fn name(pointer: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if !(1..=200).contains(&text.chars().count()) {
        return Err(Error::invalid(pointer, "must have 1 to 200 characters"));
    }
    if text.contains(char::is_control) {
        return Err(Error::invalid(
            pointer,
            "must not contain control characters",
        ));
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
            "ad\u{200B}a@example.com",
            "ada@ex\u{AD}ample.com",
            "ada@xn--zzzzzzzz9.com",
            &long,
            &longer,
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_address_has_one_key() {
        for (typed, key) in [
            ("jose\u{301}@example.com", "jos\u{e9}@example.com"),
            ("JOS\u{c9}@EXAMPLE.com", "jos\u{e9}@example.com"),
            ("\u{ff41}\u{ff24}a@example.com", "ada@example.com"),
            ("j\u{f6}rg@m\u{fc}nchen.de", "j\u{f6}rg@xn--mnchen-3ya.de"),
            ("j\u{f6}rg@mu\u{308}nchen.DE", "j\u{f6}rg@xn--mnchen-3ya.de"),
            ("j\u{f6}rg@XN--MNCHEN-3YA.de", "j\u{f6}rg@xn--mnchen-3ya.de"),
            ("ada@\u{ff45}xample.com", "ada@example.com"),
            ("\u{1e9b}\u{323}@example.com", "\u{1e9b}\u{323}@example.com"),
        ] {
            assert_eq!(Email::parse(typed).unwrap().key, key, "{typed}");
        }
    }

    #[test]
    fn keys_of_before_are_found_again() {
        for before in [
            "jose\u{301}@example.com",
            "jos\u{e9}@example.com",
            "j\u{f6}rg@m\u{fc}nchen.de",
            "jo\u{308}rg@mu\u{308}nchen.de",
            "\u{ff41}da@example.com",
        ] {
            let same = |it: &str| Email::parse(it).unwrap().keys();
            let composed: String = before.nfc().collect();
            assert!(same(before).contains(&before.to_owned()), "{before}");
            if !before.starts_with('\u{ff41}') {
                assert!(same(&composed).contains(&before.to_owned()), "{before}");
            }
        }
        let ascii = Email::parse("ada@example.com").unwrap();
        assert_eq!(ascii.keys(), ["ada@example.com"]);
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
