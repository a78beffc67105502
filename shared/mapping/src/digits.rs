//! Numbers of a fixed width, as dates and offsets have them.

/// A number of digits; none where there is another character.
pub(crate) fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, it| {
        it.is_ascii_digit().then(|| sum * 10 + u32::from(it - b'0'))
    })
}
