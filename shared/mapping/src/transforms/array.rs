//! One item, or all, of a list: of a JSON list, or of a text with separators.

use std::borrow::Cow;

use schema::{
    entity::{Field, Kind},
    mapping::{TakeItem, Transform},
};

use super::{Fault, join::joined, no_nul};
use crate::{Cell, json, json_text::text_of};

/// The list of a column, ready to take from.
#[derive(Debug)]
pub(crate) struct Items {
    take: TakeItem,
    separator: Option<String>,
    member: Option<String>,
    prefer: Option<String>,
}

pub(super) fn compile(transform: &Transform, field: &Field) -> Result<Items, Fault> {
    let Transform::Array {
        take,
        separator,
        member,
        prefer,
    } = transform
    else {
        unreachable!("is called for this transform alone");
    };
    if separator.as_deref() == Some("") {
        return Err(Fault::of("/separator", "is empty"));
    }
    if let TakeItem::Join(text) = take {
        no_nul("/take", text)?;
    }
    let is_list = field.kind == Kind::TextList;
    if is_list != (*take == TakeItem::All) {
        let detail = if is_list {
            format!("must be `all`, as `{}` is a list", field.name)
        } else {
            format!(
                "is `all`, and `{}` is no list: take one, or join",
                field.name
            )
        };
        return Err(Fault::of("/take", detail));
    }
    if prefer.is_some() && member.is_none() {
        let detail = "says which objects come first: name the `member` that is the item, too";
        return Err(Fault::of("/prefer", detail));
    }
    Ok(Items {
        take: take.clone(),
        separator: separator.clone(),
        member: member.clone(),
        prefer: prefer.clone(),
    })
}

impl Items {
    /// What is taken of the first source that has items; the sources are JSON text.
    pub(crate) fn take<'a>(
        &'a self,
        sources: impl Iterator<Item = &'a str>,
    ) -> Result<Cell<'a>, String> {
        for source in sources {
            let items = self.items(source)?;
            if !items.is_empty() {
                return self.taken(items);
            }
        }
        Ok(Cell::Null)
    }

    fn taken<'a>(&self, mut items: Vec<Cow<'a, str>>) -> Result<Cell<'a>, String> {
        let index = match &self.take {
            TakeItem::All => return Ok(Cell::TextList(items)),
            TakeItem::Join(separator) => {
                return Ok(joined(items.into_iter(), separator)?.map_or(Cell::Null, Cell::Text));
            }
            TakeItem::First => Some(0),
            TakeItem::Last => items.len().checked_sub(1),
            TakeItem::Index(index) => {
                let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
                if *index < 0 {
                    items.len().checked_sub(distance)
                } else {
                    Some(distance)
                }
            }
        };
        let item = index.filter(|it| *it < items.len());
        Ok(item.map_or(Cell::Null, |it| Cell::Text(items.swap_remove(it))))
    }

    /// Items that are null or empty are left out.
    fn items<'a>(&self, raw: &'a str) -> Result<Vec<Cow<'a, str>>, String> {
        if raw.starts_with('[') {
            let mut items = Vec::new();
            let mut preferred = 0;
            for item in json::items(raw).map_err(|it| it.reason)? {
                let (item, is_preferred) = self.item(item)?;
                let Some(item) = item else { continue };
                if is_preferred {
                    items.insert(preferred, item);
                    preferred += 1;
                } else {
                    items.push(item);
                }
            }
            return Ok(items);
        }
        let Some(text) = self.item(raw)?.0 else {
            return Ok(Vec::new());
        };
        let Some(separator) = &self.separator else {
            return Ok(vec![text]);
        };
        let parts = |text: &str| -> Vec<String> {
            let parts = text.split(&**separator).map(str::trim);
            parts
                .filter(|it| !it.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Ok(match text {
            Cow::Borrowed(text) => {
                let parts = text.split(&**separator).map(str::trim);
                parts
                    .filter(|it| !it.is_empty())
                    .map(Cow::Borrowed)
                    .collect()
            }
            Cow::Owned(text) => parts(&text).into_iter().map(Cow::Owned).collect(),
        })
    }

    /// The item, and whether it comes before those that are not preferred.
    fn item<'a>(&self, raw: &'a str) -> Result<(Option<Cow<'a, str>>, bool), String> {
        let Some(member) = self.member.as_deref().filter(|_| raw.starts_with('{')) else {
            return Ok((text_of(raw)?, false));
        };
        let (mut found, mut is_preferred) = (None, false);
        json::entries(raw, |key, value| {
            if key.text() == member {
                found = Some(value);
            } else if Some(key.text()) == self.prefer.as_deref() {
                is_preferred = value == "true";
            }
            Ok(())
        })
        .map_err(|it| it.reason)?;
        let item = found.map(text_of).transpose()?.flatten();
        Ok((item, is_preferred))
    }
}

