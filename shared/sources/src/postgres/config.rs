//! What a connection to a PostgreSQL says.

use schema::entity::{self, ENTITIES};
use schema::{Error, FieldError, Result};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::openapi::schema::{Array, ArrayBuilder};
use utoipa::{PartialSchema, ToSchema};

/// The source keeps this much of a name.
const MAX_NAME: usize = 63;
const MAX_HOST: usize = 253;
const MAX_OBJECTS: usize = 100;
const MAX_LOOKBACK: i64 = 1_000_000;

/// Where a database is, who reads it, and what.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The server's name or address.
    pub(super) host: String,
    /// The server's port.
    #[serde(default = "default_port")]
    #[schema(default = 5432, minimum = 1)]
    pub(super) port: u16,
    /// The database's name.
    pub(super) database: String,
    /// Who reads: a role that may do nothing else is best.
    pub(super) user: String,
    /// Its password.
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, write_only)]
    pub(super) password: SecretString,
    /// How far the server must prove itself.
    #[serde(default)]
    #[schema(inline, default = "verify-full")]
    pub(super) tls: Tls,
    /// Certificates that the server's may be signed by, beside the public ones: PEM.
    pub(super) ca_pem: Option<String>,
    /// The tables and views to read.
    #[schema(schema_with = objects)]
    pub objects: Vec<Object>,
}

/// One table or view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Object {
    /// `schema.table`; `public` where it names no schema.
    pub(super) table: String,
    /// The kind of entity that its records become: `account`. Left out, they are kept as they come,
    /// and the platform proposes what they are.
    pub entity: Option<String>,
    /// The columns that tell its records apart; its primary key where they are left out.
    pub(super) key: Option<Vec<String>>,
    /// The column that rises when a record changes; `updated_at` where it is left out and there is
    /// one. Records in which it is null are read by a full sync only. Without a cursor, every sync
    /// is a full one.
    pub(super) cursor: Option<String>,
    /// How far before the last cursor the next incremental sync begins, for transactions that were
    /// late with their commit: in minutes where the cursor is a time, 5 where it is left out; else
    /// as a number, 1000.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub(super) lookback: Option<i64>,
}

/// How far the server must prove itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tls {
    /// Its certificate is signed by someone who is trusted, for its name.
    #[default]
    VerifyFull,
    /// Its certificate is signed by someone who is trusted.
    VerifyCa,
    /// Nothing is encrypted: only within a private network.
    Disable,
}

/// The schema of the objects, whole: a config's schema refers to no other place.
fn objects() -> Array {
    ArrayBuilder::new()
        .description(Some("The tables and views to read."))
        .items(Object::schema())
        .min_items(Some(1))
        .max_items(Some(MAX_OBJECTS))
        .build()
}

impl Config {
    /// Reads a connection's `connector_config`, its secrets in their places.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers from the config's root.
    pub(crate) fn read(config: &Value) -> Result<Config> {
        let config: Config = crate::connector::read(config)?;
        let mut errors = Vec::new();
        let mut refuse = |pointer: String, detail: &str| {
            errors.push(FieldError {
                pointer,
                detail: detail.to_owned(),
            });
        };
        // A slash would make the host a local socket.
        let strange = |it: char| it.is_control() || it.is_whitespace() || it == '/';
        if config.host.is_empty() || MAX_HOST < config.host.len() || config.host.contains(strange) {
            refuse("/host".to_owned(), "a host's name or address");
        }
        if config.port == 0 {
            refuse("/port".to_owned(), "1 to 65535");
        }
        for (pointer, name) in [("/database", &config.database), ("/user", &config.user)] {
            if !is_name(name) {
                refuse(pointer.to_owned(), NAME);
            }
        }
        if config
            .ca_pem
            .as_ref()
            .is_some_and(|it| !it.contains("-----BEGIN CERTIFICATE-----"))
        {
            refuse("/ca_pem".to_owned(), "certificates in PEM");
        }
        if config.objects.is_empty() || MAX_OBJECTS < config.objects.len() {
            refuse("/objects".to_owned(), "1 to 100 tables");
        }
        for (index, object) in config.objects.iter().enumerate() {
            let before = config.objects[..index].iter();
            if before.map(Object::name).any(|it| it == object.name()) {
                refuse(format!("/objects/{index}/table"), "is there twice");
            }
            object.check(&mut |field, detail| refuse(format!("/objects/{index}/{field}"), detail));
        }
        if errors.is_empty() {
            Ok(config)
        } else {
            Err(Error::Invalid(errors))
        }
    }

