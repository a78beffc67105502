//! The proof of a checked sign-in, as a parameter of handlers.

use aws_lc_rs::digest;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::{HeaderMap, Method, header, request::Parts};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use schema::{ApiKeyId, Error, Role, Scope, TenantId, UserId};
use uuid::Uuid;

use super::Auth;
use super::claims::Claims;
use super::verifier::{Refusal, Verifier};
use crate::audit_chain::Signer;
use crate::client_address::ClientAddress;
use crate::limit::Class;
use crate::message::Message;
use crate::{Platform, Problem, db, trace};

/// Somebody whose token or API key was checked. Which scopes it has is not: that is what
/// [`Reader`], [`Ingester`] and [`Admin`] are for.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose rows the request may touch.
    pub tenant: TenantId,
    /// The user, or the one who created the API key.
    pub user: UserId,
    /// The person's address; empty for an API key.
    pub email: String,
    /// The person's role; none for an API key.
    pub role: Option<Role>,
    /// What the request may do.
    pub scopes: Vec<Scope>,
    /// When the person joined; none for an API key.
    pub created_at: Option<DateTime<Utc>>,
    /// The key that the request came with, if it came with one.
    pub api_key: Option<ApiKeyId>,
    /// Signs what the audit log says of the caller's changes.
    pub(crate) signer: Signer,
}

/// A caller who may read.
pub struct Reader(pub Caller);
/// A caller who may bring records in.
pub struct Ingester(pub Caller);
/// A caller who may change how the tenant is set up.
pub struct Admin(pub Caller);

/// The development tenant that every request belongs to while authentication is off.
pub const DEV_TENANT: TenantId = TenantId(Uuid::nil());
/// The development admin.
pub const DEV_USER: UserId = UserId(Uuid::from_u128(1));
/// The development admin's address.
pub const DEV_EMAIL: &str = "dev@autonomos.dev";

impl Caller {
    /// How the audit log names the caller.
    pub fn actor(&self) -> String {
        match self.api_key {
            Some(key) => format!("api-key:{key}"),
            None => format!("user:{}", self.user),
        }
    }

    /// Who sent these headers.
    async fn authenticate(platform: &Platform, headers: &HeaderMap) -> Result<Caller, Problem> {
        // Whatever the request goes on to open or seal, the keys are those of now.
        let signer = Signer::of(&platform.secrets).await?;
        let caller = match &platform.auth {
            Auth::Off => Caller::dev(signer),
            Auth::On(verifier) => {
                let token = bearer(headers)?;
                match token.strip_prefix("aos_") {
                    Some(key) => by_api_key(&platform.db, key, signer).await?,
                    None => {
                        let claims = claims(platform, verifier, token).await?;
                        by_claims(&platform.db, claims, signer).await?
                    }
                }
            }
        };
        trace::set_tenant(caller.tenant);
        Ok(caller)
    }

    fn require(self, scope: Scope) -> Result<Caller, Problem> {
        if self.scopes.contains(&scope) {
            return Ok(self);
        }
        let needed = match scope {
            Scope::Read => "this needs the scope `read`",
            Scope::Ingest => "this needs the scope `ingest`: the role member or admin",
            Scope::Admin => "this needs the scope `admin`: the role admin",
        };
        Err(Error::Forbidden(needed).into())
    }

    fn dev(signer: Signer) -> Caller {
        tracing::warn!("authentication is off: the request runs as the development admin");
        Caller {
            tenant: DEV_TENANT,
            user: DEV_USER,
            email: DEV_EMAIL.to_owned(),
            role: Some(Role::Admin),
            scopes: Role::Admin.scopes().to_vec(),
            created_at: Some(DateTime::UNIX_EPOCH),
            api_key: None,
            signer,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Platform: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Caller, Problem> {
        if let Some(caller) = parts.extensions.get::<Caller>() {
            return Ok(caller.clone());
        }
        let platform = Platform::from_ref(state);
        let caller = match Caller::authenticate(&platform, &parts.headers).await {
            Ok(caller) => caller,
            Err(problem) => return Err(refuse(&platform, parts, problem).await),
        };
        let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let class = if safe { Class::Read } else { Class::Write };
        platform
            .limiter
            .check_tenant(class, caller.tenant, caller.user)
            .await?;
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// Counts a token or key that is not valid against the address that sent it: who tries many is
/// told to wait. A valid one from there is let through all the same.
async fn refuse(platform: &Platform, parts: &mut Parts, problem: Problem) -> Problem {
    let tried = parts.headers.contains_key(header::AUTHORIZATION);
    if !tried || !matches!(problem.error(), Error::Unauthenticated(_)) {
        return problem;
    }
    let Ok(address) = ClientAddress::from_request_parts(parts, &()).await;
    let key = format!("refused:{}", address.neighbourhood());
    match platform.limiter.check(Class::Write, &key).await {
        Ok(_) => problem,
        Err(limited) => limited.into(),
    }
}

macro_rules! scoped {
    ($($extractor:ident),*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $extractor
        where
            Platform: FromRef<S>,
        {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
                let caller = Caller::from_request_parts(parts, state).await?;
                caller.require($extractor::SCOPE).map($extractor)
            }
        }
    )*};
}

impl Reader {
    const SCOPE: Scope = Scope::Read;
}
impl Ingester {
    const SCOPE: Scope = Scope::Ingest;

    /// Who sent a message, proved as a request's caller is, by its attribute `Authorization`.
    /// No quota is drawn on: the queue is the place to wait.
    pub async fn of_message(platform: &Platform, message: &Message) -> Result<Ingester, Problem> {
        let caller = Caller::authenticate(platform, &message.headers).await?;
        caller.require(Ingester::SCOPE).map(Ingester)
    }
}
impl Admin {
    const SCOPE: Scope = Scope::Admin;
}
scoped!(Reader, Ingester, Admin);

fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let header = headers
        .get(header::AUTHORIZATION)
        .ok_or(Error::Unauthenticated(
            "authentication required: send `Authorization: Bearer <token>`",
        ))?;
    let malformed = Error::Unauthenticated("the Authorization header is not `Bearer <token>`");
    let Some((scheme, token)) = header.to_str().ok().and_then(|it| it.split_once(' ')) else {
        return Err(malformed);
    };
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        return Ok(token);
    }
    Err(malformed)
}

