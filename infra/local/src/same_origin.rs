//! Who may call while authentication is off, when every request is the development admin: this
//! machine's user, and no page that a browser shows them.
//!
//! A page of another origin is refused by its `Origin`, which browsers send with all that changes
//! something and with all whose answer the page could read. One that gave its own name the address
//! 127.0.0.1 is refused by that name.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use platform::{Platform, Problem};
use schema::Error;

pub(crate) async fn layer(
    State(platform): State<Platform>,
    request: Request,
    next: Next,
) -> Response {
    match check(request.headers(), &platform.cors_origins) {
        Ok(()) => next.run(request).await,
        Err(error) => Problem::from(error).into_response(),
    }
}

fn check(headers: &HeaderMap, allowed: &[HeaderValue]) -> Result<(), Error> {
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let host = host.and_then(|it| it.parse::<Authority>().ok());
    let Some(host) = host.filter(|it| is_loopback(it.host())) else {
        return Err(Error::Forbidden(
            "DCL_AUTH_ENABLED is false, so only 127.0.0.1 and localhost are answered: call one of \
             them, or turn authentication on",
        ));
    };
    let same = format!("http://{host}");
    match headers.get(header::ORIGIN) {
        Some(origin) if *origin != same && !allowed.contains(origin) => Err(Error::Forbidden(
            "DCL_AUTH_ENABLED is false, so pages of other origins are refused: name the origin in \
             CORS_ORIGINS, or turn authentication on",
        )),
        _ => Ok(()),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_answered(host: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        let pairs = [(header::HOST, host), (header::ORIGIN, origin)];
        for (name, value) in pairs {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        check(
            &headers,
            &[HeaderValue::from_static("http://localhost:3000")],
        )
        .is_ok()
    }

    #[test]
    fn only_this_machine_and_its_own_pages_are_answered() {
        let own = "http://127.0.0.1:9000";
        for (host, origin, expected) in [
            ("127.0.0.1:9000", None, true),
            ("localhost:9000", None, true),
            ("LOCALHOST", None, true),
            ("[::1]:9000", None, true),
            ("127.0.0.1:9000", Some(own), true),
            ("127.0.0.1:9000", Some("http://localhost:3000"), true),
            ("127.0.0.1:9000", Some("http://127.0.0.1:9001"), false),
            ("127.0.0.1:9000", Some("https://evil.example"), false),
            ("127.0.0.1:9000", Some("null"), false),
            ("evil.example:9000", None, false),
            ("evil.example:9000", Some("http://evil.example:9000"), false),
            ("127.0.0.1.evil.example", None, false),
            ("localhost.evil.example", None, false),
            ("0.0.0.0:9000", None, false),
            ("127.0.0.1:9000@evil.example", None, false),
        ] {
            assert_eq!(
                is_answered(Some(host), origin),
                expected,
                "{host} {origin:?}"
            );
        }
        assert!(!is_answered(None, None), "without a host");
    }
}
