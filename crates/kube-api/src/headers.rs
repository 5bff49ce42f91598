//! Headers that a request is refused for.
//!
//! What goes upstream is built from empty, so a header that the gate does not know has no effect, and most need no
//! rule. Refused are those that would change what a request means: its sender believes in them, and would be wrong.

use http::{HeaderMap, header};

use crate::{
    refusal::{Refusal, quoted},
    subresource::{Shape, shape},
    target::Target,
};

/// What the gate does about a header.
#[derive(Debug, Clone, Copy)]
enum Treatment {
    /// Refused with this reason.
    Refused(&'static str),
    /// Read here, and written anew.
    Read,
    /// Without effect: it does not go upstream.
    Ignored,
}

use Treatment::{Ignored, Read, Refused};

const NOT_AS_ANOTHER: &str = "the gate decides as whom a call runs; leave out `--as` and its kind";
const NO_PROXY: &str = "the gate decides as whom a call runs; no front proxy may";
const NO_OVERRIDE: &str = "the method is the one in the request line; send that";

/// Every header with a rule. A name that ends in `-` stands for all that begin so; the first match counts, and what
/// is not here is ignored.
const RULES: &[(&str, Treatment)] = &[
    ("impersonate-", Refused(NOT_AS_ANOTHER)),
    ("x-remote-", Refused(NO_PROXY)),
    ("x-http-method-override", Refused(NO_OVERRIDE)),
    ("x-http-method", Refused(NO_OVERRIDE)),
    ("x-method-override", Refused(NO_OVERRIDE)),
    ("x-original-url", Refused("the path is the one in the request line; send that")),
    ("x-rewrite-url", Refused("the path is the one in the request line; send that")),
    ("portcullis-restore", Read),
    ("accept", Read),
    ("content-type", Read),
    ("content-encoding", Read),
    ("content-length", Read),
    ("transfer-encoding", Read),
    ("connection", Read),
    ("upgrade", Read),
    // Who calls was settled before the request was read.
    ("authorization", Ignored),
    ("cookie", Ignored),
    // Answers come whole, unconditionally and unencoded, or they could not be masked.
    ("range", Ignored),
    ("if-", Ignored),
    ("accept-encoding", Ignored),
    ("te", Ignored),
    // What a client says of itself is recorded by the gate, not passed on.
    ("user-agent", Ignored),
    ("audit-id", Ignored),
    ("x-forwarded-", Ignored),
    ("forwarded", Ignored),
];

/// Refuses headers by [`RULES`], upgrades where there are none, and framing that two readers could read in two ways.
///
/// # Errors
/// See [`Refusal::Header`] and [`Refusal::Upgrade`].
pub(crate) fn check(headers: &HeaderMap, target: &Target) -> Result<(), Refusal> {
    for name in headers.keys() {
        if let Refused(reason) = treatment(name.as_str()) {
            return Err(Refusal::Header { name: quoted(name.as_str()), reason });
        }
    }
    check_framing(headers)?;
    let may = target.resource().is_some_and(|resource| shape(resource) == Shape::Upgrade);
    if asks_for_upgrade(headers) && !may { Err(Refusal::Upgrade) } else { Ok(()) }
}

fn treatment(name: &str) -> Treatment {
    let fits =
        |pattern: &str| if pattern.ends_with('-') { name.starts_with(pattern) } else { name == pattern };
    RULES.iter().find(|(pattern, _)| fits(pattern)).map_or(Ignored, |(_, treatment)| *treatment)
}

/// RFC 9112 section 6.3: one length, or chunks, and never both. The HTTP library below has framed the body already;
/// a request that says it twice is refused all the same.
fn check_framing(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let (length, second) = (lengths.next(), lengths.next());
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let (coding, more) = (codings.next(), codings.next());
    let refused = |name: &str, reason| Err(Refusal::Header { name: name.to_owned(), reason });
    if second.is_some() || length.is_some_and(|length| !length.as_bytes().iter().all(u8::is_ascii_digit)) {
        return refused("content-length", "a body has one length");
    }
    if more.is_some() || coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return refused("transfer-encoding", "only `chunked` is read here");
    }
    if coding.is_some() && length.is_some() {
        return refused("transfer-encoding", "a body has a length or chunks, not both");
    }
    Ok(())
}

fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    let named = |value: &http::HeaderValue| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
    };
    headers.contains_key(header::UPGRADE) || headers.get_all(header::CONNECTION).iter().any(named)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::target::NonResource;

    fn told(pairs: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let target = Target::NonResource(NonResource::new(&["version".to_owned()]));
        check(&headers, &target).map_or_else(|refusal| refusal.to_string(), |()| "taken".to_owned())
    }

    #[test]
    fn headers_that_change_the_meaning_are_refused() {
        let mut all = Vec::new();
        for (name, value) in [
            ("impersonate-user", "root"),
            ("impersonate-extra-scopes", "x"),
            ("x-remote-group", "system:masters"),
            ("x-http-method-override", "DELETE"),
            ("x-original-url", "/api"),
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "h2c"),
            ("transfer-encoding", "gzip, chunked"),
            ("content-length", "+5"),
            ("transfer-encoding", "Chunked"),
            ("connection", "close"),
            ("range", "bytes=0-1"),
            ("authorization", "Bearer x"),
            ("x-unheard-of", "1"),
        ] {
            all.push(format!("{name}: {value}: {}", told(&[(name, value)])));
        }
        all.push(told(&[("content-length", "1"), ("content-length", "1")]));
        all.push(told(&[("content-length", "1"), ("transfer-encoding", "chunked")]));
        insta::assert_snapshot!(all.join("\n"), @"
        impersonate-user: root: header `impersonate-user` is refused: the gate decides as whom a call runs; leave out `--as` and its kind
        impersonate-extra-scopes: x: header `impersonate-extra-scopes` is refused: the gate decides as whom a call runs; leave out `--as` and its kind
        x-remote-group: system:masters: header `x-remote-group` is refused: the gate decides as whom a call runs; no front proxy may
        x-http-method-override: DELETE: header `x-http-method-override` is refused: the method is the one in the request line; send that
        x-original-url: /api: header `x-original-url` is refused: the path is the one in the request line; send that
        connection: keep-alive, Upgrade: an upgrade is not possible here; only exec, attach and portforward switch protocols
        upgrade: h2c: an upgrade is not possible here; only exec, attach and portforward switch protocols
        transfer-encoding: gzip, chunked: header `transfer-encoding` is refused: only `chunked` is read here
        content-length: +5: header `content-length` is refused: a body has one length
        transfer-encoding: Chunked: taken
        connection: close: taken
        range: bytes=0-1: taken
        authorization: Bearer x: taken
        x-unheard-of: 1: taken
        header `content-length` is refused: a body has one length
        header `transfer-encoding` is refused: a body has a length or chunks, not both
        ");
    }
}
