//! What only a person knows, as it is asked.

use mapping::matcher::KeyCandidate;
use schema::format::{ChoiceExample, FormatQuestion};
use schema::source::parse_path;

use super::{Question, QuestionChoice};

/// The question that asks for the record's id.
pub(super) const KEY: &str = "key";
/// The question that asks what the records are.
pub(super) const ENTITY: &str = "entity";
/// The choice of no key: a record is told by its content.
pub(super) const NO_KEY: &str = "none";

/// Which fields make the record's id; answered by their names.
///
/// `why` is what is wrong with the key as it is, where there is one.
pub(super) fn key_question(why: Option<&str>, keys: &[KeyCandidate]) -> Question {
    let meaning = |it: &KeyCandidate| {
        let paths: Vec<_> = it.paths.iter().map(|it| plain(it)).collect();
        format!("{}. {}", paths.join(" and "), it.reason)
    };
    let none = choice(
        NO_KEY,
        "No field: keep each record by its content. A changed record is a new one.",
    );
    Question {
        id: KEY.to_owned(),
        question: format!(
            "{}{}What tells one record from another? Of two with the same, one waits in quarantine.",
            why.unwrap_or_default(),
            if why.is_some() { " " } else { "" },
        ),
        choices: keys
            .iter()
            .map(|it| choice(&key_choice(&it.paths), &meaning(it)))
            .chain([none])
            .collect(),
    }
}

/// The names of a key's fields with `+` between them; a backslash stands before one that is part of a
/// name, and before a name that is [`NO_KEY`].
pub(super) fn key_choice(paths: &[String]) -> String {
    let name = |it: &String| plain(it).replace('\\', "\\\\").replace('+', "\\+");
    let names: Vec<_> = paths.iter().map(name).collect();
    match names.join("+") {
        it if it == NO_KEY => format!("\\{it}"),
        it => it,
    }
}

/// How a column is to be read; answered by the place of the choice, from 1.
pub(super) fn format_question(id: String, source: &str, asked: &FormatQuestion) -> Question {
    let choices = asked.choices.iter().enumerate().map(|(index, it)| {
        let becomes = |it: &ChoiceExample| match &it.becomes {
            Some(value) => format!("{:?} is {value}", it.value),
            None => format!("{:?} does not fit", it.value),
        };
        let examples: Vec<_> = it.examples.iter().map(becomes).collect();
        let meaning = match examples.is_empty() {
            true => it.answer.clone(),
            false => format!("{}: {}", it.answer, examples.join(", ")),
        };
        choice(&(index + 1).to_string(), &meaning)
    });
    Question {
        id,
        question: format!("`{}`: {}", plain(source), asked.question),
        choices: choices.collect(),
    }
}

/// One answer.
pub(super) fn choice(id: &str, meaning: &str) -> QuestionChoice {
    QuestionChoice {
        id: id.to_owned(),
        meaning: meaning.to_owned(),
    }
}

/// A path as its column is called, where it is that of a column.
pub(super) fn plain(path: &str) -> String {
    match parse_path(path).as_deref() {
        Ok([only]) => only.clone(),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_are_one_choice() {
        let choice = |paths: &[&str]| {
            let paths: Vec<_> = paths.iter().map(|it| (*it).to_owned()).collect();
            key_choice(&paths)
        };
        assert_eq!(choice(&["Foo"]), "Foo");
        assert_eq!(choice(&["Foo", "Bar"]), "Foo+Bar");
        assert_eq!(choice(&["Foo+Bar"]), r"Foo\+Bar");
        assert_eq!(choice(&["none"]), r"\none");
    }
}
