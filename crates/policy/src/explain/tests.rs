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
    let builder = http::Request::builder().method(method).uri(uri).header("content-type", content);
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
