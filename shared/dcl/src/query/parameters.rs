//! The parameters of a query string, decoded strictly: what is not UTF-8 is refused, not mended.

use schema::{Error, Result};

/// The names and values of a query string, in its order.
///
/// # Errors
/// [`Error::Invalid`] where an escape is broken or the bytes are not UTF-8.
pub fn decode(query: &str) -> Result<Vec<(String, String)>> {
    query
        .split('&')
        .filter(|it| !it.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((unescape(name, name)?, unescape(name, value)?))
        })
        .collect()
}

fn unescape(name: &str, text: &str) -> Result<String> {
    let wrong = |detail: &str| Error::invalid(format!("?{name}"), detail);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (digits, tail) = rest
                    .split_first_chunk()
                    .and_then(|(it, tail)| Some((hexadecimal(*it)?, tail)))
                    .ok_or_else(|| wrong("`%` needs two hexadecimal digits after it"))?;
                rest = tail;
                digits
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| wrong("not UTF-8"))
}

fn hexadecimal(digits: [u8; 2]) -> Option<u8> {
    let digit = |it: u8| char::from(it).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}
