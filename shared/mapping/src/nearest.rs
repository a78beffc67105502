//! The name that somebody may have meant.

use crate::matcher::spelling::jaro_winkler;

/// Longer names are not compared: it takes the product of both lengths.
const MAX_NAME: usize = 100;
/// How alike a name has to be, from 0 to 1: `Amuont` and `Amount` are, `Amount` and `Account` are
/// not.
const ALIKE: f64 = 0.88;

/// Of these names the one that is most like `name` in any case, by Jaro and Winkler's measure; none
/// where none is alike.
pub fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if MAX_NAME < name.len() {
        return None;
    }
    let name = name.to_lowercase();
    let alike = names.filter(|it| it.len() <= MAX_NAME).filter_map(|it| {
        let alike = jaro_winkler(&name, &it.to_lowercase());
        (ALIKE <= alike).then_some((alike, it))
    });
    alike.max_by(|a, b| a.0.total_cmp(&b.0)).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_none_that_is_far() {
        let of = |name: &str| nearest(name, ["Amount", "Account", "Close Date"].into_iter());
        assert_eq!(of("Amuont"), Some("Amount"));
        assert_eq!(of("amount"), Some("Amount"));
        assert_eq!(of("CloseDate"), Some("Close Date"));
        assert_eq!(of("Region"), None);
        assert_eq!(of(""), None);
        assert_eq!(of(&"Amount".repeat(20)), None);
    }
}
