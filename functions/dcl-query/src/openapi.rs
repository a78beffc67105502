//! The views' part of the OpenAPI document, read from the entities' declarations.

use std::borrow::Cow;

use dcl::query::{self, View};
use schema::Entity;
use schema::entity::ENTITIES;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, Schema};
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Type};
use utoipa::{PartialSchema, ToSchema};

/// A record of any view.
pub(crate) struct Record;

/// The plural of an entity.
pub(crate) struct ViewName;

/// The filters of a view, each a parameter of its own.
pub(crate) struct ViewFilters;

/// What a record is where it is none of those: `select` leaves out fields, and tenants have entities
/// of their own.
const OTHER: &str = "OtherRecord";

impl PartialSchema for Record {
    fn schema() -> RefOr<Schema> {
        let names = ENTITIES.iter().map(|it| name(it)).chain([OTHER.to_owned()]);
        let refs = names.map(Ref::from_schema_name);
        refs.fold(AnyOfBuilder::new(), AnyOfBuilder::item)
            .description(Some(
                "A record, with the fields that `select` names or all of them.",
            ))
            .into()
    }
}

impl ToSchema for Record {
    fn name() -> Cow<'static, str> {
        "Record".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let of = |it: &'static Entity| {
            let schema = View::of(it).json_schema();
            let schema = serde_json::from_value(schema).expect("OpenAPI 3.1 has JSON Schema");
            (name(it), schema)
        };
        schemas.extend(ENTITIES.iter().copied().map(of));
        let other = ObjectBuilder::new()
            .description(Some("Any other record: `select` leaves out fields, and tenants have entities of their own."))
            .additional_properties(Some(AdditionalProperties::FreeForm(true)));
        schemas.push((OTHER.to_owned(), other.into()));
    }
}

/// What the schema of an entity's records is called: `AwsResource`.
fn name(entity: &Entity) -> String {
    let words = entity.kind.split('_');
    words
        .filter_map(|it| it.split_at_checked(1))
        .map(|(first, rest)| first.to_ascii_uppercase() + rest)
        .collect()
}

impl PartialSchema for ViewName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .title(Some("ViewName"))
            .schema_type(Type::String)
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

impl PartialSchema for ViewFilters {
    fn schema() -> RefOr<Schema> {
        let operators = query::OPERATORS.join("|");
        let name = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^[a-z][a-z0-9_]*(\\[({operators})\\])?$")));
        let value = ObjectBuilder::new().schema_type(Type::String).build();
        let about = "By a field, or a field and an operator, the value: \
                     `{\"stage[in]\": \"won,lost\", \"amount[gte]\": \"1000\"}`.";
        ObjectBuilder::new()
            .title(Some("ViewFilters"))
            .description(Some(about))
            .property_names(Some(name))
            .additional_properties(Some(RefOr::T(Schema::from(value))))
            .into()
    }
}

impl ToSchema for ViewFilters {
    fn name() -> Cow<'static, str> {
        "ViewFilters".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_a_view_s_schema_is_lost_on_the_way_into_the_document() {
        let mut schemas = Vec::new();
        Record::schemas(&mut schemas);
        assert_eq!(schemas.len(), ENTITIES.len() + 1);
        for ((_, shown), entity) in schemas.iter().zip(ENTITIES) {
            let shown = serde_json::to_value(shown).unwrap();
            assert_eq!(shown, View::of(*entity).json_schema(), "{}", entity.kind);
        }
    }
}
