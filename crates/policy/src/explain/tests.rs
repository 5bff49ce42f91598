use insta::assert_snapshot;
use kube_api::Head;

use super::*;
use crate::bundle::{Bundle, Source};
use crate::settings::Settings;

const RULES: &str = r#"
@id("team") permit (principal in Group::"team", action, resource in Namespace::"prod/shop");
@id("reads") permit (principal, action in Action::"read", resource);
@id("others") permit (principal == Agent::"other", action, resource);
@id("hr") @reason("people's data") forbid (principal, action in Action::"read", resource in Namespace::"prod/hr");
@id("ask") @reason("Deleting cannot be undone.") @outcome("approval") @approvers("sre") @quorum("2")
forbid (principal, action in Action::"destroy", resource) unless { context.approved };
@id("no-services") @reason("the mesh owns them") forbid (principal, action in Action::"write", resource is Object)
when { resource.type == "services" };
"#;

/// What concerns Secrets: what an object is given, and what is shown.
const SECRETS: &str = r#"
@id("reads") permit (principal, action in Action::"read", resource);
@id("writes") permit (principal, action in Action::"change", resource);
@id("app") permit (principal, action == Action::"use", resource) when { resource.name like "app-*" };
@id("user") permit (principal, action == Action::"reveal", resource) when { context.key == "user" };
"#;

fn with_body(line: &str, content: &str, body: &str) -> Request {
    let (method, uri) = line.split_once(' ').unwrap();
    let mut builder = http::Request::builder().method(method).uri(uri);
    if !content.is_empty() {
        builder = builder.header("content-type", content);
    }
    let (parts, ()) = builder.body(()).unwrap().into_parts();
    Head::parse(&parts).unwrap().with_body(body.as_bytes()).unwrap()
}

#[test]
fn what_concerns_secrets_is_explained() {
    let source = Source { name: "test.cedar".to_owned(), text: SECRETS.to_owned() };
    let judge = Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default());
    let who = Principal { agent: "claude", groups: &[] };
    let pod =
        r#"{"metadata":{"name":"p"},"spec":{"containers":[{"envFrom":[{"secretRef":{"name":"db"}}]}]}}"#;
    let command = r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","command":["env"]}]}}}}"#;
    let web = "PATCH /apis/apps/v1/namespaces/shop/deployments/web";
    let told: Vec<String> = [
        request("GET /api/v1/namespaces/shop/secrets/db"),
        with_body("POST /api/v1/namespaces/shop/pods", "application/json", pod),
        with_body(web, "application/strategic-merge-patch+json", command),
    ]
    .iter()
    .map(|request| explain(&judge, &who, "prod", request).to_string())
    .collect();
    assert_snapshot!(told.join("\n"));
}

fn request(line: &str) -> Request {
    let (method, uri) = line.split_once(' ').unwrap();
    let (parts, ()) = http::Request::builder().method(method).uri(uri).body(()).unwrap().into_parts();
    Head::parse(&parts).unwrap().with_body(b"").unwrap()
}

#[test]
fn each_outcome_is_explained() {
    let source = Source { name: "test.cedar".to_owned(), text: RULES.to_owned() };
    let judge = Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default());
    let groups = ["team".to_owned()];
    let who = Principal { agent: "claude", groups: &groups };
    let told: Vec<String> = [
        "GET /api/v1/namespaces/shop/pods/web",
        "GET /api/v1/pods",
        "DELETE /api/v1/namespaces/shop/pods/web",
        "DELETE /api/v1/namespaces/shop/services/web",
        "DELETE /api/v1/namespaces/other/pods/web",
        "GET /healthz",
        "DELETE /apis/apiregistration.k8s.io/v1/apiservices/v1.apps",
        "GET /api/v1/nodes/n1/proxy/pods",
    ]
    .into_iter()
    .map(|line| format!("# {line}\n{}", explain(&judge, &who, "prod", &request(line))))
    .collect();
    assert_snapshot!(told.join("\n"));
}

/// The shortest of all that permit it, also once humans have approved; and of what goes on alone.
#[test]
fn how_long_a_stream_may_last_is_explained() {
    let rules = r#"
        @id("streams") @idle("10m") @longest("1h") permit (principal, action in [Action::"stream", Action::"read"], resource);
        @id("shop") @idle("5m") @longest("2h") permit (principal, action, resource in Namespace::"prod/shop");
        @id("ask") @reason("it can do anything") @outcome("approval") @approvers("sre")
        forbid (principal, action == Action::"attach", resource) unless { context.approved };
    "#;
    let source = Source { name: "test.cedar".to_owned(), text: rules.to_owned() };
    let judge = Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default());
    let who = Principal { agent: "claude", groups: &[] };
    let told = [
        "POST /api/v1/namespaces/shop/pods/web/exec?command=id",
        "POST /api/v1/namespaces/other/pods/web/exec?command=id",
        "GET /api/v1/namespaces/other/pods?watch=true",
        "GET /api/v1/namespaces/other/pods/web/log?follow=true",
        "GET /api/v1/namespaces/other/pods/web/log",
        "GET /api/v1/namespaces/other/pods",
    ]
    .map(|line| {
        let told = explain(&judge, &who, "prod", &with_body(line, "", "")).to_string();
        let ended = told.lines().find(|told| told.starts_with("It is ended")).unwrap_or("It is not ended.");
        format!("{line}: {ended}")
    });
    assert_snapshot!(told.join("\n"));
    let call = "POST /api/v1/namespaces/other/pods/web/attach";
    let request = with_body(call, "", "");
    let finding = judge.decide(&who, "prod", &call_of(&request));
    let granted = judge.decision(&who, "prod", &call_of(&request), &finding.granted());
    assert_eq!(granted.limits().to_string(), "after 10m in which nothing passes, or after 1h");
}
