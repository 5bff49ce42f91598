//! The cookie by which a browser is known.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Redirect, Response},
};
use cookie::{Cookie, CookieBuilder, SameSite, time::Duration};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Visitor;
use crate::Console;

/// What a cookie is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Who is signed in.
    Visitor,
    /// Who went to a provider's page to sign in.
    Attempt,
}

impl Purpose {
    /// Browsers take a cookie with the prefix from this very host only, and only over TLS (RFC 6265bis, section 4.1.3.2). On
    /// `localhost`, there is no TLS.
    fn name(self, console: &Console) -> &'static str {
        match (self, console.address().is_secure()) {
            (Self::Visitor, true) => "__Host-portcullis",
            (Self::Visitor, false) => "portcullis",
            (Self::Attempt, true) => "__Host-portcullis-attempt",
            (Self::Attempt, false) => "portcullis-attempt",
        }
    }
}

/// `Set-Cookie` with what a browser is known by. It is sent along when somebody follows a link to a page, and with nothing that another site makes a
/// browser send.
pub(super) fn set(console: &Console, purpose: Purpose, value: &str) -> HeaderValue {
    header(&written(console, purpose, value).build())
}

/// `Set-Cookie` for somebody who was signed out.
pub(super) fn unset(console: &Console) -> HeaderValue {
    let nothing = Duration::ZERO;
    header(&written(console, Purpose::Visitor, "").max_age(nothing).build())
}

fn written<'c>(console: &Console, purpose: Purpose, value: &'c str) -> CookieBuilder<'c> {
    Cookie::build((purpose.name(console), value))
        .path("/")
        .http_only(true)
        .secure(console.address().is_secure())
        .same_site(SameSite::Lax)
}

/// Names, base64url and dots are all that is in it.
fn header(cookie: &Cookie<'_>) -> HeaderValue {
    HeaderValue::from_str(&cookie.to_string()).unwrap_or(HeaderValue::from_static("portcullis="))
}

/// What a browser shows for this. Of several of that name, none is believed.
pub(super) fn value(console: &Console, purpose: Purpose, headers: &HeaderMap) -> Option<String> {
    let mut shown = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| Cookie::split_parse(header.to_owned()))
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == purpose.name(console));
    let (first, None) = (shown.next()?, shown.next()) else { return None };
    Some(first.value().to_owned())
}

/// Who sends a request, by its cookie.
pub(super) fn visitor(console: &Console, headers: &HeaderMap) -> Option<Visitor> {
    let accept = headers.get(header::ACCEPT).map(HeaderValue::as_bytes);
    let by_hand = !headers.contains_key("hx-request") && accept != Some(b"text/event-stream");
    console.door().visitor(&value(console, Purpose::Visitor, headers)?, by_hand, console.now())
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
