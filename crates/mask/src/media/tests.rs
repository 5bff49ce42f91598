//! The table, row by row.

use std::fmt::Write as _;

use super::*;
use crate::kind::Resource;

const WATCH: Kind = objects(true);
const OBJECTS: Kind = objects(false);

const fn objects(watch: bool) -> Kind {
    Kind::Objects {
        watch,
        resource: Resource { group: String::new(), resource: String::new(), subresource: None },
    }
}

fn secrets(watch: bool) -> Kind {
    Kind::Secrets { watch, name: None }
}

fn read(kind: &Kind, status: u16, headers: &[(&str, &str)]) -> Result<Reading, Unmaskable> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(http::HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    reading(kind, StatusCode::from_u16(status).unwrap(), &map, false)
}

#[test]
fn the_table() {
    let mut table = String::new();
    for (name, kind) in [
        ("secrets", secrets(false)),
        ("secrets watch", secrets(true)),
        ("guarded", Kind::Guarded { watch: false, name: None, resource: Resource::default() }),
        ("objects", OBJECTS),
        ("objects watch", WATCH),
        ("log", Kind::Log),
        ("documents", Kind::Documents),
        ("openapi", Kind::OpenApi),
        ("health", Kind::Health),
        ("unknown", Kind::Unknown),
    ] {
        for (label, content_type) in [
            ("json", "application/json"),
            ("text", "text/plain; charset=utf-8"),
            ("openapi", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"),
            ("protobuf", "application/vnd.kubernetes.protobuf"),
        ] {
            for status in [200, 400] {
                let answer = match read(&kind, status, &[("content-type", content_type)]) {
                    Ok(Reading::Json(framing)) => format!("{framing:?}"),
                    Ok(reading) => format!("{reading:?}"),
                    Err(_) => "-".to_owned(),
                };
                let _ = writeln!(table, "{name:14}{label:9}{status} {answer}");
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn json_with_parameters() {
    for (kind, content_type, framing) in [
        (secrets(false), "application/json; charset=UTF-8", Framing::One),
        (secrets(false), "Application/JSON;charset=\"utf-8\"", Framing::One),
        (secrets(true), "application/json;stream=watch", Framing::Sequence),
        (secrets(false), "application/json;as=Table;v=v1;g=meta.k8s.io", Framing::One),
    ] {
        let read = read(&kind, 200, &[("content-type", content_type)]);
        assert_eq!(read, Ok(Reading::Json(framing)), "{content_type}");
    }
    for content_type in [
        "application/json;charset=utf-16",
        "application/json;stream=watch",
        "application/json;q",
        "application/json;x=y",
        "application/json, application/json",
        "application/jsonl",
        "",
    ] {
        assert!(read(&secrets(false), 200, &[("content-type", content_type)]).is_err(), "{content_type}");
    }
}

#[test]
fn refusals() {
    let json = ("content-type", "application/json");
    let told = [
        read(&OBJECTS, 200, &[]),
        read(&OBJECTS, 200, &[json, json]),
        read(&secrets(false), 200, &[("content-type", "application/cbor-seq;<script>\"CANARY")]),
        read(&OBJECTS, 200, &[json, ("content-encoding", "gzip")]),
        read(&OBJECTS, 200, &[json, ("content-encoding", "identity"), ("content-encoding", "gzip")]),
        read(&OBJECTS, 302, &[json]),
        read(&OBJECTS, 101, &[json]),
    ]
    .map(|refused| refused.unwrap_err().to_string());
    insta::assert_snapshot!(told.join("\n"), @"
    the API server answered with media type ``, which cannot be masked here
    the API server answered with media type `application/json, application/json`, which cannot be masked here
    the API server answered with media type `application/cbor-seq;scriptCANARY`, which cannot be masked here
    the API server encoded its answer although `identity` was asked for; look for a proxy in between
    the API server encoded its answer although `identity` was asked for; look for a proxy in between
    the API server answered with status 302 Found, which is never passed on
    the API server answered with status 101 Switching Protocols, which is never passed on
    ");
    assert_eq!(
        Unmaskable::Kind.to_string(),
        "answers to this kind of request cannot be masked; deny the request in policy"
    );
}

#[test]
fn empty_answers_must_be_empty() {
    for status in [204, 205, 304] {
        assert_eq!(read(&secrets(false), status, &[("content-type", "text/html")]), Ok(Reading::Empty));
    }
    let head = reading(&secrets(false), StatusCode::OK, &HeaderMap::new(), true);
    assert_eq!(head, Ok(Reading::Empty));
}

#[test]
fn errors_that_are_not_relayed() {
    let json = ("content-type", "application/json");
    assert_eq!(read(&secrets(false), 422, &[json]), Ok(Reading::Rebuild));
    assert_eq!(read(&OBJECTS, 500, &[("content-type", "text/html")]), Ok(Reading::Rebuild));
    assert_eq!(read(&OBJECTS, 500, &[json, ("content-encoding", "gzip")]), Ok(Reading::Rebuild));
    assert_eq!(read(&WATCH, 410, &[json]), Ok(Reading::Quoting));
}
