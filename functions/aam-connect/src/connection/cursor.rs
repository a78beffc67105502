//! Another cursor for one object of a connection that is pulled from: a change of its config.

use platform::{Caller, Platform, Result, db};
use schema::source::ObjectKey;
use schema::{ConnectionId, Error, TenantId};
use serde_json::Value;

use super::NOT_FOUND;
use super::config::{self, ValidConfig};
use super::source::can_sync;
use crate::db::connections;

/// The connection's config with that cursor for the object, checked at the source.
///
/// # Errors
/// [`Error::Invalid`] where nothing is pulled from the connection, its config does not name the
/// object, or the source has no such cursor.
pub(crate) async fn renew(
    platform: &Platform,
    caller: &Caller,
    object: ObjectKey<'_>,
    cursor: &str,
) -> Result<ValidConfig> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let connection = connections::find(&mut tx, caller.tenant, object.connection).await?;
    let connection = connection.ok_or(NOT_FOUND)?;
    tx.commit().await?;
    let refuse = |detail: &str| Error::invalid("/cursor", detail);
    if !sources::find(&connection.source_type).is_some_and(can_sync) {
        let detail =
            "nothing is pulled from this connection: a cursor is for one that is, leave it out";
        return Err(refuse(detail).into());
    }
    let mut config = connection.connector_config.clone();
    let Some(entry) = entry(&mut config, object.name) else {
        let detail = "the connection's config does not name this object: add it to `objects` there";
        return Err(refuse(detail).into());
    };
    entry["cursor"] = cursor.into();
    let connection = (caller.tenant, &connection);
    Box::pin(config::validate_change(platform, connection, config)).await
}

/// Makes it the connection's config.
pub(crate) async fn replace(
    conn: &mut db::Connection,
    platform: &Platform,
    (tenant, id): (TenantId, ConnectionId),
    config: ValidConfig,
) -> Result<()> {
    let mut connection = connections::lock(conn, tenant, id)
        .await?
        .ok_or(NOT_FOUND)?;
    super::source::replace(conn, platform, (tenant, id), &config).await?;
    connection.connector_config = config.redacted;
    connection.updated_at = platform::now();
    connections::update(conn, tenant, &connection).await?;
    Ok(())
}

/// The object's entry in a config: a table may go without its schema, which is `public` then.
fn entry<'a>(config: &'a mut Value, object: &str) -> Option<&'a mut Value> {
    let entries = config.get_mut("objects")?.as_array_mut()?;
    let is_it = |it: &&mut Value| {
        let table = it["table"].as_str();
        table.is_some_and(|it| it == object || object.strip_prefix("public.") == Some(it))
    };
    entries.iter_mut().find(is_it)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_found_with_its_schema_or_without() {
        let mut config = json!({ "objects": [{ "table": "a" }, { "table": "sales.b" }] });
        for (object, table) in [
            ("public.a", Some("a")),
            ("a", Some("a")),
            ("sales.b", Some("sales.b")),
            ("b", None),
            ("sales.a", None),
        ] {
            let found = entry(&mut config, object).map(|it| it["table"].clone());
            assert_eq!(found, table.map(Into::into), "{object}");
        }
    }
}
