//! `Idempotency-Key` on POST, with Stripe's semantics: the first answer is the answer.
//!
//! Multipart uploads are let through: their records are idempotent by content.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use schema::{Error, TenantId};

use crate::auth::Auth;
use crate::db::idempotency::{self as rows, Answer, StoredResponse};
use crate::extract::BODY_LIMIT;
use crate::secrets::{Key, KeyRing};
use crate::{Caller, Platform, Problem, db, seal};

const PURGED_EVERY: Duration = Duration::from_secs(3600);
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

pub(crate) async fn layer(
    State(platform): State<Platform>,
    request: Request,
    next: Next,
) -> Response {
    let applies = request.method() == Method::POST
        && request.headers().contains_key(HEADER)
        && may_be_somebody(&platform, request.headers())
        && !is_multipart(request.headers());
    if !applies {
        return next.run(request).await;
    }
    once(&platform, request, next)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

async fn once(platform: &Platform, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, platform).await?;
    let key = key(&parts.headers)?;
    let body = whole(body).await?;
    // The caller is part of the request: what an admin was told is not for everybody of the
    // tenant who guesses the key.
    let (actor, uri) = (caller.actor(), parts.uri.to_string());
    let method = parts.method.as_str();
    let told = [actor.as_bytes(), method.as_bytes(), uri.as_bytes(), &body];
    let hash = |key: &Key| key.mac("idempotent request", &told);
    let keys = &platform.secrets.known()?.keys;
    let seal = Seal::new(&keys.platform, caller.tenant, &key);

    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let now = crate::now();
    if !rows::take(
        &mut tx,
        caller.tenant,
        &key,
        &hash(keys.signing.current()),
        now,
    )
    .await?
    {
        let kept = rows::get(&mut tx, caller.tenant, &key).await?;
        let same =
            |kept: &StoredResponse| keys.signing.iter().any(|it| kept.request_hash == hash(it));
        return replay(kept, same, &seal);
    }
    tx.commit().await?;

    let response = next
        .run(Request::from_parts(parts, Body::from(body.clone())))
        .await;
    keep(platform, caller.tenant, &seal, response).await
}

fn key(headers: &HeaderMap) -> Result<String, Error> {
    let text = headers
        .get(HEADER)
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default();
    if (1..=255).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err(Error::BadRequest(
        "Idempotency-Key has 1 to 255 visible ASCII characters".to_owned(),
    ))
}

async fn whole(body: Body) -> Result<Bytes, Problem> {
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(err) if err.is::<LengthLimitError>() => {
            Err(Error::TooLarge("the body is larger than this route takes".to_owned()).into())
        }
        Err(err) => Err(Error::BadRequest(format!("the body was interrupted: {err}")).into()),
    }
}

fn replay(
    kept: Option<StoredResponse>,
    same: impl FnOnce(&StoredResponse) -> bool,
    seal: &Seal<'_>,
) -> Result<Response, Problem> {
    // Released between the two statements: the first request failed, the client may try again.
    let running = Error::conflict("the first request with this Idempotency-Key still runs");
    let Some(kept) = kept else {
        return Err(running.into());
    };
    if !same(&kept) {
        let detail = "was used with another request: use a new key";
        return Err(Error::invalid("Idempotency-Key", detail).into());
    }
    let Some(status) = kept.status else {
        return Err(running.into());
    };
    let status = u16::try_from(status)
        .ok()
        .and_then(|it| StatusCode::from_u16(it).ok());
    let body = seal.open(&kept.body.unwrap_or_default())?;
    let mut response = body.into_response();
    *response.status_mut() = status.unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if let Some(Ok(kind)) = kept.content_type.map(HeaderValue::try_from) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert("x-idempotent-replay", HeaderValue::from_static("true"));
    Ok(response)
}

/// Keeps an answer that stands; gives the key free where the request may be tried again.
async fn keep(
    platform: &Platform,
    tenant: TenantId,
    seal: &Seal<'_>,
    response: Response,
) -> Result<Response, Problem> {
    let stands = response.status().is_success() || response.status() == StatusCode::CONFLICT;
    let (parts, body) = response.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|err| Error::Internal(err.into()))?
        .to_bytes();
    let mut tx = db::begin(&platform.db, tenant).await?;
    if stands {
        let kind = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|it| it.to_str().ok());
        let status = i16::try_from(parts.status.as_u16()).expect("a status has three digits");
        let answer = Answer {
            status,
            body: &seal.seal(&body),
            content_type: kind,
        };
        rows::keep(&mut tx, tenant, seal.key, &answer).await?;
    } else {
        rows::release(&mut tx, tenant, seal.key).await?;
    }
    purge(platform, &mut tx, tenant).await?;
    tx.commit().await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Forgets what is out of date, once an hour for each tenant.
async fn purge(
    platform: &Platform,
    conn: &mut db::Connection,
    tenant: TenantId,
) -> Result<(), Problem> {
    let name = format!("idempotency-purged:{tenant}");
    if platform.cache.get(&name).await.is_none() {
        rows::purge(conn, tenant, crate::now()).await?;
        platform.cache.put(name, vec![1], PURGED_EVERY).await;
    }
    Ok(())
}

/// Seals the answer kept under a key: one that made an API key has its secret in it.
struct Seal<'a> {
    key: &'a str,
    /// The tenant's, of each platform key, the current one first.
    keys: Vec<Key>,
}

impl Seal<'_> {
    fn new<'a>(ring: &KeyRing, tenant: TenantId, key: &'a str) -> Seal<'a> {
        let parts = [&tenant.0.as_bytes()[..]];
        let derived = |it: &Key| Key::new(it.mac("kept answer", &parts));
        Seal {
            key,
            keys: ring.iter().map(derived).collect(),
        }
    }

    fn seal(&self, body: &[u8]) -> Vec<u8> {
        seal::seal(&self.keys[0], self.key.as_bytes(), body)
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let open = |key| seal::open(key, self.key.as_bytes(), sealed);
        let opened = self.keys.iter().find_map(|key| open(key).ok());
        opened.ok_or_else(|| Error::Internal("a sealed secret does not open".into()))
    }
}

/// Whether there is a caller whose key it can be; an open route has none.
fn may_be_somebody(platform: &Platform, headers: &HeaderMap) -> bool {
    matches!(platform.auth, Auth::Off) || headers.contains_key(header::AUTHORIZATION)
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    kind.to_ascii_lowercase().starts_with(b"multipart/")
}
