//! Content security policies that name what is in a page by its hash.

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The source expression that lets the page's own element of this name through, `'none'` where the
/// page has none.
pub fn hash_of(element: &str, page: &str) -> String {
    let (start, end) = (format!("<{element}>"), format!("</{element}>"));
    let inner = page
        .split_once(&start)
        .and_then(|(_, rest)| rest.split_once(&end));
    match inner {
        None => "'none'".to_owned(),
        Some((text, _)) => {
            let hash = digest::digest(&digest::SHA256, text.as_bytes());
            format!("'sha256-{}'", BASE64_STANDARD.encode(hash))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_of_the_text_between_the_tags() {
        // The example of the specification, section 8.1.
        let page = "<p>hello</p><script>alert('Hello, world.');</script>";
        let hash = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";
        assert_eq!(hash_of("script", page), hash);
        assert_eq!(hash_of("style", page), "'none'");
    }
}
