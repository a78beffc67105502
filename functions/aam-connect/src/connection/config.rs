//! A config that a request brings: checked, its source asked, its secrets taken out.

use platform::{Platform, Result, db};
use schema::{ConnectionId, Error, FieldError, TenantId};
use serde_json::Value;
use sources::Connector;
use sources::redact::{self, REDACTED, Secrets};

use super::source::{Source, can_sync, check_access, config_errors};
use crate::db::connections::Connection;

/// A config that can be stored.
pub(crate) struct ValidConfig {
    /// With [`REDACTED`] in the place of each secret.
    pub(crate) redacted: Value,
    pub(crate) secrets: Secrets,
    /// Whether it leads to another source than the one before.
    pub(crate) source_changed: bool,
}

/// Checks a connection's first config.
///
/// # Errors
/// [`Error::Invalid`] where it is wrong or its source cannot be read.
pub(crate) async fn validate_new(
    platform: &Platform,
    connector: &dyn Connector,
    config: Value,
) -> Result<ValidConfig> {
    validate(connector, &config)?;
    checked(platform, connector, config, false).await
}

/// Checks another config. A secret that is redacted stays as it was, unless the source is another
/// one: whoever may change the config must not learn the secret by it.
///
/// # Errors
/// [`Error::Invalid`] where it is wrong or its source cannot be read.
pub(crate) async fn validate_change(
    platform: &Platform,
    (tenant, connection): (TenantId, &Connection),
    mut config: Value,
) -> Result<ValidConfig> {
    let connector = sources::find(&connection.source_type)
        .ok_or_else(|| Error::Internal("a connection of no connector".into()))?;
    validate(connector, &config)?;
    if !can_sync(connector) {
        return checked(platform, connector, config, false).await;
    }
    let stored = Box::pin(stored_config(platform, tenant, connection.id));
    let (old, mut with_secrets) = stored.await?;
    let source_changed = location(connector, &old) != location(connector, &config);
    if !source_changed {
        let secrets = redact::redact(&mut with_secrets, connector.secrets());
        redact::restore(&mut config, &secrets);
    } else if let Some(pointer) = redacted_secret(connector, &config) {
        let detail = "the config leads to another source: give the secret again";
        return Err(Error::invalid(format!("/connector_config{pointer}"), detail).into());
    }
    checked(platform, connector, config, source_changed).await
}

/// The config as it is stored, and with its secrets.
async fn stored_config(
    platform: &Platform,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<(Value, Value)> {
    let mut tx = db::begin(&platform.db, tenant).await?;
    let source = Source::find(&mut tx, tenant, id).await?;
    let source = source.ok_or(Error::NotFound { what: "connection" })?;
    let config = source.config_with_secrets(platform, &mut tx).await?;
    tx.commit().await?;
    Ok((source.redacted_config().clone(), config))
}

/// Asks the source of a config, where there is one to ask.
async fn checked(
    platform: &Platform,
    connector: &dyn Connector,
    config: Value,
    source_changed: bool,
) -> Result<ValidConfig> {
    let mut redacted = config.clone();
    let mut secrets = redact::redact(&mut redacted, connector.secrets());
    if can_sync(connector) {
        // Boxed: its callers are deep.
        let access = Box::pin(check_access(platform, connector, (config, secrets))).await;
        secrets = access.map_err(config_errors)?;
    }
    Ok(ValidConfig {
        redacted,
        secrets,
        source_changed,
    })
}

/// The first secret that is not there.
fn redacted_secret(connector: &dyn Connector, config: &Value) -> Option<&'static str> {
    let mut pointers = connector.secrets().iter().copied();
    pointers.find(|it| config.pointer(it).is_some_and(|it| it == REDACTED))
}

/// What of a config leads to the source: everything but its secrets and what is read there.
fn location(connector: &dyn Connector, config: &Value) -> Value {
    let mut location = config.clone();
    let others = connector.secrets().iter().chain(connector.selection());
    others.for_each(|it| remove(&mut location, it));
    location
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

fn validate(connector: &dyn Connector, config: &Value) -> Result<()> {
    let checked = connector.validate(config).map_err(|err| match err {
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