/// What the token says. One that names an unknown key may be of a key newer than those known.
async fn claims(platform: &Platform, verifier: &Verifier, token: &str) -> Result<Claims, Error> {
    let secrets = platform.secrets.get().await?;
    let verified = match verifier.verify(&secrets.public_keys, token) {
        Err(Refusal::UnknownKey) => match platform.secrets.newer_than(&secrets).await {
            Some(newer) => verifier.verify(&newer.public_keys, token),
            None => Err(Refusal::UnknownKey),
        },
        verified => verified,
    };
    Ok(verified?)
}

async fn by_claims(pool: &db::Pool, claims: Claims, signer: Signer) -> Result<Caller, Problem> {
    let gone = Error::Unauthenticated("the user or the tenant no longer exists");
    let user = db::callers::find_user(pool, claims.tenant_id, claims.sub)
        .await?
        .ok_or(gone)?;
    if user.disabled {
        return Err(Error::Unauthenticated("the user is disabled").into());
    }
    // Read with the user, so a token that was ended is refused at once and for no further query.
    if claims.epoch != user.token_epoch {
        let ended = "the token was ended: refresh it, or sign in";
        return Err(Error::Unauthenticated(ended).into());
    }
    // The role of now, not of when the token was signed; the token may only narrow it.
    let role: Role = user.role.parse()?;
    let scopes = role
        .scopes()
        .iter()
        .filter(|it| claims.scopes.contains(it))
        .copied()
        .collect();
    Ok(Caller {
        tenant: claims.tenant_id,
        user: claims.sub,
        email: user.email,
        role: Some(role),
        scopes,
        created_at: Some(user.created_at),
        api_key: None,
        signer,
    })
}

/// The text of an API key behind `aos_`: its tenant, its id and its secret.
pub(super) fn parse_api_key(text: &str) -> Option<(TenantId, ApiKeyId, [u8; 32])> {
    let bytes: [u8; 64] = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (tenant, rest) = bytes.split_first_chunk::<16>()?;
    let (id, secret) = rest.split_first_chunk::<16>()?;
    let secret = secret.try_into().ok()?;
    Some((
        TenantId(Uuid::from_bytes(*tenant)),
        ApiKeyId(Uuid::from_bytes(*id)),
        secret,
    ))
}

async fn by_api_key(pool: &db::Pool, text: &str, signer: Signer) -> Result<Caller, Problem> {
    let invalid = || Error::Unauthenticated("the API key is not valid");
    let (tenant, id, secret) = parse_api_key(text).ok_or_else(invalid)?;
    let hash = digest::digest(&digest::SHA256, &secret);
    let key = db::callers::find_api_key(pool, tenant, id, hash.as_ref())
        .await?
        .ok_or_else(invalid)?;
    let scopes = key
        .scopes
        .iter()
        .map(|it| it.parse())
        .collect::<Result<_, Error>>()?;
    Ok(Caller {
        tenant,
        user: key.created_by,
        email: String::new(),
        role: None,
        scopes,
        created_at: None,
        api_key: Some(id),
        signer,
    })
}

/// The text of an API key, shown once.
pub fn format_api_key(tenant: TenantId, id: ApiKeyId, secret: &[u8; 32]) -> String {
    let bytes = [&tenant.0.as_bytes()[..], id.0.as_bytes(), secret].concat();
    format!("aos_{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
