//! Runs: how a passage of records into the platform ended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a run, an upload or a job ended, by what became of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type))]
#[cfg_attr(feature = "sqlx", sqlx(type_name = "text", rename_all = "snake_case"))]
pub enum RunOutcome {
    /// Nothing was quarantined.
    Success,
    /// Some records were quarantined.
    Partial,
    /// Records were read, and all of them were quarantined.
    Failed,
}

/// The first record of a run that was quarantined, and what the mapping looks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirstRejection {
    /// The canonical field that is wrong; null where the whole record is.
    pub field: Option<String>,
    /// Why the record was quarantined.
    pub reason: String,
    /// The source fields that the mapping reads, those of required fields first; at most 50.
    pub expected_fields: Vec<String>,
    /// The fields that the record has, or the columns of its file, in their order; at most 50.
    pub present_fields: Vec<String>,
}

impl FirstRejection {
    /// Most names of either kind.
    pub const MAX_FIELDS: usize = 50;

    /// Why a run failed of which so many records were quarantined, and no other came.
    pub fn explain(&self, quarantined: u64) -> String {
        let field = self.field.as_ref().map(|it| format!("{it}: "));
        let mut text = format!(
            "none of the {quarantined} records fits, the first because {}{}",
            field.unwrap_or_default(),
            self.reason
        );
        let absent = |it: &&String| !self.present_fields.contains(it);
        let absent: Vec<_> = self.expected_fields.iter().filter(absent).collect();
        let is_missing = self.reason == "missing";
        if is_missing && !absent.is_empty() && !self.present_fields.is_empty() {
            text.push_str("; the mapping looks for ");
            list(&mut text, absent.into_iter());
            text.push_str(", the record has ");
            list(&mut text, self.present_fields.iter());
        }
        text.push_str("; correct the source or the mapping, then retry what is quarantined");
        text
    }
}

/// Some names, as many as a sentence bears.
fn list<'a>(text: &mut String, names: impl ExactSizeIterator<Item = &'a String>) {
    const SHOWN: usize = 10;
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<_> = names.take(SHOWN).map(|it| format!("`{it}`")).collect();
    text.push_str(&shown.join(", "));
    if 0 < more {
        text.push_str(&format!(" and {more} more"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reason: &str, expected: &[&str], present: &[&str], text: &str) {
        let names = |it: &[&str]| it.iter().map(|&it| it.to_owned()).collect();
        let rejection = FirstRejection {
            field: Some("account_id".to_owned()),
            reason: reason.to_owned(),
            expected_fields: names(expected),
            present_fields: names(present),
        };
        assert_eq!(rejection.explain(3), text);
    }

    #[test]
    fn a_failed_run_says_what_was_looked_for_and_what_is_there() {
        check(
            "missing",
            &["id", "name"],
            &["Record ID", "name"],
            "none of the 3 records fits, the first because account_id: missing; the mapping looks \
             for `id`, the record has `Record ID`, `name`; correct the source or the \
             mapping, then retry what is quarantined",
        );
    }

    #[test]
    fn fields_are_named_only_where_one_is_missing() {
        let text = "none of the 3 records fits, the first because account_id: missing; correct the \
                    source or the mapping, then retry what is quarantined";
        check("missing", &["id"], &["id", "name"], text);
        check("missing", &["id"], &[], text);
        check(
            "is empty",
            &["id"],
            &["name"],
            &text.replace("missing", "is empty"),
        );
    }

    #[test]
    fn a_sentence_bears_ten_names() {
        let names: Vec<_> = (0..12).map(|it| format!("f{it}")).collect();
        let mut text = String::new();
        list(&mut text, names.iter());
        assert!(text.ends_with("`f8`, `f9` and 2 more"), "{text}");
    }
}
