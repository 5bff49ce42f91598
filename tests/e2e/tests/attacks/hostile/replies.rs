//! What a hostile API server answers with.

use e2e::{CANARY, gzip};
use futures_util::stream;
use http::{StatusCode, header};
use testkit::stand_in::Reply;

pub(super) fn filled(text: &str) -> String {
    crate::case::filled(text, "n")
}

pub(super) fn of(body: &str) -> Reply {
    Reply::json(StatusCode::OK, filled(body))
}

pub(super) fn typed(media: &'static str, body: Vec<u8>) -> Reply {
    Reply::json(StatusCode::OK, body).header(header::CONTENT_TYPE, media)
}

pub(super) fn encoded(encoding: &'static str, body: Vec<u8>) -> Reply {
    Reply::json(StatusCode::OK, body).header(header::CONTENT_ENCODING, encoding)
}

pub(super) fn secret() -> String {
    filled(
        r#"{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"},"data":{"password":"CANARY64"},"stringData":{"p":"CANARY"}}"#,
    )
}

/// Every type of event, with the value in each.
pub(super) fn events() -> String {
    let one = |kind: &str| filled(&format!("{{\"type\":\"{kind}\",\"object\":{}}}\n", secret()));
    let failed = filled(
        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"message\":\"CANARY\",\"details\":{\"causes\":[{\"message\":\"CANARY\"}]}}}\n",
    );
    ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"].map(one).concat() + &failed
}

/// Events, and then what is none.
pub(super) fn then(line: &str) -> String {
    events() + &filled(line) + "\n"
}

/// `k8s\0` and a `runtime.Unknown` whose raw bytes hold the value (k8s.io/apimachinery/pkg/runtime/serializer/protobuf).
pub(super) fn protobuf() -> Vec<u8> {
    [b"k8s\0\n\x0c\n\x02v1\x12\x06Secret\x12\x1d".as_slice(), CANARY.as_bytes()].concat()
}

/// The self-described tag and a map of one text (RFC 8949).
pub(super) fn cbor() -> Vec<u8> {
    [b"\xd9\xd9\xf7\xa1\x64data\x78\x1d".as_slice(), CANARY.as_bytes()].concat()
}

/// The value is in the second member, which some readers never reach.
pub(super) fn members() -> Vec<u8> {
    [gzip("{\"type\":\"BOOKMARK\",\"object\":{}}\n"), gzip(&events())].concat()
}

pub(super) fn bytewise(text: &str) -> Reply {
    let bytes = text.as_bytes().to_vec();
    Reply::streamed(stream::iter(bytes.into_iter().map(|byte| vec![byte].into())))
}
