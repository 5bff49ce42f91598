//! Phase 2, *identify*: who is calling.

use http::{HeaderMap, header};
use identity::{Caller, Sessions};

use crate::refuse::Refused;

/// The caller of the one `Authorization: Bearer` header.
///
/// Every failure is the same failure: nothing tells a caller which part of a credential was wrong.
pub(crate) fn identify(sessions: &Sessions, headers: &HeaderMap) -> Result<Caller, Refused> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return Err(Refused::Unauthenticated) };
    let token = value.to_str().ok().and_then(bearer).ok_or(Refused::Unauthenticated)?;
    sessions.identify(token, jiff::Timestamp::now()).map_err(|_opaque| Refused::Unauthenticated)
}

/// RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110 section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
