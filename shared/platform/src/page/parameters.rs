//! The parameters of a list: its filter's, and the two that every list has.
//!
//! They are told apart while they are read. To read a struct that has both, serde's `flatten` would
//! take numbers for texts and let unknown names pass.

use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use utoipa::IntoParams;

/// All parameters of a list.
pub(super) struct Parameters<F> {
    pub(super) filter: F,
    pub(super) own: Own,
}

/// Those that every list has.
#[derive(Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Own {
    /// How many there are at most on a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: Option<i64>,
    /// `next_cursor` of the previous page.
    pub(super) cursor: Option<String>,
}

impl<'de, F: Deserialize<'de>> Deserialize<'de> for Parameters<F> {
    fn deserialize<D: Deserializer<'de>>(query: D) -> Result<Parameters<F>, D::Error> {
        let mut own = Own::default();
        let filter = F::deserialize(Split {
            query,
            own: &mut own,
        })?;
        Ok(Parameters { filter, own })
    }
}

/// A query to which the filter is all there is.
struct Split<'a, D> {
    query: D,
    own: &'a mut Own,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Split<'_, D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        filter: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = SplitVisitor {
            filter,
            own: self.own,
            fields,
        };
        self.query.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
        Err(D::Error::custom("the filter of a list is a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct SplitVisitor<'a, V> {
    filter: V,
    own: &'a mut Own,
    fields: &'static [&'static str],
}

impl<'de, V: Visitor<'de>> Visitor<'de> for SplitVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.expecting(out)
    }

    fn visit_map<A: MapAccess<'de>>(self, query: A) -> Result<V::Value, A::Error> {
        self.filter.visit_map(SplitMap {
            query,
            own: self.own,
            fields: self.fields,
        })
    }
}

struct SplitMap<'a, A> {
    query: A,
    own: &'a mut Own,
    fields: &'static [&'static str],
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for SplitMap<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.query.next_key_seed(Name(self.fields))? {
            match name.as_str() {
                "limit" => set_once(&mut self.own.limit, "limit", &mut self.query)?,
                "cursor" => set_once(&mut self.own.cursor, "cursor", &mut self.query)?,
                _ => return seed.deserialize(StringDeserializer::new(name)).map(Some),
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.query.next_value_seed(seed)
    }
}

fn set_once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    value: &mut Option<T>,
    name: &'static str,
    query: &mut A,
) -> Result<(), A::Error> {
    if value.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    *value = query.next_value()?;
    Ok(())
}

/// Reads the name of a parameter: one of the filter's fields, or of [`Own`].
struct Name(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<String, D::Error> {
        name.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = String;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the name of a parameter")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<String, E> {
        let known = [self.0, &["limit", "cursor"]].concat();
        if known.contains(&name) {
            return Ok(name.to_owned());
        }
        let names: Vec<_> = known.iter().map(|it| format!("`{it}`")).collect();
        let expected = match &names[..] {
            [one, other] => format!("{one} or {other}"),
            more => format!("one of {}", more.join(", ")),
        };
        Err(E::custom(format_args!(
            "unknown field `{name}`, expected {expected}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Query;
    use axum::http::Uri;

    use super::*;
    use crate::page::NoFilter;

    /// What a list with such a filter read by itself, before there was one way for all.
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct ByHand {
        name: Option<String>,
        age: Option<u8>,
        limit: Option<i64>,
        cursor: Option<String>,
    }

    #[derive(Deserialize)]
    struct Filter {
        name: Option<String>,
        age: Option<u8>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct ByHandWithoutFilter {
        limit: Option<i64>,
        cursor: Option<String>,
    }

    fn read<T: serde::de::DeserializeOwned>(query: &str) -> Result<T, String> {
        let uri: Uri = format!("/?{query}").parse().unwrap();
        let read = Query::try_from_uri(&uri).map_err(|it| it.body_text());
        read.map(|it| it.0)
    }

    #[track_caller]
    fn check(query: &str) {
        let read: Result<Parameters<Filter>, _> = read(query);
        let read = read.map(|it| ByHand {
            name: it.filter.name,
            age: it.filter.age,
            limit: it.own.limit,
            cursor: it.own.cursor,
        });
        assert_eq!(read, self::read(query), "{query}");
    }

    #[test]
    fn a_list_reads_its_parameters_as_one_struct_would() {
        check("");
        check("limit=7&name=a+b%20c&cursor=x%3D&age=9");
        check("name=&cursor=");
        for refused in [
            "age=300",
            "limit=x",
            "limit=",
            "limit=1&limit=2",
            "cursor=a&cursor=a",
            "name=a&name=b",
            "nam=a",
            "Limit=1",
            "a%5Bb%5D=1&age=x",
            "age=x&nam=a",
            "limit=x&nam=a",
        ] {
            assert!(read::<Parameters<Filter>>(refused).is_err(), "{refused}");
            check(refused);
        }
    }

    #[test]
    fn a_list_without_a_filter_has_two_parameters() {
        for query in ["", "limit=5", "cursor=a&limit=6", "name=a", "limit=a"] {
            let read: Result<Parameters<NoFilter>, _> = read(query);
            let read = read.map(|it| ByHandWithoutFilter {
                limit: it.own.limit,
                cursor: it.own.cursor,
            });
            assert_eq!(read, self::read(query), "{query}");
        }
    }
}
