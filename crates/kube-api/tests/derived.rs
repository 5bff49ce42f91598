//! What the gate makes of a request stays canonical, and binds it to what was looked at.
#![expect(clippy::unwrap_used, reason = "a request that is not taken is a failed test")]

use http::header;
use kube_api::{Head, Refusal, Representation, Request};
use serde_json::{Value, json};

const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

fn read(line: &str, content: &str, body: &str) -> Request {
    let (method, target) = line.split_once(' ').unwrap();
    let table = "application/json;as=Table;g=meta.k8s.io;v=v1";
    let builder = http::Request::builder().method(method).uri(target).header(header::ACCEPT, table);
    let builder = if body.is_empty() { builder } else { builder.header(header::CONTENT_TYPE, content) };
    Head::parse(&builder.body(()).unwrap().into_parts().0).unwrap().with_body(body.as_bytes()).unwrap()
}

fn patch(form: &str, body: &str) -> Request {
    read(&format!("PATCH {WEB}?fieldManager=me"), &format!("application/{form}"), body)
}

fn body(request: &Request) -> &Value {
    request.body().unwrap().value()
}

/// The server is not told how much of a log is wanted: it would cut values apart.
#[test]
fn what_is_wanted_of_a_log_is_no_part_of_what_is_sent() {
    let log = |query: &str| {
        let line = format!("/api/v1/namespaces/shop/pods/web/log{query}");
        let head = http::Request::get(line).body(()).unwrap().into_parts().0;
        Head::parse(&head).unwrap().with_body(b"").unwrap()
    };
    let sent = |query: &str| log(query).to_http().uri().to_string();
    let asked = "?tailLines=2&limitBytes=10&timestamps=true";
    assert!(log(asked).path_and_query().ends_with(asked));
    assert!(sent(asked).ends_with("/log?tailLines=2&timestamps=true"));
    assert!(sent("?limitBytes=10").ends_with("/log"));
    assert_eq!(log(asked).limit_bytes(), Some(10));
    assert_eq!(log("?limitBytes=9223372036854775807").limit_bytes(), Some(i64::MAX as u64));
    assert_eq!(log("").limit_bytes(), None);
}

