//! Files that a client uploads.

use schema::entity::{ENTITIES, Entity};
use schema::{Error, Result};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::{PartialSchema, ToSchema};

use crate::delimited::{self, Encoding, Options};
use crate::{Capability, Connector};

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
    /// The encoding of the text, by a name of the WHATWG's list: utf-8, windows-1252, shift_jis,
    /// gb18030, big5, euc-kr, koi8-r, iso-8859-2 and so on. A byte order mark counts more.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    encoding: Option<Encoding>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ShortRows {
    #[default]
    Quarantine,
    Pad,
}

fn named<'de, D: Deserializer<'de>>(label: D) -> Result<Option<Encoding>, D::Error> {
    let Some(label) = Option::<String>::deserialize(label)? else {
        return Ok(None);
    };
    Encoding::named(&label).map(Some).ok_or_else(|| {
        D::Error::custom(
            "no encoding that can be read; name one such as utf-8, windows-1252, shift_jis, \
             gb18030, big5, euc-kr, koi8-r or iso-8859-2",
        )
    })
}

impl Config {
    /// Reads a connection's `connector_config`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers from the config's root.
    pub fn read(config: &Value) -> Result<Config> {
        let config: Config = crate::connector::read(config)?;
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
            encoding: self.encoding,
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

    fn validate(&self, config: &Value) -> Result<()> {
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
            let found = FileSource.validate(&config).map_err(|err| match err {
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
        for label in [
            "Shift_JIS",
            "gbk",
            "BIG5",
            "euc-kr",
            "koi8-u",
            "latin1",
            "windows-1257",
        ] {
            check(json!({"encoding": label}), None);
        }
        check(json!({"encoding": null}), None);
        for label in [
            "",
            "klingon",
            "replacement",
            "iso-2022-kr",
            "x-user-defined",
        ] {
            check(json!({"encoding": label}), Some("/encoding"));
        }
        check(json!({"encoding": 1}), Some("/encoding"));
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
