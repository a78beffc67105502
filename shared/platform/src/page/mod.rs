//! Lists, page by page: a limit, a filter, a cursor for the next page.
//!
//! A route of a list takes a [`List`] of its rows, which bear their [`Keyset`], hands `list.page` to
//! the statement that fetches them, and returns [`List::answer`] as what [`list_body!`] declares.
//!
//! **Invariant:** a cursor is good for the list that made it: the tenant's, at the same path, with
//! the same filter.
//!
//! [`list_body!`]: crate::list_body!

mod parameters;

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use schema::{Error, TenantId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::cursor::{self, Scope};
use crate::extract::{Json, Query};
use crate::secrets::Document;
use crate::{Caller, Platform, Problem};
use parameters::{Own, Parameters};

pub use crate::keyset::{CreatedAtKey, Keyset, Page};

/// The filter of a list that has none.
#[derive(Serialize, Deserialize, IntoParams)]
pub struct NoFilter {}

/// The page that a request asks for, of a list of `R` that `F` filters.
///
/// It reads the parameters `limit` and `cursor` and the fields of `F`, and refuses any other one.
pub struct List<R: Keyset, F = NoFilter> {
    /// Which rows.
    pub filter: F,
    /// Which of them.
    pub page: Page<R::Key>,
    seal: Seal,
}

/// What the cursors of a list are made with.
struct Seal {
    tenant: TenantId,
    path: String,
    filter: String,
    secrets: Arc<Document>,
}

/// The body that shows a page: see [`list_body!`](crate::list_body!).
pub trait Body {
    /// What it shows.
    type Row;

    /// The body of these rows.
    fn new(rows: Vec<Self::Row>, total: i64, next_cursor: Option<String>) -> Self;
}

impl<R: Keyset, F> List<R, F> {
    /// The body for what was fetched, and how many there are on all pages.
    pub fn answer<B: Body<Row = R>>(&self, mut rows: Vec<R>, total: i64) -> Json<B> {
        let next_cursor = self.next_cursor(&mut rows);
        Json(B::new(rows, total, next_cursor))
    }

    /// Takes the row that is not shown off the rows that were fetched, and returns the cursor
    /// behind the others; none where there was no such row.
    pub fn next_cursor(&self, rows: &mut Vec<R>) -> Option<String> {
        if i64::try_from(rows.len()) != Ok(self.page.fetch) {
            return None;
        }
        rows.pop();
        let keys = &self.seal.secrets.keys.signing;
        rows.last()
            .map(|it| cursor::seal(keys, &self.seal.scope(), &it.keyset()))
    }
}

impl Seal {
    fn scope(&self) -> Scope<'_> {
        Scope {
            tenant: self.tenant,
            route: &self.path,
            order: &self.filter,
        }
    }
}

impl<R, F, S> FromRequestParts<S> for List<R, F>
where
    R: Keyset,
    F: Serialize + DeserializeOwned,
    S: Send + Sync,
    Platform: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<List<R, F>, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let Query(Parameters { filter, own }) = Query::from_request_parts(parts, state).await?;
        let fetch = check_limit(own.limit.unwrap_or(100))? + 1;
        let seal = Seal {
            tenant: caller.tenant,
            path: parts.uri.path().to_owned(),
            // As it was understood: the order and the spelling of the parameters are nothing to it.
            filter: serde_json::to_string(&filter).expect("a filter is plain data"),
            secrets: Platform::from_ref(state).secrets.known()?,
        };
        let open = |it: String| cursor::open(&seal.secrets.keys.signing, &seal.scope(), &it);
        let after = own.cursor.map(open).transpose()?;
        Ok(List {
            filter,
            page: Page { fetch, after },
            seal,
        })
    }
}

impl<R: Keyset, F: IntoParams> IntoParams for List<R, F> {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = F::into_params(&place);
        parameters.extend(Own::into_params(&place));
        parameters
    }
}

/// The limit, if a list may be that long.
///
/// # Errors
/// [`Error::Invalid`] where it may not.
pub fn check_limit(limit: i64) -> schema::Result<i64> {
    if (1..=1000).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid("?limit", "must be between 1 and 1000"))
}

/// Declares the body of a list of rows, which [`List::answer`](crate::page::List::answer) makes.
///
/// ```ignore
/// list_body! {
///     /// One page of runs, the newest first.
///     Runs { runs: [Run] }
/// }
/// ```
#[macro_export]
macro_rules! list_body {
    ($(#[$doc:meta])* $name:ident { $rows:ident: [$row:ident] }) => {
        $(#[$doc])*
        #[derive(serde::Serialize, utoipa::ToSchema)]
        struct $name {
            $rows: Vec<$row>,
            /// The number of items on all pages.
            total: i64,
            /// Send it as `cursor` for the next page; null on the last one.
            next_cursor: Option<String>,
        }

        impl $crate::page::Body for $name {
            type Row = $row;

            fn new($rows: Vec<$row>, total: i64, next_cursor: Option<String>) -> $name {
                $name {
                    $rows,
                    total,
                    next_cursor,
                }
            }
        }
    };
}
