//! Bodies from the seal to the client: data, trailers, error, end, hint and drop.

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use http_body::{Frame, SizeHint};

use super::*;
use crate::kind::Resource;
use crate::known::KnownValues;
use crate::malformed::What;
use crate::masked::BodyError;
use crate::placeholder::Placeholder;
use crate::places::Catalogue;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("broken")]
struct Broke;

/// A body from frames; `alive` is dropped with it.
struct Frames {
    frames: VecDeque<Result<Frame<Bytes>, Broke>>,
    _alive: Rc<()>,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Broke;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broke>>> {
        Poll::Ready(self.frames.pop_front())
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(4711)
    }
}

fn frames(data: &[&'static str]) -> Frames {
    let frames = data.iter().map(|data| Ok(Frame::data(Bytes::from_static(data.as_bytes())))).collect();
    Frames { frames, _alive: Rc::new(()) }
}

fn guard() -> Guard {
    Guard::new("dev", Catalogue::builtin(), KnownValues::none(), [7; 16])
}

fn secrets(watch: bool) -> Kind {
    Kind::Secrets { watch, name: Some("db".to_owned()) }
}

fn headers(content_type: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))])
}

/// What a future that never waits comes to.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn open(kind: Kind, status: u16, headers: &HeaderMap, body: Frames) -> Result<Opened<Frames>, Unmaskable> {
    let empty = body.is_end_stream();
    now(Sealed::of(
        &guard(),
        View::default(),
        kind,
        StatusCode::from_u16(status).unwrap(),
        headers,
        empty,
        body,
    )
    .open())
}

fn next(body: &mut Masked<Frames>) -> Option<Result<Bytes, BodyError<Broke>>> {
    let frame = now(poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)))?;
    Some(frame.map(|frame| frame.into_data().unwrap()))
}

/// All data up to the end, or the error.
fn read(body: &mut Masked<Frames>) -> Result<String, BodyError<Broke>> {
    let mut all = String::new();
    while let Some(data) = next(body) {
        all.push_str(std::str::from_utf8(&data?).unwrap());
    }
    Ok(all)
}

