//! A column called just `Name`, beside one for the other half of a person's name, is the missing
//! half: exports write `Vorname, Name` and `Nome, Cognome`.

use super::question::{Field, Task};
use super::{normal_form, path_of_name::NameParts};

/// The name by which each source is compared, where that is not its own.
pub(super) fn compared_as(
    sources: &[Field],
    targets: &[Field],
    task: Task,
) -> Vec<Option<&'static str>> {
    let mut names = vec![None; sources.len()];
    let is_target = |name: &str| targets.iter().any(|it| it.name == name);
    if task != Task::Canonical || !is_target("first_name") || !is_target("last_name") {
        return names;
    }
    let forms: Vec<_> = sources.iter().map(|it| form(&it.name)).collect();
    let has = |form: &str| forms.iter().any(|it| it == form);
    let missing = match (has("first name"), has("last name")) {
        (true, false) => "last name",
        (false, true) => "first name",
        _ => return names,
    };
    let mut lone = (0..forms.len()).filter(|it| forms[*it] == "name");
    if let (Some(at), None) = (lone.next(), lone.next()) {
        names[at] = Some(missing);
    }
    names
}

fn form(name: &str) -> String {
    normal_form::concepts(&NameParts::of(name).last).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sources: &[&str], want: &[Option<&str>]) {
        let field = |it: &&str| Field {
            name: (*it).to_owned(),
            ..Field::default()
        };
        let sources: Vec<_> = sources.iter().map(field).collect();
        let targets: Vec<_> = ["first_name", "last_name"].iter().map(field).collect();
        assert_eq!(compared_as(&sources, &targets, Task::Canonical), want);
    }

    #[test]
    fn a_lone_name_is_the_half_that_is_missing() {
        check(&["Vorname", "Name"], &[None, Some("last name")]);
        check(&["Nome", "Cognome"], &[Some("first name"), None]);
        check(&["First Name", "Last Name", "Name"], &[None, None, None]);
        check(&["Name", "Email"], &[None, None]);
        check(&["Name", "Nombre", "Apellidos"], &[None, None, None]);
    }
}
