//! What the name of an uploaded file says.
//!
//! `{entities}_{system}.{csv|tsv|txt}` says all: `accounts_hubspot.csv`. Of any other name the stem
//! names a family of files, which are the same object at other times.

/// The meaning of a file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName<'t> {
    /// The entity, as the table of prefixes calls it.
    pub entity: &'t str,
    /// The source system, lower case.
    pub system: String,
    pub format: Format,
}

/// The kind of file, by its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Tsv,
    Txt,
}

impl Format {
    /// The delimiter that the extension promises; `None` where it is to be detected.
    pub fn delimiter(self) -> Option<u8> {
        match self {
            Self::Tsv => Some(b'\t'),
            Self::Csv | Self::Txt => None,
        }
    }
}

/// Why a file name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("file name is empty")]
    Empty,
    #[error("file name is longer than {MAX_NAME} bytes")]
    TooLong,
    #[error("file name holds a control character")]
    Control,
    #[error("file name holds a path; send the name alone")]
    Path,
    #[error("file name begins with a dot")]
    Hidden,
    #[error("file name must end in .csv, .tsv or .txt; save a spreadsheet as CSV UTF-8")]
    Extension,
    #[error("file name has no underscore; name it like accounts_hubspot.csv")]
    NoSystem,
    #[error("file name begins with \"{found}\", which is none of {known}")]
    Entity { found: String, known: String },
    #[error("system \"{0}\" is not 1 to 32 letters, digits and hyphens")]
    System(String),
}

const MAX_NAME: usize = 255;

/// The format that a file's name promises, and the family that it is of: its stem in lower case,
/// without the dates, numbers and copy marks at its end. `Kunden_2024-01-31 (2).csv` is of the
/// family `kunden`.
///
/// # Errors
/// Where it is no name of a file that can be read.
pub fn family(name: &str) -> Result<(Format, String), Error> {
    refuse_tricks(name)?;
    let name = name.to_lowercase();
    let (stem, format) = split(&name)?;
    let words = stem
        .split(|it: char| !it.is_alphanumeric())
        .filter(|it| !it.is_empty());
    let words: Vec<_> = words.collect();
    let tells = |it: &&str| {
        !it.chars()
            .all(|it| it.is_ascii_digit() || it == 't' || it == 'z')
    };
    let tells = |it: &&str| tells(it) && !["copy", "kopie", "copie", "copia", "final"].contains(it);
    let end = words
        .iter()
        .rposition(tells)
        .map_or(words.len(), |it| it + 1);
    let family: String = words[..end].join("_").chars().take(MAX_FAMILY).collect();
    match family.as_str() {
        "" => Ok((format, "file".to_owned())),
        _ => Ok((format, family)),
    }
}

/// A family's name is part of others, and indexed.
const MAX_FAMILY: usize = 100;

fn split(name: &str) -> Result<(&str, Format), Error> {
    let (stem, extension) = name.rsplit_once('.').ok_or(Error::Extension)?;
    let format = match extension {
        "csv" => Format::Csv,
        "tsv" => Format::Tsv,
        "txt" => Format::Txt,
        _ => return Err(Error::Extension),
    };
    Ok((stem, format))
}

