//! Files that a client uploads.

use schema::entity::{ENTITIES, Entity};
use schema::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{PartialSchema, ToSchema};

use super::{Capability, Connector};
use crate::delimited::{self, Options};

/// The connector of uploaded files.
pub struct FileSource;

/// How the files of a connection are read. Everything that is left out is detected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What becomes of a row with fewer cells than the header: it is quarantined, or the missing
    /// cells are null.
    #[serde(default)]
    #[schema(inline, default = "quarantine")]
    short_rows: ShortRows,
    /// The one character between cells.
    #[schema(min_length = 1, max_length = 1)]
    delimiter: Option<String>,
    /// The encoding of the text.
    #[schema(inline)]
    encoding: Option<Encoding>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ShortRows {
    #[default]
    Quarantine,
    Pad,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Config {
    /// Reads a connection's `connector_config`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers from the config's root.
    pub fn read(config: &Value) -> Result<Config> {
        let config: Config = super::read(config)?;
        match config.delimiter.as_deref().map(str::as_bytes) {
            None | Some([b'\t' | b' '..=b'~']) if config.delimiter.as_deref() != Some("\"") => {
                Ok(config)
            }
            _ => Err(Error::invalid(
                "/delimiter",
                "one ASCII character that is no quote",
            )),
        }
    }

    /// How a file is read; `delimiter` is what its name promises.
    pub fn options(&self, delimiter: Option<u8>) -> Options {
        let own = self.delimiter.as_ref().and_then(|it| it.bytes().next());
        Options {
            encoding: self.encoding.map(|it| match it {
                Encoding::Utf8 => delimited::Encoding::Utf8,
                Encoding::Utf16Le => delimited::Encoding::Utf16Le,
                Encoding::Utf16Be => delimited::Encoding::Utf16Be,
                Encoding::Windows1252 => delimited::Encoding::Windows1252,
            }),
            delimiter: own.or(delimiter),
            short_rows: match self.short_rows {
                ShortRows::Quarantine => delimited::ShortRows::Reject,
                ShortRows::Pad => delimited::ShortRows::Pad,
            },
            ..Options::default()
        }
    }
}

impl Connector for FileSource {
    fn name(&self) -> &'static str {
        "filesource"
    }

    fn title(&self) -> &'static str {
        "Uploaded files"
    }

    fn config_schema(&self) -> Value {
        serde_json::to_value(Config::schema()).expect("a schema is plain JSON")
    }

    fn check(&self, config: &Value) -> Result<()> {
        Config::read(config).map(drop)
    }

    fn entities(&self) -> &'static [&'static Entity] {
        ENTITIES
    }

    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::Upload, Capability::Replay]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_config_is_read_strictly() {
        let check = |config: Value, wrong: Option<&str>| {
            let found = FileSource.check(&config).map_err(|err| match err {
                Error::Invalid(errors) => errors[0].pointer.clone(),
                other => panic!("{other}"),
            });
            assert_eq!(found.err().as_deref(), wrong, "{config}");
        };
        check(json!({}), None);
        check(
            json!({"short_rows": "pad", "delimiter": ";", "encoding": "utf-16le"}),
            None,
        );
        check(json!({"delimiter": "\t"}), None);
        check(json!({"short_rows": "drop"}), Some("/short_rows"));
        check(json!({"delimiter": "ab"}), Some("/delimiter"));
        check(json!({"delimiter": "\""}), Some("/delimiter"));
        check(json!({"delimiter": "\n"}), Some("/delimiter"));
        check(json!({"delimiter": "é"}), Some("/delimiter"));
        check(json!({"password": "x"}), Some("/password"));
        check(json!([]), Some(""));
    }

    #[test]
    fn its_schema_names_every_word_that_it_takes() {
        let schema = FileSource.config_schema();
        assert_eq!(schema["additionalProperties"], false);
        let words = &schema["properties"]["encoding"];
        assert!(words.to_string().contains("windows-1252"), "{schema:#}");
        assert_eq!(schema["required"], Value::Null, "{schema:#}");
    }
}