#[cfg(test)]
mod tests {
    use schema::entity;
    use serde_json::{Value, json};

    use super::*;
    use crate::transforms::{Compiled, compile, testing::check_fault};

    #[track_caller]
    fn check(transform: Value, cases: &[(&str, &str)]) {
        let transform: Transform = serde_json::from_value(transform).unwrap();
        let is_all = matches!(
            &transform,
            Transform::Array {
                take: TakeItem::All,
                ..
            }
        );
        let name = if is_all { "external_ids" } else { "name" };
        let field = entity::find("account").unwrap().field(name).unwrap();
        let Ok(Compiled::Items(items)) = compile(&transform, field, &[]) else {
            panic!("is not sound");
        };
        for (raw, want) in cases {
            let got = match items.take(std::iter::once(*raw)) {
                Ok(Cell::Null) => "null".to_owned(),
                Ok(cell) => cell.text().into_owned(),
                Err(reason) => reason,
            };
            assert_eq!(got, *want, "{raw}");
        }
    }

    #[test]
    fn an_item_is_counted_from_either_end() {
        let of = |take: Value| json!({"kind": "array", "take": take});
        check(
            of(json!("first")),
            &[
                (r#"["a","b"]"#, "a"),
                ("[]", "null"),
                (r#"[null,"",7]"#, "7"),
            ],
        );
        check(
            of(json!("last")),
            &[(r#"["a","b"]"#, "b"), (r#""a;b""#, "a;b"), ("null", "null")],
        );
        check(
            of(json!({"index": -2})),
            &[(r#"["a","b"]"#, "a"), (r#"["a"]"#, "null")],
        );
        check(of(json!({"index": i32::MIN})), &[(r#"["a","b"]"#, "null")]);
        check(
            of(json!({"join": ", "})),
            &[(r#"["a","b"]"#, "a, b"), ("5", "5")],
        );
        check(of(json!("all")), &[(r#"["a","b"]"#, "a,b")]);
        check(
            of(json!("first")),
            &[
                ("[[1]]", r#""[1]" is not a single value"#),
                (r#"[{"a":1}]"#, r#""{\"a\":1}" is not a single value"#),
            ],
        );
    }

    #[test]
    fn a_list_may_stand_in_a_cell() {
        check(
            json!({"kind": "array", "take": "last", "separator": ";"}),
            &[
                (r#""a; b ;""#, "b"),
                (r#"";""#, "null"),
                (r#"["a;b"]"#, "a;b"),
                (r#""\u0061;b""#, "b"),
            ],
        );
    }

    #[test]
    fn objects_give_a_member_and_the_preferred_ones_come_first() {
        check(
            json!({"kind": "array", "take": "first", "member": "value", "prefer": "primary"}),
            &[
                (
                    r#"[{"value":"a","primary":false},{"primary":true,"value":"b"}]"#,
                    "b",
                ),
                (r#"[{"value":"a"},{"value":"b"}]"#, "a"),
                (r#"[{"label":"work"},{"value":"b"}]"#, "b"),
                (r#"{"value":"a"}"#, "a"),
                (r#"["a"]"#, "a"),
            ],
        );
    }

    #[test]
    fn what_is_taken_must_fit_the_target() {
        check_fault(
            &json!({"kind": "array", "take": "all"}),
            "/take: is `all`, and `stage` is no list: take one, or join",
        );
        check_fault(
            &json!({"kind": "array", "take": "first", "separator": ""}),
            "/separator: is empty",
        );
        check_fault(
            &json!({"kind": "array", "take": "first", "prefer": "primary"}),
            "/prefer: says which objects come first: name the `member` that is the item, too",
        );
    }
}
