//! What a request says of itself, and what goes upstream.
#![expect(clippy::unwrap_used, reason = "a request that is not taken is a failed test")]

use http::request::Builder;
use kube_api::{BodyRule, Head, MAX_BODY_BYTES, Request, Verb};

fn head(builder: Builder) -> Head {
    Head::parse(&builder.body(()).unwrap().into_parts().0).unwrap()
}

fn read(method: &str, target: &str, body: &str) -> Request {
    let content = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let builder = http::Request::builder().method(method).uri(target).header("content-type", content);
    head(builder).with_body(body.as_bytes()).unwrap()
}

const POD: &str = "/api/v1/namespaces/shop/pods/web-0";

#[test]
fn only_what_was_understood_goes_upstream() {
    let builder = http::Request::builder()
        .method("PATCH")
        .uri("/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode?force=1&fieldManager=a%20b")
        .header("content-type", "application/apply-patch+yaml; charset=utf-8")
        .header(
            "accept",
            "application/vnd.kubernetes.protobuf;q=0.9, application/json;as=Table;g=meta.k8s.io;v=v1, */*",
        )
        .header("accept-encoding", "gzip")
        .header("authorization", "Bearer x")
        .header("audit-id", "mine")
        .header("if-none-match", "x")
        .header("range", "bytes=0-7")
        .header("x-forwarded-for", "10.0.0.1");
    let request = head(builder).with_body(b"metadata:\n  name: system:node # note\n").unwrap();
    let sent = request.to_http();
    let mut told = vec![format!("{} {}", sent.method(), sent.uri())];
    told.extend(sent.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())));
    told.push(String::from_utf8(sent.body().to_vec()).unwrap());
    insta::assert_snapshot!(told.join("\n"), @r#"
    PATCH /apis/rbac.authorization.k8s.io/v1/clusterroles/system:node?force=true&fieldManager=a%20b
    accept: application/json;as=Table;g=meta.k8s.io;v=v1, application/json
    accept-encoding: identity
    content-type: application/apply-patch+yaml
    {"metadata":{"name":"system:node"}}
    "#);
    assert_eq!(request.path_and_query(), sent.uri().to_string());
}

#[test]
fn a_request_shows_no_body_values() {
    let request = read("POST", "/api/v1/namespaces/shop/secrets", r#"{"data":{"password":"Q0FOQVJZ"}}"#);
    assert!(!format!("{request:?}").contains("Q0FOQVJZ"));
    assert!(!format!("{request:?}").contains("password"));
}

#[test]
fn dry_run_is_as_the_server_computes_it() {
    let delete_options = r#"{"kind":"DeleteOptions","apiVersion":"v1"}"#;
    let dry_eviction = r#"{"deleteOptions":{"dryRun":["All"]}}"#;
    for (method, target, body, dry) in [
        ("POST", "/api/v1/namespaces/shop/pods?dryRun=All".to_owned(), "{}", true),
        ("POST", "/api/v1/namespaces/shop/pods".to_owned(), r#"{"dryRun":["All"]}"#, false),
        ("PATCH", format!("{POD}?dryRun=All"), "{}", true),
        ("DELETE", format!("{POD}?dryRun=All"), "", true),
        ("DELETE", POD.to_owned(), r#"{"dryRun":["All"]}"#, true),
        ("DELETE", POD.to_owned(), r#"{"dryRun":[]}"#, false),
        ("DELETE", POD.to_owned(), delete_options, false),
        ("DELETE", "/api/v1/namespaces/shop/pods?dryRun=All".to_owned(), "", true),
        ("POST", format!("{POD}/eviction"), dry_eviction, true),
        ("POST", format!("{POD}/eviction?dryRun=All"), "{}", true),
        ("POST", format!("{POD}/eviction"), "{}", false),
        // The server mints the token all the same.
        ("POST", "/api/v1/namespaces/shop/serviceaccounts/ci/token?dryRun=All".to_owned(), "{}", false),
    ] {
        assert_eq!(read(method, &target, body).dry_run(), dry, "{method} {target} {body}");
    }
}

#[test]
fn names_come_from_where_the_server_takes_them() {
    let named = |method, target: &str, body| {
        let request = read(method, target, body);
        let name = request.object_name().map(str::to_owned);
        (name, request.generate_name().map(str::to_owned))
    };
    let owned = |name: &str| Some(name.to_owned());
    let pods = "/api/v1/namespaces/shop/pods";
    assert_eq!(named("POST", pods, r#"{"metadata":{"name":"a"}}"#), (owned("a"), None));
    assert_eq!(named("POST", pods, r#"{"metadata":{"generateName":"a-"}}"#), (None, owned("a-")));
    assert_eq!(named("POST", pods, r#"{"metadata":{"name":"a","generateName":"b-"}}"#), (owned("a"), None));
    assert_eq!(named("PUT", POD, r#"{"metadata":{"name":"other"}}"#), (owned("web-0"), None));
    assert_eq!(named("GET", &format!("{pods}?fieldSelector=metadata.name%3Da"), ""), (owned("a"), None));
    assert_eq!(named("DELETE", &format!("{pods}?fieldSelector=metadata.name%3Da"), ""), (None, None));
}

#[test]
fn streams_are_told() {
    for (target, stream) in [
        ("/api/v1/pods?watch=True".to_owned(), true),
        ("/api/v1/pods".to_owned(), false),
        (format!("{POD}/log?follow=1"), true),
        (format!("{POD}/log?follow=false"), false),
        (format!("{POD}/log"), false),
    ] {
        assert_eq!(read("GET", &target, "").is_stream(), stream, "{target}");
    }
}

#[test]
fn a_head_says_what_body_follows() {
    let rule = |method, target: &str| {
        let builder = http::Request::builder().method(method).uri(target);
        head(builder.header("content-type", "application/json")).body_rule()
    };
    assert_eq!(rule("GET", POD), BodyRule::None);
    assert_eq!(rule("PUT", POD), BodyRule::Required { max_bytes: MAX_BODY_BYTES });
    assert_eq!(rule("DELETE", POD), BodyRule::Optional { max_bytes: MAX_BODY_BYTES });
    assert_eq!(rule("POST", &format!("{POD}/exec")), BodyRule::None);
    assert_eq!(rule("POST", &format!("{POD}/proxy/x")), BodyRule::None);
}

#[test]
fn a_body_says_what_it_is() {
    let request = read("POST", "/api/v1/namespaces/shop/pods", r#"{"kind":"Pod","apiVersion":"v1"}"#);
    let body = request.body().unwrap();
    assert_eq!((body.kind(), body.api_version()), (Some("Pod"), Some("v1")));
    assert_eq!(request.verb(), Verb::Create);
    assert_eq!(&body.to_bytes()[..], br#"{"kind":"Pod","apiVersion":"v1"}"#);
}