    /// The object of that name, with its place among the others.
    pub(crate) fn object(&self, name: &str) -> Option<(usize, &Object)> {
        let mut objects = self.objects.iter().enumerate();
        objects.find(|(_, it)| it.name() == name)
    }
}

impl Object {
    /// Its name, always with a schema: `public.accounts`.
    pub(crate) fn name(&self) -> String {
        let (schema, table) = self.parts();
        format!("{schema}.{table}")
    }

    /// Schema and table.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.table
            .split_once('.')
            .unwrap_or(("public", &self.table))
    }

    fn check(&self, refuse: &mut dyn FnMut(&str, &str)) {
        let (schema, table) = self.parts();
        if !is_name(schema) || !is_name(table) || table.contains('.') {
            refuse("table", "schema.table, each of 1 to 63 bytes");
        }
        let unknown = |it: &String| entity::find(it).is_none();
        if self.entity.as_ref().is_some_and(unknown) {
            let kinds: Vec<_> = ENTITIES.iter().copied().map(|it| &*it.kind).collect();
            refuse(
                "entity",
                &format!("one of {}, or left out", kinds.join(", ")),
            );
        }
        match &self.key {
            Some(key) if key.is_empty() || !key.iter().all(|it| is_name(it)) => {
                refuse("key", "names of columns, at least one");
            }
            _ => {}
        }
        let wrong = |it: i64| !(0..=MAX_LOOKBACK).contains(&it);
        if self.lookback.is_some_and(wrong) {
            refuse("lookback", "0 to 1000000");
        }
        if self.cursor.as_ref().is_some_and(|it| !is_name(it)) {
            refuse("cursor", NAME);
        }
    }
}

const NAME: &str = "a name of 1 to 63 bytes without control characters";

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && !name.contains(char::is_control)
}

fn default_port() -> u16 {
    5432
}

/// A text, or an error that does not repeat what stood there.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let text = String::deserialize(deserializer);
    text.map(SecretString::from)
        .map_err(|_| serde::de::Error::custom("a text"))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn plain() -> Value {
        json!({
            "host": "db.example.com", "database": "crm", "user": "reader", "password": "hunter2",
            "objects": [{ "table": "accounts", "entity": "account" }],
        })
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let config = Config::read(&plain()).unwrap();
        assert_eq!((config.port, config.tls), (5432, Tls::VerifyFull));
        assert_eq!(config.password.expose_secret(), "hunter2");
        assert_eq!(config.objects[0].name(), "public.accounts");
        assert!(config.object("public.accounts").is_some());
    }

    #[test]
    fn a_wrong_config_is_refused_with_its_place() {
        let check = |pointer: &str, value: Value, wrong: &str| {
            let mut config = plain();
            match config.pointer_mut(pointer) {
                Some(place) => *place = value.clone(),
                None => config[&pointer[1..]] = value.clone(),
            }
            let Err(Error::Invalid(errors)) = Config::read(&config) else {
                panic!("{pointer} may be {value}");
            };
            assert_eq!(errors[0].pointer, wrong, "{errors:?}");
        };
        check("/host", json!(""), "/host");
        check("/host", json!("/var/run/postgresql"), "/host");
        check("/host", json!("a b"), "/host");
        check("/port", json!(0), "/port");
        check("/port", json!(65536), "/port");
        check("/database", json!(""), "/database");
        check("/user", json!("x".repeat(64)), "/user");
        check("/tls", json!("prefer"), "/tls");
        check("/ca_pem", json!("a certificate"), "/ca_pem");
        check("/objects", json!([]), "/objects");
        check("/objects/0/table", json!("a.b.c"), "/objects/0/table");
        check("/objects/0/table", json!(".b"), "/objects/0/table");
        check("/objects/0/entity", json!("invoice"), "/objects/0/entity");
        check(
            "/objects/0",
            json!({"table": "a", "entity": "account", "key": []}),
            "/objects/0/key",
        );
        check(
            "/objects/0",
            json!({"table": "a", "entity": "account", "cursor": ""}),
            "/objects/0/cursor",
        );
        check(
            "/objects/0",
            json!({"table": "a", "entity": "account", "lookback": 1_000_001}),
            "/objects/0/lookback",
        );
        check(
            "/objects/0",
            json!({"table": "a", "entity": "account", "lookback": -1}),
            "/objects/0/lookback",
        );
        check(
            "/objects",
            json!([plain()["objects"][0], {"table": "public.accounts", "entity": "contact"}]),
            "/objects/1/table",
        );
        check("/Password", json!("x"), "/Password");
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let mut config = plain();
        config["password"] = json!(20_261_122);
        let refused = Config::read(&config).unwrap_err().to_string();
        assert_eq!(refused, "/password: a text");
        let config = Config::read(&plain()).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