/// Reads a file name, in any case. `prefixes` are pairs of a prefix and its entity, such as
/// `("accounts", "account")`.
pub fn parse<'t>(name: &str, prefixes: &[(&str, &'t str)]) -> Result<FileName<'t>, Error> {
    refuse_tricks(name)?;
    let name = name.to_lowercase();
    let (stem, format) = split(&name)?;
    let (prefix, system) = stem.rsplit_once('_').ok_or(Error::NoSystem)?;
    let entity = prefixes.iter().find(|it| it.0 == prefix).map(|it| it.1);
    let entity = entity.ok_or_else(|| Error::Entity {
        found: prefix.to_owned(),
        known: prefixes
            .iter()
            .map(|it| it.0)
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    if !is_system_name(system) {
        return Err(Error::System(system.to_owned()));
    }
    let system = system.to_owned();
    Ok(FileName {
        entity,
        system,
        format,
    })
}

fn refuse_tricks(name: &str) -> Result<(), Error> {
    match name {
        "" => Err(Error::Empty),
        _ if name.len() > MAX_NAME => Err(Error::TooLong),
        _ if name.contains(char::is_control) => Err(Error::Control),
        _ if name.contains(['/', '\\', ':']) => Err(Error::Path),
        _ if name.starts_with('.') => Err(Error::Hidden),
        _ => Ok(()),
    }
}

/// Whether a system can have that name.
pub fn is_system_name(system: &str) -> bool {
    let known = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    (1..=32).contains(&system.len()) && system.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIXES: [(&str, &str); 5] = [
        ("accounts", "account"),
        ("opportunities", "opportunity"),
        ("contacts", "contact"),
        ("aws_resources", "aws_resource"),
        ("cost_reports", "cost_report"),
    ];

    #[test]
    fn a_name_says_entity_system_and_format() {
        let long = format!("contacts_{}.txt", "a".repeat(32));
        for (name, entity, system, format) in [
            (
                "accounts_filesource.csv",
                "account",
                "filesource",
                Format::Csv,
            ),
            ("aws_resources_aws.tsv", "aws_resource", "aws", Format::Tsv),
            (
                "Cost_Reports_SAP-4.TXT",
                "cost_report",
                "sap-4",
                Format::Txt,
            ),
            ("opportunities_7.csv", "opportunity", "7", Format::Csv),
            (&long, "contact", &long[9..41], Format::Txt),
        ] {
            let system = system.to_owned();
            assert_eq!(
                parse(name, &PREFIXES),
                Ok(FileName {
                    entity,
                    system,
                    format
                }),
                "{name}"
            );
        }
    }

    #[test]
    fn a_family_of_files_differs_in_dates_numbers_and_copy_marks() {
        for (name, family) in [
            ("people_crm.csv", "people_crm"),
            (
                "hubspot-crm-exports-all-companies-2024-01-31.csv",
                "hubspot_crm_exports_all_companies",
            ),
            ("Kunden_2024-01-31 (2).CSV", "kunden"),
            ("Kunden - Kopie.tsv", "kunden"),
            ("export_20240131T091500Z.csv", "export"),
            ("Q3 2024.csv", "q3"),
            ("2024.csv", "2024"),
            ("客户.csv", "客户"),
            ("---.csv", "file"),
        ] {
            assert_eq!(super::family(name).unwrap().1, family, "{name}");
        }
        assert_eq!(super::family("a.xlsx"), Err(Error::Extension));
        assert_eq!(super::family("../a.csv"), Err(Error::Path));
    }

    #[test]
    fn a_tsv_file_has_tabs() {
        assert_eq!(Format::Tsv.delimiter(), Some(b'\t'));
        assert_eq!(Format::Csv.delimiter(), None);
        assert_eq!(Format::Txt.delimiter(), None);
    }

    #[test]
    fn a_name_that_is_no_name_is_refused() {
        let system = |it: &str| Error::System(it.to_owned());
        for (name, expected) in [
            ("", Error::Empty),
            (&"a".repeat(256), Error::TooLong),
            ("accounts_x.csv\0", Error::Control),
            ("accounts_\nx.csv", Error::Control),
            ("../accounts_x.csv", Error::Path),
            ("a/accounts_x.csv", Error::Path),
            ("..\\accounts_x.csv", Error::Path),
            ("C:accounts_x.csv", Error::Path),
            (".accounts_x.csv", Error::Hidden),
            ("..", Error::Hidden),
            ("accounts_x", Error::Extension),
            ("accounts_x.xlsx", Error::Extension),
            ("accounts_x.csv.exe", Error::Extension),
            ("accounts.csv", Error::NoSystem),
            ("accounts_.csv", system("")),
            ("accounts_a b.csv", system("a b")),
            ("accounts_a.b.csv", system("a.b")),
            ("accounts_zoë.csv", system("zoë")),
            (
                &format!("accounts_{}.csv", "a".repeat(33)),
                system(&"a".repeat(33)),
            ),
        ] {
            assert_eq!(parse(name, &PREFIXES), Err(expected), "{name:?}");
        }
    }

    #[test]
    fn an_unknown_entity_is_answered_with_the_known_ones() {
        let error = parse("leads_hubspot.csv", &PREFIXES[..2]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "file name begins with \"leads\", which is none of accounts, opportunities"
        );
    }
}
