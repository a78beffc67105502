//! A config on its way in: checked, its source asked, its secrets taken out.

use platform::{Platform, Result, db};
use schema::{ConnectionId, Error, FieldError, TenantId};
use serde_json::Value;
use sources::Connector;
use sources::postgres::Config;
use sources::redact::{self, MARK, Secrets};

use super::source::{Source, can_sync, check_access, config_errors};
use crate::db::connections::Connection;

/// A config that can be stored.
pub(crate) struct Accepted {
    /// With a mark in the place of each secret.
    pub(crate) marked: Value,
    pub(crate) secrets: Secrets,
    /// Whether it leads to another source than the one before.
    pub(crate) moved: bool,
}

/// Takes a connection's first config.
///
/// # Errors
/// [`Error::Invalid`] where it is wrong or its source cannot be read.
pub(crate) async fn first(
    platform: &Platform,
    connector: &dyn Connector,
    config: Value,
) -> Result<Accepted> {
    check(connector, &config)?;
    if can_sync(connector) {
        ask(platform, &config).await?;
    }
    Ok(Accepted::of(connector, config, false))
}

/// Takes another config. A secret that is the mark stays as it was, unless the source is another
/// one: whoever may change the config must not learn the secret by it.
///
/// # Errors
/// [`Error::Invalid`] where it is wrong or its source cannot be read.
pub(crate) async fn next(
    platform: &Platform,
    (tenant, connection): (TenantId, &Connection),
    mut config: Value,
) -> Result<Accepted> {
    let connector = sources::find(&connection.source_type)
        .ok_or_else(|| Error::Internal("a connection of no connector".into()))?;
    check(connector, &config)?;
    if !can_sync(connector) {
        return Ok(Accepted::of(connector, config, false));
    }
    let (old, old_config) = old(platform, tenant, connection.id).await?;
    let moved = place(connector, &old) != place(connector, &config);
    if !moved {
        redact::put(&mut config, &secrets_of(connector, old_config));
    } else if let Some(pointer) = marked(connector, &config) {
        let detail = "the source is another one: give the secret again";
        return Err(Error::invalid(format!("/connector_config{pointer}"), detail).into());
    }
    ask(platform, &config).await?;
    Ok(Accepted::of(connector, config, moved))
}

impl Accepted {
    fn of(connector: &dyn Connector, mut config: Value, moved: bool) -> Accepted {
        let secrets = redact::take(&mut config, connector.secrets());
        Accepted {
            marked: config,
            secrets,
            moved,
        }
    }
}

/// The config as it is stored, and with its secrets.
async fn old(platform: &Platform, tenant: TenantId, id: ConnectionId) -> Result<(Value, Value)> {
    let mut tx = db::begin(&platform.db, tenant).await?;
    let source = Source::find(&mut tx, tenant, id).await?;
    let source = source.ok_or(Error::NotFound { what: "connection" })?;
    let whole = source.whole(platform, &mut tx, tenant).await?;
    tx.commit().await?;
    Ok((source.marked().clone(), whole))
}

async fn ask(platform: &Platform, config: &Value) -> Result<()> {
    let asked = check_access(platform, &Config::read(config)?).await;
    Ok(asked.map_err(config_errors)?)
}

fn secrets_of(connector: &dyn Connector, mut whole: Value) -> Secrets {
    redact::take(&mut whole, connector.secrets())
}

/// The first secret that is not there.
fn marked(connector: &dyn Connector, config: &Value) -> Option<&'static str> {
    let mut pointers = connector.secrets().iter().copied();
    pointers.find(|it| config.pointer(it).is_some_and(|it| it == MARK))
}

/// What leads to the source: everything but its secrets and what is read there.
fn place(connector: &dyn Connector, config: &Value) -> Value {
    let mut place = config.clone();
    let secrets = connector.secrets().iter().copied();
    secrets
        .chain(["/objects"])
        .for_each(|it| remove(&mut place, it));
    place
}

/// Removes the field at a JSON pointer, if it is there.
fn remove(config: &mut Value, pointer: &str) {
    let Some((parent, field)) = pointer.rsplit_once('/') else {
        return;
    };
    let field = field.replace("~1", "/").replace("~0", "~");
    if let Some(fields) = config.pointer_mut(parent).and_then(Value::as_object_mut) {
        fields.remove(&field);
    }
}

fn check(connector: &dyn Connector, config: &Value) -> Result<()> {
    let checked = connector.check(config).map_err(|err| match err {
        Error::Invalid(errors) => Error::Invalid(errors.into_iter().map(within).collect()),
        other => other,
    });
    Ok(checked?)
}

fn within(error: FieldError) -> FieldError {
    FieldError {
        pointer: format!("/connector_config{}", error.pointer),
        ..error
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_removed_at_any_depth() {
        let check = |pointer: &str, expected: Value| {
            let mut config = json!({ "a": { "key/2": 1, "b": 2 }, "c": [3] });
            remove(&mut config, pointer);
            assert_eq!(config, expected, "{pointer}");
        };
        check("/c", json!({ "a": { "key/2": 1, "b": 2 } }));
        check("/a/key~12", json!({ "a": { "b": 2 }, "c": [3] }));
        let whole = json!({ "a": { "key/2": 1, "b": 2 }, "c": [3] });
        check("/a/absent", whole.clone());
        check("/absent/b", whole.clone());
        check("/c/0", whole);
    }
}