#[test]
fn a_dry_run_is_the_same_request_but_for_that() {
    let request = patch("merge-patch+json", r#"{"spec":{"replicas":3}}"#);
    let dry = request.as_dry_run().unwrap();
    assert!(dry.dry_run() && !request.dry_run());
    assert_eq!(dry.path_and_query(), format!("{WEB}?fieldManager=me&dryRun=All"));
    assert_eq!(dry.accept().representations(), [Representation::Object]);
    assert_eq!(dry.to_http().headers()[header::ACCEPT], "application/json");
    assert_eq!(
        (dry.method(), dry.target(), dry.body()),
        (request.method(), request.target(), request.body())
    );
    assert_eq!(dry.as_dry_run().unwrap(), dry);
}

#[test]
fn a_dry_run_of_an_apply_tells_whether_there_is_an_object() {
    let own = r#"{"metadata":{"name":"web","resourceVersion":"7","labels":{}},"spec":{}}"#;
    let dry = patch("apply-patch+yaml", own).as_dry_run().unwrap();
    assert_eq!(body(&dry), &json!({"metadata": {"name": "web", "labels": {}}, "spec": {}}));
    let request = patch("merge-patch+json", own);
    assert_eq!(request.as_dry_run().unwrap().body(), request.body());
}

#[test]
fn what_the_server_would_do_all_the_same_has_no_dry_run() {
    for (line, body) in [
        ("GET /api/v1/namespaces/shop/pods/a", ""),
        ("DELETE /api/v1/namespaces/shop/pods/a", ""),
        ("GET /version", ""),
        ("POST /api/v1/namespaces/shop/serviceaccounts/ci/token", "{}"),
    ] {
        assert_eq!(read(line, "application/json", body).as_dry_run(), None, "{line}");
    }
}

#[test]
fn a_version_becomes_a_precondition_in_every_form() {
    let spec = r#"{"spec":{"replicas":3}}"#;
    for form in ["merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml"] {
        let bound = patch(form, spec).with_resource_version("42").unwrap();
        assert_eq!(body(&bound), &json!({"spec": {"replicas": 3}, "metadata": {"resourceVersion": "42"}}));
    }
    let put = read(&format!("PUT {WEB}"), "application/json", r#"{"metadata":{"name":"web"}}"#);
    let put = put.with_resource_version("42").unwrap();
    assert_eq!(body(&put), &json!({"metadata": {"name": "web", "resourceVersion": "42"}}));
    let patch = patch("json-patch+json", r#"[{"op":"remove","path":"/metadata/resourceVersion"}]"#);
    let bound = patch.with_resource_version("42").unwrap();
    let last = json!({"op": "add", "path": "/metadata/resourceVersion", "value": "42"});
    assert_eq!(body(&bound).as_array().unwrap().last(), Some(&last));
    assert_eq!(bound.target(), patch.target());
}

#[test]
fn a_version_is_named_where_a_body_could_bind_one() {
    let merge =
        |metadata: &str| patch("merge-patch+json", &format!(r#"{{"metadata":{metadata}}}"#)).names_version();
    assert!(merge(r#"{"resourceVersion":"42"}"#));
    for none in ["{}", r#"{"resourceVersion":""}"#, r#"{"resourceVersion":null}"#] {
        assert!(!merge(none), "{none}");
    }
    let operation = |path: &str| {
        let body = format!(r#"[{{"op":"test","path":"{path}","value":{{}}}}]"#);
        patch("json-patch+json", &body).names_version()
    };
    assert!(["", "/metadata", "/metadata/resourceVersion"].into_iter().all(operation));
    assert!(!operation("/metadata/labels"));
    assert!(!read("GET /version", "application/json", "").names_version());
}

#[test]
fn what_is_not_there_yet_is_bound_to_a_version_that_nothing_has() {
    let bound = patch("apply-patch+yaml", "metadata:\n  name: web\n").with_resource_version("").unwrap();
    assert_eq!(body(&bound)["metadata"]["resourceVersion"], "1");
}

#[test]
fn a_version_of_the_clients_own_has_to_be_the_same() {
    let own = |version: &str| {
        let body = json!({"metadata": {"resourceVersion": version}}).to_string();
        patch("merge-patch+json", &body).with_resource_version("42")
    };
    assert_eq!(body(&own("42").unwrap())["metadata"]["resourceVersion"], "42");
    insta::assert_snapshot!(own("41").unwrap_err(), @"the body is not an object or a patch that can be changed: its `metadata.resourceVersion` is not the object's; read the object again");
    let null = patch("merge-patch+json", r#"{"metadata":{"resourceVersion":null}}"#);
    assert_eq!(body(&null.with_resource_version("42").unwrap())["metadata"]["resourceVersion"], "42");
    let list = patch("merge-patch+json", r#"{"metadata":[]}"#).with_resource_version("42");
    insta::assert_snapshot!(list.unwrap_err(), @"the body is not an object or a patch that can be changed: its `metadata` is no object");
    let none = read("GET /api/v1/pods", "", "").with_resource_version("42");
    insta::assert_snapshot!(none.unwrap_err(), @"the body is not an object or a patch that can be changed: there is none");
}

#[test]
fn another_body_obeys_the_rules_of_the_first() {
    let request = read("POST /api/v1/namespaces/shop/secrets", "application/json", "{}");
    let value = json!({"metadata": {"name": "db"}, "data": {"pw": "eA=="}});
    let other = request.with_body_value(&value).unwrap();
    assert_eq!((body(&other), other.object_name()), (&value, Some("db")));
    assert_eq!(other.path_and_query(), request.path_and_query());
    let mut deep = json!(1);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    let refused = |value: &Value| request.with_body_value(value).unwrap_err().to_string();
    let long = "x".repeat(300);
    let told = [
        refused(&json!([])),
        refused(&json!({ "a": deep })),
        refused(&json!({ "metadata": { "name": long } })),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    the body is not an object: it is another kind of JSON value
    the body is not JSON that can be read in one way only: deeper than 128 levels (line 1, column 132)
    the body is not an object: `metadata.name` has more than 253 characters
    ");
    let many = Value::Array(vec![Value::Null; kube_api::MAX_BODY_VALUES]);
    let many = request.with_body_value(&json!({ "a": many }));
    assert_eq!(many, Err(Refusal::TooManyValues { most: kube_api::MAX_BODY_VALUES }));
    let large = request.with_body_value(&json!({ "a": "x".repeat(kube_api::MAX_BODY_BYTES) }));
    assert_eq!(large, Err(Refusal::TooLarge { most: kube_api::MAX_BODY_BYTES }));
}

#[test]
fn a_connection_through_a_port_forward_names_its_port() {
    let pod = "/api/v1/namespaces/shop/pods/web-1";
    let port = std::num::NonZeroU16::new(8080).unwrap();
    for (asked, named) in
        [("", vec![]), ("?ports=80&ports=81", vec![80, 81]), ("?ports=81,80&ports=81", vec![81, 80, 81])]
    {
        let way = read(&format!("POST {pod}/portforward{asked}"), "", "");
        assert_eq!(way.forwarded_port(), None);
        assert_eq!(way.forwarded_ports().map(u16::from).collect::<Vec<_>>(), named);
        let connection = way.forwarding(port).unwrap();
        assert_eq!(connection.path_and_query(), format!("{pod}/portforward?ports=8080"));
        assert_eq!(connection.forwarded_port(), Some(port));
        assert_eq!(connection.target(), way.target());
    }
    let other = read(&format!("POST {pod}/exec?command=ls"), "", "");
    assert!(other.forwarding(port).is_none() && other.forwarded_port().is_none());
}

#[test]
fn a_delete_is_bound_to_the_object_that_was_looked_at() {
    let bound = |line: &str, options: &str| {
        read(line, "application/json", options).with_preconditions("u-1", "7").map(|request| {
            assert_eq!(request.method(), "DELETE");
            (request.path_and_query(), body(&request).clone())
        })
    };
    let preconditions = json!({"uid": "u-1", "resourceVersion": "7"});
    let options = |rest: Value| {
        let mut all = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions});
        all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        all
    };
    let web = format!("DELETE {WEB}");
    assert_eq!(bound(&web, "").unwrap(), (WEB.to_owned(), options(json!({}))));
    let query = "dryRun=All&gracePeriodSeconds=5&propagationPolicy=Foreground&orphanDependents=false";
    assert_eq!(
        bound(&format!("{web}?{query}"), "").unwrap(),
        (
            WEB.to_owned(),
            options(json!({
                "dryRun": ["All"], "gracePeriodSeconds": 5, "propagationPolicy": "Foreground", "orphanDependents": false
            }))
        )
    );
    let own = r#"{"propagationPolicy":"Background","preconditions":{"uid":"u-1"}}"#;
    assert_eq!(
        bound(&web, own).unwrap().1,
        json!({"propagationPolicy": "Background", "preconditions": preconditions})
    );
    let pod = "/api/v1/namespaces/shop/pods/web-1";
    let eviction = r#"{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"web-1"},"deleteOptions":{"dryRun":["All"]}}"#;
    let evicts = read(&format!("POST {pod}/eviction"), "application/json", eviction);
    assert!(evicts.is_eviction() && !evicts.names_version());
    assert_eq!(evicts.as_read().unwrap().path_and_query(), pod);
    let evicts = evicts.with_preconditions("u-1", "7").unwrap();
    assert_eq!(body(&evicts)["deleteOptions"], json!({"dryRun": ["All"], "preconditions": preconditions}));
    assert!(evicts.names_version() && evicts.dry_run());
    let other = bound(&web, r#"{"preconditions":{"uid":"u-2"}}"#).unwrap_err();
    assert!(
        matches!(&other, Refusal::Body { problem, .. } if problem.contains("preconditions")),
        "{other:?}"
    );
}

#[test]
fn what_a_deletion_of_a_collection_covers_is_listed_by_its_selectors() {
    let pods = "/api/v1/namespaces/shop/pods";
    let query = "labelSelector=app%3Dweb&fieldSelector=status.phase%3DFailed&gracePeriodSeconds=0&timeout=5s";
    let deletes = read(&format!("DELETE {pods}?{query}"), "", "");
    let list = |from| {
        let list = deletes.as_list(100, from).unwrap();
        assert_eq!(list.verb().as_str(), "list");
        list.path_and_query()
    };
    let selected = format!("{pods}?labelSelector=app%3Dweb&fieldSelector=status.phase%3DFailed&limit=100");
    assert_eq!(list(None), selected);
    assert_eq!(list(Some("x+y")), format!("{selected}&continue=x%2By"));
    for paged in ["limit=1", "continue=x"] {
        assert_eq!(read(&format!("DELETE {pods}?{paged}"), "", "").as_list(100, None), None, "{paged}");
    }
    assert_eq!(read(&format!("DELETE {WEB}"), "", "").as_list(100, None), None);
}

#[test]
fn an_object_is_deleted_as_its_collection_would_be() {
    let pods = "/api/v1/pods";
    let by_body = r#"{"gracePeriodSeconds":5,"dryRun":["All"]}"#;
    let one = |deletes: Request| deletes.as_delete_of("shop", "web-1", "u-1", "7").unwrap();
    let of_query =
        one(read(&format!("DELETE {pods}?gracePeriodSeconds=5&dryRun=All&labelSelector=a"), "", ""));
    let of_body = one(read(&format!("DELETE {pods}?labelSelector=a"), "application/json", by_body));
    let preconditions = json!({"uid": "u-1", "resourceVersion": "7"});
    for delete in [of_query, of_body] {
        assert_eq!(delete.path_and_query(), "/api/v1/namespaces/shop/pods/web-1");
        assert!(delete.dry_run());
        assert_eq!(body(&delete)["gracePeriodSeconds"], json!(5));
        assert_eq!(body(&delete)["preconditions"], preconditions);
    }
    let everywhere = read(&format!("DELETE {pods}"), "", "");
    for (namespace, name) in [("..", "a"), ("a/b", "a"), ("shop", "a/b"), ("shop", "."), ("shop", "")] {
        assert!(everywhere.as_delete_of(namespace, name, "u-1", "7").is_err(), "{namespace} {name}");
    }
}
