//! What the name of an uploaded file says: `{entities}_{system}.{csv|tsv|txt}`.

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
    #[error("file name must end in .csv, .tsv or .txt")]
    Extension,
    #[error("file name has no underscore; name it like accounts_hubspot.csv")]
    NoSystem,
    #[error("file name begins with \"{found}\", which is none of {known}")]
    Entity { found: String, known: String },
    #[error("system \"{0}\" is not 1 to 32 letters, digits and hyphens")]
    System(String),
}

const MAX_NAME: usize = 255;

/// Reads a file name, in any case. `prefixes` are pairs of a prefix and its entity, such as
/// `("accounts", "account")`.
pub fn parse<'t>(name: &str, prefixes: &[(&str, &'t str)]) -> Result<FileName<'t>, Error> {
    refuse_tricks(name)?;
    let name = name.to_lowercase();
    let (stem, extension) = name.rsplit_once('.').ok_or(Error::Extension)?;
    let format = match extension {
        "csv" => Format::Csv,
        "tsv" => Format::Tsv,
        "txt" => Format::Txt,
        _ => return Err(Error::Extension),
    };
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
    if !is_system(system) {
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

fn is_system(system: &str) -> bool {
    let known = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    (1..=32).contains(&system.len()) && system.bytes().all(known)
}
