//! Values as reasons show them.

/// A value as a reason shows it: quoted, and cut after 80 characters.
pub(super) fn quoted(value: &str) -> String {
    match value.char_indices().nth(80) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}