#[test]
fn a_secret_is_masked() {
    let body = frames(&[r#"{"data":{"pw":"CAN"#, r"ARY", r#""},"kind":"Secret"}"#]);
    let mut opened = open(secrets(false), 200, &headers("application/json"), body).unwrap();
    let expected = format!(r#"{{"data":{{"pw":"{}"}},"kind":"Secret"}}"#, Placeholder::Base64.as_str());
    assert!(!opened.body.is_end_stream());
    assert_eq!(opened.body.size_hint().exact(), None);
    assert_eq!(read(&mut opened.body).unwrap(), expected);
    assert_eq!(opened.body.masked_values(), 1);
    assert!(opened.body.is_end_stream());
    assert!(next(&mut opened.body).is_none());
    assert_eq!(opened.headers, headers("application/json"));
}

#[test]
fn a_watch_goes_event_by_event() {
    let event = r#"{"type":"ADDED","object":{"data":{"pw":"CANARY"}}}"#;
    let body = frames(&[event, "\n", event]);
    let mut opened = open(secrets(true), 200, &headers("application/json;stream=watch"), body).unwrap();
    let masked = event.replace("CANARY", Placeholder::Base64.as_str());
    assert_eq!(next(&mut opened.body).unwrap().unwrap(), masked);
    assert_eq!(read(&mut opened.body).unwrap(), format!("\n{masked}"));
    assert_eq!(opened.body.masked_values(), 2);
}

#[test]
fn what_cannot_be_parsed_ends_in_an_error_for_ever() {
    for (chunks, what) in [
        (vec![r#"{"data":{"pw":"x"}"#], What::Truncated),
        (vec!["{}", " x"], What::Unexpected),
        (vec!["\n"], What::Truncated),
    ] {
        let body = frames(&chunks);
        let alive = Rc::downgrade(&body._alive);
        let mut opened = open(secrets(false), 200, &headers("application/json"), body).unwrap();
        assert!(
            matches!(read(&mut opened.body), Err(BodyError::Malformed(malformed)) if malformed.what == what)
        );
        assert!(matches!(next(&mut opened.body), Some(Err(BodyError::Malformed(_)))));
        assert!(!opened.body.is_end_stream());
        assert!(alive.upgrade().is_none(), "the upstream body is kept");
    }
}

#[test]
fn an_upstream_error_is_an_error_and_trailers_are_dropped() {
    let mut body = frames(&["{}"]);
    body.frames.push_back(Ok(Frame::trailers(headers("CANARY"))));
    body.frames.push_back(Err(Broke));
    let mut opened = open(secrets(true), 200, &headers("application/json"), body).unwrap();
    assert_eq!(next(&mut opened.body).unwrap().unwrap(), "{}");
    assert!(matches!(next(&mut opened.body), Some(Err(BodyError::Upstream(Broke)))));
    assert!(matches!(next(&mut opened.body), Some(Err(BodyError::Malformed(_)))));
}

#[test]
fn a_log_passes_as_it_is() {
    let mut opened = open(Kind::Log, 200, &headers("text/plain"), frames(&["a\n", "", "{\"b"])).unwrap();
    assert_eq!(read(&mut opened.body).unwrap(), "a\n{\"b");
}

/// Of a log, the first bytes of what is shown are given out, wherever that cuts it; then no more is read.
#[test]
fn a_log_ends_after_as_many_bytes_as_are_wanted() {
    let known = KnownValues::none();
    assert_eq!(known.update([crate::SecretValue::new(b"Xk9fTq2Lm8Zr".to_vec())]).known, 1);
    let guard = Guard::new("dev", Catalogue::builtin(), known, [7; 16]);
    let read_first = |bytes: u64, pieces: &[&'static str]| {
        let line = format!("/api/v1/namespaces/shop/pods/web/log?limitBytes={bytes}");
        let head = http::Request::get(line).body(()).unwrap().into_parts().0;
        let request = kube_api::Head::parse(&head).unwrap().with_body(b"").unwrap();
        let body = frames(pieces);
        let alive = Rc::downgrade(&body._alive);
        let (view, from) = (View::default(), headers("text/plain"));
        let sealed = Sealed::new(&guard, view, &request, StatusCode::OK, &from, body);
        let mut opened = now(sealed.open()).unwrap();
        let told = read(&mut opened.body).unwrap();
        assert!(opened.body.is_end_stream() && alive.upgrade().is_none());
        told
    };
    for pieces in [&["a Xk9f", "Tq2Lm8Zr b\n", "c\n"][..], &["a Xk9fTq2Lm8Zr b\nc\n"]] {
        assert_eq!(read_first(1, pieces), "a");
        assert_eq!(read_first(8, pieces), "a masked");
        assert_eq!(read_first(42, pieces), format!("a {}", Placeholder::Text.as_str()));
        assert_eq!(read_first(45, pieces), format!("a {} b\n", Placeholder::Text.as_str()));
        assert_eq!(read_first(46, pieces), format!("a {} b\nc", Placeholder::Text.as_str()));
        assert_eq!(
            read_first(u64::from(u32::MAX), pieces),
            format!("a {} b\nc\n", Placeholder::Text.as_str())
        );
    }
    // What is held back until the end is part of it.
    assert_eq!(read_first(3, &["a Xk9fTq"]), "a X");
    assert_eq!(read_first(3, &[]), "");
}

#[test]
fn no_content_has_no_content() {
    let mut opened = open(secrets(false), 204, &HeaderMap::new(), frames(&[])).unwrap();
    assert!(opened.body.is_end_stream());
    assert_eq!(opened.body.size_hint().exact(), Some(0));
    assert_eq!(read(&mut opened.body).unwrap(), "");
    let mut opened = open(secrets(false), 204, &HeaderMap::new(), frames(&["CANARY"])).unwrap();
    assert!(
        matches!(read(&mut opened.body), Err(BodyError::Malformed(malformed)) if malformed.what == What::NotEmpty)
    );
}

#[test]
fn an_answer_to_head_needs_no_document_and_may_have_no_content() {
    let head = http::Request::head("/version").body(()).unwrap().into_parts().0;
    let request = kube_api::Head::parse(&head).unwrap().with_body(b"").unwrap();
    let seal = |body| {
        Sealed::new(&guard(), View::default(), &request, StatusCode::OK, &headers("application/json"), body)
    };
    // HTTP/2 may tell the end apart from the head.
    let mut unended = frames(&[]);
    unended.frames.push_back(Ok(Frame::data(Bytes::new())));
    assert_eq!(read(&mut now(seal(unended).open()).unwrap().body).unwrap(), "");
    let mut opened = now(seal(frames(&["CANARY"])).open()).unwrap();
    assert!(matches!(read(&mut opened.body), Err(BodyError::Malformed(_))));
}

#[test]
fn a_failure_about_secrets_is_told_anew() {
    let body = frames(&[r#"{"reason":"NotFound","message":"CANARY"#, r#"","details":{"name":"CANARY"}}"#]);
    let mut from = headers("application/json; charset=utf-8");
    from.append(WARNING, HeaderValue::from_static("299 - \"CANARY\""));
    from.append(WARNING, HeaderValue::from_static("299 - \"CANARY\""));
    let mut opened = open(secrets(false), 404, &from, body).unwrap();
    let length = opened.body.size_hint().exact();
    let told = read(&mut opened.body).unwrap();
    assert_eq!(length, Some(told.len() as u64));
    assert!(told.contains(r#"secrets \"db\" not found"#) && !told.contains("CANARY"), "{told}");
    assert_eq!(opened.headers.get(CONTENT_TYPE).unwrap(), "application/json");
    let warnings: Vec<_> = opened.headers.get_all(WARNING).iter().collect();
    assert_eq!(warnings, [WARNED]);
}

#[test]
fn failures_that_are_too_long_or_break_off_are_told_by_their_code() {
    let long: &'static str =
        Box::leak(format!(r#"{{"reason":"NotFound","x":"{}"}}"#, "x".repeat(MAX_BODY)).into_boxed_str());
    let mut broken = frames(&[r#"{"reason":"NotFound"}"#]);
    broken.frames.push_back(Err(Broke));
    for body in [frames(&[long]), broken] {
        let mut opened = open(secrets(false), 422, &HeaderMap::new(), body).unwrap();
        assert!(read(&mut opened.body).unwrap().contains(r#""reason":"Invalid""#));
    }
}

#[test]
fn other_failures_and_warnings_pass() {
    let mut from = headers("application/json");
    from.append(WARNING, HeaderValue::from_static("299 - \"deprecated\""));
    let mut opened = open(
        Kind::Objects { watch: true, resource: Resource::default() },
        410,
        &from,
        frames(&[r#"{"message":"gone"}"#]),
    )
    .unwrap();
    assert_eq!(read(&mut opened.body).unwrap(), r#"{"message":"gone"}"#);
    assert_eq!(opened.headers, from);
}

/// An answer about pods, from a cluster where a value is known.
fn open_known(content_type: &'static str, kind: Kind, warning: &'static str, body: Frames) -> Opened<Frames> {
    let known = KnownValues::none();
    let _updated = known.update([crate::SecretValue::new(b"Xk9fTq2Lm8Zr\"w7Rt9zK2".to_vec())]);
    let guard = Guard::new("dev", Catalogue::builtin(), known, [7; 16]);
    let mut from = headers(content_type);
    from.append(WARNING, HeaderValue::from_static(warning));
    now(Sealed::of(&guard, View::default(), kind, StatusCode::OK, &from, false, body).open()).unwrap()
}

#[test]
fn known_values_are_masked_in_bodies_and_warnings() {
    const PLACEHOLDER: &str = Placeholder::Text.as_str();
    let warning = r#"299 - "bad value Xk9fTq2Lm8Zr\"w7Rt9zK2""#;
    let body = frames(&[r#"{"a":"Xk9fTq2Lm8Zr"#, r#"\"w7Rt9zK2","b":"#, "1}"]);
    let mut opened = open_known(
        "application/json",
        Kind::Objects { watch: false, resource: Resource::default() },
        warning,
        body,
    );
    assert_eq!(read(&mut opened.body).unwrap(), format!(r#"{{"a":"{PLACEHOLDER}","b":1}}"#));
    assert_eq!(opened.body.masked_values(), 1);
    assert!(opened.body.is_end_stream());
    assert_eq!(opened.headers.get(WARNING).unwrap(), format!(r#"299 - "bad value {PLACEHOLDER}""#).as_str());

    let log = frames(&["a Xk9fTq2Lm8Zr", "\"w7Rt9zK2"]);
    let mut opened = open_known("text/plain", Kind::Log, "299 - \"x\"", log);
    assert_eq!(read(&mut opened.body).unwrap(), format!("a {PLACEHOLDER}"));
    assert_eq!(opened.body.masked_values(), 1);

    let openapi = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    let mut opened =
        open_known(openapi, Kind::OpenApi, "299 - \"x\"", frames(&["\x14Xk9fTq2Lm8Zr\"w7Rt9zK2"]));
    assert_eq!(read(&mut opened.body).unwrap(), format!("\x14{}", "*".repeat(21)));
}

#[test]
fn what_is_not_in_the_table_is_not_opened() {
    for (kind, content_type) in [(secrets(false), "text/plain"), (Kind::Unknown, "application/json")] {
        assert!(open(kind, 200, &headers(content_type), frames(&["CANARY"])).is_err());
    }
}

#[test]
fn nothing_shows_in_debug() {
    let sealed = Sealed::of(
        &guard(),
        View::default(),
        secrets(false),
        StatusCode::OK,
        &headers("CANARY"),
        false,
        frames(&["CANARY"]),
    );
    insta::assert_snapshot!(format!("{sealed:?}"), @"Sealed { status: 200, .. }");
    let opened = open(secrets(false), 200, &headers("application/json"), frames(&["CANARY"])).unwrap();
    insta::assert_snapshot!(format!("{:?}", opened.body), @"Masked { received: 0, masked: 0, .. }");
}
