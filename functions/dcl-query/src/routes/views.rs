//! Views: one list per canonical entity, over the records of all sources.

use aam::db::custom_entities;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use dcl::db::views::{self, Freshness, ViewRows};
use dcl::query::{self, Keyset, Query, View};
use platform::extract::Path;
use platform::secrets::KeyRing;
use platform::{Platform, Reader, Result, Routes, cursor, db, etag, routes};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::openapi::{Record, ViewFilters, ViewName};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list))
}

/// A page of a view.
#[derive(ToSchema)]
#[schema(as = ViewPage)]
#[expect(dead_code, reason = "the shape of a body that is written from rows")]
struct ViewPage {
    /// Always true: failures are problems.
    success: bool,
    /// The records, with the fields that `select` names or all of them.
    data: Vec<Record>,
    /// About the list.
    meta: Meta,
}

/// About the page and the whole list.
#[derive(Serialize, ToSchema)]
#[schema(as = ViewMeta)]
struct Meta {
    /// How many records pass the filters. Exact; where it is more than this page, it may be up
    /// to three seconds old.
    total: i64,
    limit: u32,
    offset: u32,
    /// How many records this page has.
    count: usize,
    /// Send it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
    /// How fresh the view is, source by source; up to three seconds old.
    freshness: Vec<Freshness>,
}

/// Which page of which records.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the parameters depend on the view, so they are read by hand"
)]
struct Parameters {
    /// Maximum number of records on a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// How many records to skip. `cursor` costs less on later pages; the two cannot be combined.
    #[param(maximum = 1_000_000, default = 0)]
    offset: Option<u32>,
    /// `next_cursor` of the previous page, with the same filters and the same `sort`.
    cursor: Option<String>,
    /// Fields to sort by, separated by commas, each with `-` before it for descending order:
    /// `-amount,name`. Records without a value come last in either order; ties are ordered by
    /// origin.
    sort: Option<String>,
    /// The fields to return, separated by commas. All of them by default.
    select: Option<String>,
    /// Filters, each a parameter of its own: `?stage=won&amount[gte]=1000`.
    #[param(style = Form, explode, inline, value_type = Option<ViewFilters>, example = json!({"synced_at[gte]": "2026-01-01"}))]
    filters: (),
}

/// The records of an entity, from all sources.
///
/// Every field is a filter, `source_system` and the other columns of the origin
/// included; several filters must all hold:
///
/// - `stage=won`, or with an operator `amount[gte]=1000`: `eq`, `ne` (another value or none),
///   `gt`, `gte`, `lt`, `lte`
/// - `name[like]=A%25`, `name[ilike]=%25gmbh`: patterns of a text, `%` for any characters (written
///   `%25` in a URL) and `_` for one; a backslash takes their meaning away
/// - `stage[in]=won,lost`: one of these; a comma within a value is written `\,`
/// - `owner_id[null]=true`: without a value, `false` with one
/// - `external_ids[contains]=a,b`: a list that has all of these texts; lists take no other operator
///   but `null`
///
/// Values are written as records show them; a timestamp may be a date alone, which is its midnight
/// in UTC. An unknown parameter is refused, not ignored. The answer bears an `ETag`, and a request
/// with it in `If-None-Match` gets 304 while nothing has changed.
#[utoipa::path(get, path = "/api/v1/dcl/views/{view}", tag = "views",
    security(("bearer" = ["read"])), params(("view" = inline(ViewName), Path), Parameters),
    operation_id = "views.list", responses(
        (status = 200, body = ViewPage, description = "A page of the view."),
        (status = 304, description = "The page is the one that `If-None-Match` names."),
        (status = 404, description = "No such view."),
        (status = 422, description = "Parameters are wrong, each named in `errors`."),
    ))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(name): Path<String>,
    RawQuery(parameters): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let tenant = caller.tenant;
    let mut tx = db::read(&platform.db, tenant).await?;
    let entities = custom_entities::entities(&mut tx, tenant).await?;
    let view = View::get(&entities, &name)?;
    let parameters = query::decode(&parameters.unwrap_or_default())?;
    let query = Query::parse(&view, &parameters)?;
    let scope = cursor::Scope {
        tenant,
        route: &view.entity.plural,
        order: &query.order_text,
    };
    let keys = &platform.secrets.known()?.keys.signing;
    let after = after(keys, &scope, &query)?;

    let now = platform::now();
    let page = views::page(&mut tx, tenant, &view, &query, after.as_ref()).await?;
    let total = match whole(&query, &page) {
        Some(total) => total,
        None => {
            let name = format!(
                "total:{tenant}:{}:{}",
                view.entity.plural, query.filter_text
            );
            let count = async || views::total(&mut tx, tenant, &view, &query).await;
            platform.cache.get_or_refresh(name, now, count).await?
        }
    };
    let name = format!("freshness:{tenant}:{}", view.entity.plural);
    let read = async || views::freshness(&mut tx, tenant, &view, now).await;
    let freshness = platform.cache.get_or_refresh(name, now, read).await?;

    let meta = Meta {
        total,
        limit: query.limit,
        offset: query.offset,
        count: page.count,
        next_cursor: page.next.map(|it| cursor::seal(keys, &scope, &it)),
        freshness,
    };
    let body = body(&page.records, &meta);
    Ok(etag::answer_private(&headers, keys.current(), body))
}

fn after(keys: &KeyRing, scope: &cursor::Scope<'_>, query: &Query) -> Result<Option<Keyset>> {
    let Some(cursor) = &query.cursor else {
        return Ok(None);
    };
    let keyset: Vec<_> = cursor::open(keys, scope, cursor)?;
    Ok(Some(query::keyset(&query.order, &keyset)?))
}

/// The total, where the page itself tells it: it began at the beginning and reached the end.
fn whole(query: &Query, page: &ViewRows) -> Option<i64> {
    let began = query.cursor.is_none() && (query.offset == 0 || page.count > 0);
    let total = i64::from(query.offset) + i64::try_from(page.count).ok()?;
    (began && page.next.is_none()).then_some(total)
}

fn body(records: &[u8], meta: &Meta) -> Vec<u8> {
    let meta = serde_json::to_vec(meta).expect("plain data");
    [
        br#"{"success":true,"data":["#,
        records,
        br#"],"meta":"#,
        &meta,
        b"}",
    ]
    .concat()
}
