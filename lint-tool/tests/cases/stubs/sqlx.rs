//! The names of sqlx that cases use.
pub use derives::{FromRow, Type};

pub struct PgPool;
pub struct Query;

pub fn query(_: &str) -> Query {
    Query
}

pub fn query_as<D, T>(_: &str) -> Query {
    Query
}

#[macro_export]
macro_rules! query {
    ($($any:tt)*) => {
        $crate::Query
    };
}

#[macro_export]
macro_rules! query_as {
    ($($any:tt)*) => {
        $crate::Query
    };
}
