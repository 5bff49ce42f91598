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
