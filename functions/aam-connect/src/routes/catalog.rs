//! What can be connected.

use platform::extract::Json;
use platform::{Platform, Reader, Routes, routes};
use serde::Serialize;
use serde_json::Value;
use sources::{CONNECTORS, Capability, Connector};
use utoipa::ToSchema;

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list))
}

#[derive(Serialize, ToSchema)]
struct Catalog {
    connectors: Vec<Entry>,
    total: usize,
}

/// One kind of source.
#[derive(Serialize, ToSchema)]
struct Entry {
    /// The word for `source_type`.
    name: &'static str,
    title: &'static str,
    /// The JSON Schema of `connector_config`; what it marks `writeOnly` is never shown again.
    #[schema(value_type = Object)]
    config_schema: Value,
    /// The entities that its records can become.
    entities: Vec<&'static str>,
    capabilities: &'static [Capability],
}

/// The connectors, with the schema of each one's config.
#[utoipa::path(get, path = "/api/v1/aam/connectors/catalog", tag = "connect",
    operation_id = "catalog.list",
    security(("bearer" = ["read"])), responses((status = 200, body = Catalog)))]
async fn list(_: Reader) -> Json<Catalog> {
    Json(Catalog {
        connectors: CONNECTORS.iter().map(|it| entry(*it)).collect(),
        total: CONNECTORS.len(),
    })
}

fn entry(connector: &dyn Connector) -> Entry {
    Entry {
        name: connector.name(),
        title: connector.title(),
        config_schema: connector.config_schema(),
        entities: connector
            .entities()
            .iter()
            .copied()
            .map(|it| &*it.kind)
            .collect(),
        capabilities: connector.capabilities(),
    }
}
