//! The OpenAPI document of one tenant's views, its custom fields and entities in it.

use aam::db::custom_entities;
use axum::extract::State;
use dcl::query::{Column, View};
use platform::extract::Json;
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::entity::EntityRef;
use serde_json::{Map, Value, json};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(read))
}

/// The OpenAPI 3.1 document of this tenant's views: a path per view with each field as a filter, and
/// a schema per entity, custom fields and entities among them. For generators of clients; the
/// document of the platform has what every tenant has.
#[utoipa::path(get, path = "/api/v1/dcl/schema", tag = "entities", operation_id = "entities.schema",
    security(("bearer" = ["read"])),
    responses((status = 200, body = Object, description = "An OpenAPI 3.1 document.")))]
async fn read(State(platform): State<Platform>, Reader(caller): Reader) -> Result<Json<Value>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let entities = custom_entities::entities(&mut tx, caller.tenant).await?;
    let views: Vec<_> = entities.iter().cloned().map(View::of).collect();
    Ok(Json(document(&views)))
}

fn document(views: &[View]) -> Value {
    let paths = views
        .iter()
        .map(|it| (path(&it.entity), json!({"get": operation(it)})));
    let schemas = views.iter().map(|it| (name(&it.entity), it.json_schema()));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "AutonomOS views of one tenant",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "security": [{"bearer": []}],
        "paths": paths.collect::<Map<_, _>>(),
        "components": {
            "schemas": schemas.collect::<Map<_, _>>(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn path(entity: &EntityRef) -> String {
    format!("/api/v1/dcl/views/{}", entity.plural)
}

fn name(entity: &EntityRef) -> String {
    entity.kind.to_string()
}

fn operation(view: &View) -> Value {
    let schema = view.json_schema();
    let text = || json!({"type": "string"});
    let filter = |it: &Column| {
        let mut of = schema["properties"][&*it.name].clone();
        // A filter is given or left out; `[null]` asks for records without a value.
        if let Some(types) = of["type"].as_array() {
            of["type"] = types[0].clone();
        }
        if let Some(words) = of["enum"].as_array_mut() {
            words.retain(|it| !it.is_null());
        }
        parameter(&it.name, of)
    };
    let lists = view.columns.iter().filter(|it| it.is_list());
    let lists = lists.map(|it| parameter(&format!("{}[contains]", it.name), text()));
    let filters = view.columns.iter().filter(|it| it.is_scalar()).map(filter);
    let filters = filters.chain(lists);
    let paging = [
        parameter(
            "limit",
            json!({"type": "integer", "minimum": 1, "maximum": 1000}),
        ),
        parameter("offset", json!({"type": "integer", "minimum": 0})),
        parameter("cursor", text()),
        parameter("sort", text()),
        parameter("select", text()),
    ];
    let records = json!({"$ref": format!("#/components/schemas/{}", view.entity.kind)});
    let page = json!({
        "type": "object",
        "required": ["success", "data", "meta"],
        "properties": {
            "success": {"const": true},
            "data": {"type": "array", "items": records},
            "meta": {"type": "object"},
        },
    });
    json!({
        "operationId": format!("views.{}", view.entity.plural),
        "summary": view.entity.doc,
        "parameters": paging.into_iter().chain(filters).collect::<Vec<_>>(),
        "responses": {
            "200": {
                "description": "A page of the view.",
                "content": {"application/json": {"schema": page}},
            },
        },
    })
}

fn parameter(name: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "schema": schema})
}

#[cfg(test)]
mod tests {
    use schema::entity::{CustomId, Entities, FieldDeclaration, Kind, StoredField};

    use super::*;

    #[test]
    fn a_custom_field_is_in_the_schema_and_among_the_filters() {
        let tier = StoredField {
            entity: "account".to_owned(),
            id: CustomId(7),
            field: FieldDeclaration {
                name: "tier".to_owned(),
                kind: Kind::Text,
                description: "How much they matter.".to_owned(),
                unit: None,
                words: vec!["gold".to_owned(), "silver".to_owned()],
                required: false,
            },
        };
        let entities = Entities::of(&[], &[tier]);
        let views: Vec<_> = entities.iter().cloned().map(View::of).collect();
        let document = document(&views);
        let account = &document["components"]["schemas"]["account"]["properties"]["tier"];
        assert_eq!(
            *account,
            json!({
                "type": ["string", "null"],
                "description": "How much they matter.",
                "enum": ["gold", "silver", null],
            })
        );
        let operation = &document["paths"]["/api/v1/dcl/views/accounts"]["get"];
        let parameters = operation["parameters"].as_array().unwrap();
        let filter = parameters.iter().find(|it| it["name"] == "tier").unwrap();
        assert_eq!(
            filter["schema"],
            json!({
                "type": "string",
                "description": "How much they matter.",
                "enum": ["gold", "silver"],
            })
        );
        let contact = &document["components"]["schemas"]["contact"]["properties"];
        assert!(contact["tier"].is_null() && contact["email"].is_object());
    }
}
