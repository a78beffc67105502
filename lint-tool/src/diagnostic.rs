//! What a check says, as plain data. `render` turns it into text.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::edges::Spot;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rule does not run.
    Off,
    /// Printed; fails only with `--deny-warnings`.
    Warn,
    /// Fails the check.
    Error,
}

/// A run of characters on one line; line and column count from 1.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Span {
    pub line: u32,
    pub column: u32,
    pub width: u32,
}

impl Span {
    /// The first character of a file, for what concerns the whole of it.
    pub const START: Span = Span {
        line: 1,
        column: 1,
        width: 1,
    };

    /// The span of a byte range of `text`, cut at the end of its first line.
    pub fn of_bytes(text: &str, range: std::ops::Range<usize>) -> Span {
        let start = range.start.min(text.len());
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let covered = text
            .get(start..range.end.min(text.len()))
            .unwrap_or_default();
        let first_line = covered.lines().next().unwrap_or_default();
        Span {
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
            width: first_line.chars().count().max(1) as u32,
        }
    }
}

/// Where something is: a file relative to the root, and a span in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub file: String,
    #[serde(flatten)]
    pub span: Span,
}

impl Place {
    /// A place in `file`.
    pub fn new(file: impl Into<String>, span: Span) -> Place {
        Place {
            file: file.into(),
            span,
        }
    }
}

/// A sentence beside a finding, with the place that it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// The code of a known rule. A name of its own, or serde would borrow it from what it reads.
pub type Code = &'static str;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    pub place: Place,
    #[serde(deserialize_with = "known_code")]
    pub code: Code,
    pub level: Level,
    pub message: String,
    /// What stands under the caret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Why: the configuration line that says so, the other home of a model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The allowed way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What the finding leads to, for exceptions that name it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// Where the finding is as selectors see it, where the file alone does not say it.
    #[serde(skip)]
    pub from: Option<Spot>,
    /// Where the finding is as a baseline names it.
    #[serde(skip)]
    pub origin: String,
    /// True, but perhaps as it was meant: a warning where nothing was configured.
    #[serde(skip)]
    pub unsure: bool,
    /// What it is shown as one with, for a rule about edges.
    #[serde(skip)]
    pub group: Option<Group>,
}

/// What tells whether a reader needs a finding beside another of its rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The contract, and what of it is broken.
    pub violation: String,
    /// Where the path begins that breaks it.
    pub at: Place,
    /// Its number among the findings of its contract.
    pub order: usize,
    /// The path begins with an import of the same file.
    pub by_alias: bool,
}

fn known_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let code = String::deserialize(deserializer)?;
    let rule = crate::rules::find(&code);
    rule.map(|it| it.code())
        .ok_or_else(|| de::Error::custom(format!("no rule has the code `{code}`")))
}

impl Diagnostic {
    /// A finding of the rule `code`; the engine sets its level.
    pub fn new(code: &'static str, place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            place,
            code,
            level: Level::Error,
            message: message.into(),
            label: String::new(),
            notes: Vec::new(),
            help: None,
            to: String::new(),
            from: None,
            origin: String::new(),
            unsure: false,
            group: None,
        }
    }

    /// Sets what stands under the caret.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// Adds a sentence about another place.
    pub fn note(mut self, text: impl Into<String>, place: Option<Place>) -> Diagnostic {
        self.notes.push(Note {
            text: text.into(),
            place,
        });
        self
    }

    /// Says the allowed way.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Says where the finding is as selectors see it.
    pub(crate) fn from(mut self, from: &Spot) -> Diagnostic {
        self.from = Some(from.clone());
        self
    }

    /// Makes it a warning, unless the configuration says how loud the rule is or is strict.
    pub(crate) fn unsure(mut self) -> Diagnostic {
        self.unsure = true;
        self
    }

    /// Names what the finding leads to.
    pub fn to(mut self, to: impl Into<String>) -> Diagnostic {
        self.to = to.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_range_becomes_line_and_column_in_characters() {
        let span = Span::of_bytes("é = 1\nü = 22\n", 12..14);
        assert_eq!(
            span,
            Span {
                line: 2,
                column: 5,
                width: 2
            }
        );
    }
}
