//! How a column is read: as its values decide, as a person says, as people decided before.

use mapping::formats::{comma_question, read, transforms_for};
use schema::entity::{Field, Kind};
use schema::format::{FormatChoice, FormatQuestion};
use schema::mapping::Transform;

use super::Draft;
use crate::proposals::questions::format_question;

impl Draft<'_> {
    /// How the column writes its values, as far as that matters to a field of this type. What it
    /// does not decide is asked.
    pub(super) fn format(&mut self, source: &str, field: &Field) -> Vec<Transform> {
        let Some(format) = self.sample.format(source) else {
            return vec![];
        };
        let kind = field.kind;
        let mut transforms = transforms_for(&format.transforms, kind);
        for asked in format.questions.iter().chain(&self.of_list(source, field)) {
            let of = |it: &FormatChoice| transforms_for(&it.transforms, kind);
            let choices: Vec<_> = asked.choices.iter().map(of).collect();
            if choices.windows(2).all(|it| it[0] == it[1]) {
                continue;
            }
            let mut fitting = asked.choices.iter().filter(|it| fits(it, kind));
            if let (Some(only), None) = (fitting.next(), fitting.next()) {
                transforms = of(only);
                continue;
            }
            let id = format!("format:{source}");
            self.asked.insert(id.clone());
            let said = self.answers.choices.get(&id);
            let chosen = said.and_then(|it| it.parse::<usize>().ok()?.checked_sub(1));
            let chosen = chosen.or_else(|| self.decided_format(source, field, asked));
            match chosen.and_then(|it| choices.get(it)) {
                Some(chosen) => transforms.clone_from(chosen),
                None => {
                    transforms.clear();
                    self.ask(format_question(id, source, asked));
                }
            }
        }
        transforms
    }

    /// What a column of texts with commas is asked where a list is wanted.
    fn of_list(&self, source: &str, field: &Field) -> Option<FormatQuestion> {
        let format = self.sample.format(source)?;
        let splits = |it: &Transform| matches!(it, Transform::Array { .. });
        let is_open = field.kind == Kind::TextList && !format.transforms.iter().any(splits);
        let values = self.sample.field(source).filter(|_| is_open)?;
        comma_question(&values.samples)
    }

    /// The choice that reads the values as people had the column read before, if no other choice
    /// reads more of them.
    fn decided_format(
        &mut self,
        source: &str,
        field: &Field,
        asked: &FormatQuestion,
    ) -> Option<usize> {
        let of = (self.unmapped.system, &*self.entity.kind);
        let before = self.memory.transforms(of, &field.name, source)?;
        let mut steps = transforms_for(before, field.kind);
        steps.retain(|it| !matches!(it, Transform::Trim {} | Transform::Default { .. }));
        let is_same = |it: &FormatChoice| transforms_for(&it.transforms, field.kind) == steps;
        let agrees = |it: &FormatChoice| {
            let mut examples = it.examples.iter();
            is_same(it)
                || !it.examples.is_empty()
                    && examples.all(|it| read(&steps, &it.value) == it.becomes)
        };
        let mut agreeing = (0..).zip(&asked.choices).filter(|it| agrees(it.1));
        let (Some((index, choice)), None) = (agreeing.next(), agreeing.next()) else {
            return None;
        };
        if !reads_the_most(choice, asked) {
            return None;
        }
        let note = format!(
            "Its values can be read in several ways. They are read as you decided before: {}. \
             Answer `format:{source}` where that is wrong here.",
            choice.answer
        );
        self.notes.insert(field.name.to_string(), note);
        Some(index)
    }
}

/// Whether a choice reads each value that any choice reads.
fn reads_the_most(choice: &FormatChoice, asked: &FormatQuestion) -> bool {
    let mut examples = choice.examples.iter().enumerate();
    examples.all(|(at, example)| {
        let mut others = asked.choices.iter().filter_map(|it| it.examples.get(at));
        example.becomes.is_some() || others.all(|it| it.becomes.is_none())
    })
}

/// Whether what a choice makes of values is of the type: 2.743 is no whole number.
fn fits(choice: &FormatChoice, kind: Kind) -> bool {
    let is_whole = |it: &str| match it.split_once('.') {
        Some((_, fraction)) => fraction.bytes().all(|it| it == b'0'),
        None => true,
    };
    let mut values = choice
        .examples
        .iter()
        .filter_map(|it| it.becomes.as_deref());
    kind != Kind::Integer || values.all(is_whole)
}
