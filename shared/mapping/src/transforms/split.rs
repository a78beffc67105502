//! The part between separators. A part that is not there is no value.

use std::borrow::Cow;

use super::{CompiledTransform, Fault};
use crate::Cell;

#[derive(Debug)]
pub(super) struct Split {
    separator: String,
    index: i32,
}

pub(super) fn compile(separator: &str, index: i32) -> Result<Split, Fault> {
    if separator.is_empty() {
        return Err(Fault::of("/separator", "is empty"));
    }
    Ok(Split {
        separator: separator.to_owned(),
        index,
    })
}

impl CompiledTransform for Split {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        let part = match text {
            Cow::Borrowed(text) => self.part(text).map(Cow::Borrowed),
            Cow::Owned(text) => self.part(&text).map(|it| Cow::Owned(it.to_owned())),
        };
        Ok(part.map_or(Cell::Null, Cell::Text))
    }
}

impl Split {
    fn part<'t>(&self, text: &'t str) -> Option<&'t str> {
        let distance = usize::try_from(self.index.unsigned_abs()).ok()?;
        if self.index < 0 {
            text.rsplit(&*self.separator).nth(distance - 1)
        } else {
            text.split(&*self.separator).nth(distance)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn a_part_is_counted_from_either_end() {
        let of = |index: i32| json!({"kind": "split", "separator": "|", "index": index});
        check(&of(0), &[("a|b|c", "a"), ("a", "a"), ("|a", "")]);
        check(&of(-1), &[("a|b|c", "c"), ("a", "a")]);
        check(&of(3), &[("a|b|c", "null")]);
        check(&of(i32::MIN), &[("a|b|c", "null")]);
    }

    #[test]
    fn it_needs_a_separator() {
        check_fault(
            &json!({"kind": "split", "separator": "", "index": 0}),
            "/separator: is empty",
        );
    }
}
