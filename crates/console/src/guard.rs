//! What every request must be, and what every answer says.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use crate::{Console, page};

/// Nothing is loaded from elsewhere, nothing runs or styles that is not a file of ours, nobody frames a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// On the page that plays recordings, the player's WebAssembly may run as well. It comes from a file of ours.
const WITH_PLAYER: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                           connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// In the extensions of an answer: it is the page with the player.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Player;

const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Not `no-referrer`, by which browsers would not name the origin of a form of ours.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self)",
        ),
    ),
];

/// Lets through what this site's own pages send to this site's own address.
pub(crate) async fn guard(State(console): State<Console>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&console, &request) {
        None => in_our_words(next.run(request).await),
        Some((status, why)) => page::problem(status, why),
    };
    let has_player = response.extensions().get::<Player>().is_some();
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, value);
    }
    if has_player {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(WITH_PLAYER));
    }
    if console.address().is_secure() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    // What is shown to one reader is kept by nobody; assets say otherwise.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What the router or an extractor refuses by itself has no page, or its own words for programmers.
fn in_our_words(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_a_page = kind.is_some_and(|kind| kind.starts_with(b"text/html"));
    match response.status() {
        status if !status.is_client_error() || is_a_page => response,
        StatusCode::METHOD_NOT_ALLOWED => {
            let why = "This address is for a form. Go back, and use the page.";
            let mut problem = page::problem(StatusCode::METHOD_NOT_ALLOWED, why);
            // RFC 9110, section 15.5.6.
            let allow = response.headers().get(header::ALLOW).map(|allow| (header::ALLOW, allow.clone()));
            problem.headers_mut().extend(allow);
            problem
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            page::problem(StatusCode::PAYLOAD_TOO_LARGE, "That is more than any form of the console holds.")
        }
        status => page::problem(status, "This address is not one that the console's pages lead to."),
    }
}

fn refusal(console: &Console, request: &Request) -> Option<(StatusCode, &'static str)> {
    let address = console.address();
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    if !host.is_some_and(|host| address.is_named_by_host(host)) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "The console has another address: see `console.public_url`.",
        ));
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    // Browsers name the origin of whatever is sent by POST (Fetch, "append a request Origin header").
    let origin = request.headers().get(header::ORIGIN);
    if !origin.is_some_and(|origin| address.is_named_by_origin(origin)) {
        return Some((StatusCode::FORBIDDEN, "This was not sent by one of the console's own pages."));
    }
    None
}
