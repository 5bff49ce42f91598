//! The cookie by which a browser is known.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Redirect, Response},
};
use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Visitor;
use crate::{Console, secret::Secret};

/// Browsers take a cookie of such a name from this very host only, and only over TLS (RFC 6265bis, section 4.1.3.2).
const HOST_ONLY: &str = "__Host-portcullis";
/// On `localhost`, where there is no TLS.
const LOCAL: &str = "portcullis";

/// `Set-Cookie` for somebody who was signed in. It is sent along when somebody follows a link to a page, and with nothing
/// that another site makes a browser send.
pub(super) fn set(console: &Console, secret: &Secret) -> HeaderValue {
    written(console, secret.reveal().to_owned())
}

/// `Set-Cookie` for somebody who was signed out.
pub(super) fn unset(console: &Console) -> HeaderValue {
    let mut value = written(console, String::new()).as_bytes().to_vec();
    value.extend_from_slice(b"; Max-Age=0");
    HeaderValue::from_bytes(&value).unwrap_or(HeaderValue::from_static("portcullis=; Max-Age=0"))
}

fn written(console: &Console, value: String) -> HeaderValue {
    let cookie = Cookie::build((name(console), value))
        .path("/")
        .http_only(true)
        .secure(console.address().is_secure())
        .same_site(SameSite::Lax);
    HeaderValue::from_str(&cookie.to_string()).unwrap_or(HeaderValue::from_static(""))
}

fn name(console: &Console) -> &'static str {
    if console.address().is_secure() { HOST_ONLY } else { LOCAL }
}

/// Who sends a request, by its cookie. Of several of that name, none is believed.
fn visitor(console: &Console, headers: &HeaderMap) -> Option<Visitor> {
    let mut shown = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| Cookie::split_parse(header.to_owned()))
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == name(console));
    let (first, None) = (shown.next()?, shown.next()) else { return None };
    console.door().visitor(first.value(), console.now())
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Response;

    /// Whoever is not signed in is asked to, and comes back to the page. What is no page says so.
    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        visitor(console, &parts.headers).ok_or_else(|| {
            if parts.headers.contains_key("hx-request") {
                // Then the page is loaded as a whole.
                return [(HeaderName::from_static("hx-refresh"), "true")].into_response();
            }
            let page = parts.uri.path_and_query().filter(|_| parts.method == Method::GET);
            let page = page.map_or("/", http::uri::PathAndQuery::as_str);
            Redirect::to(&format!("/sign-in?to={}", utf8_percent_encode(page, NON_ALPHANUMERIC)))
                .into_response()
        })
    }
}

impl OptionalFromRequestParts<Console> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Option<Self>, Response> {
        Ok(visitor(console, &parts.headers))
    }
}
