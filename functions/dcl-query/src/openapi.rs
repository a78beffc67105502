//! The views' part of the OpenAPI document, read from the entities' declarations.

use std::borrow::Cow;

use dcl::query::View;
use schema::entity::ENTITIES;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// A record of any view, of which `select` may leave out fields.
pub(crate) struct Record;

/// The plural of an entity.
pub(crate) struct ViewName;

impl PartialSchema for Record {
    fn schema() -> RefOr<Schema> {
        let schemas = ENTITIES.iter().map(|it| {
            let schema = View::of(*it).json_schema();
            serde_json::from_value::<RefOr<Schema>>(schema).expect("OpenAPI 3.1 has JSON Schema")
        });
        let one_of = schemas
            .fold(OneOfBuilder::new(), OneOfBuilder::item)
            .build();
        Schema::OneOf(one_of).into()
    }
}

impl ToSchema for Record {
    fn name() -> Cow<'static, str> {
        "Record".into()
    }
}

impl PartialSchema for ViewName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .enum_values(Some(ENTITIES.iter().copied().map(|it| &*it.plural)))
            .build()
            .into()
    }
}

impl ToSchema for ViewName {
    fn name() -> Cow<'static, str> {
        "ViewName".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_a_view_s_schema_is_lost_on_the_way_into_the_document() {
        let record = serde_json::to_value(Record::schema()).unwrap();
        let shown = record["oneOf"].as_array().unwrap();
        assert_eq!(shown.len(), ENTITIES.len());
        for (shown, entity) in shown.iter().zip(ENTITIES) {
            assert_eq!(*shown, View::of(*entity).json_schema(), "{}", entity.kind);
        }
    }
}
