use kube_api::Head;
use policy::{Bundle, Settings, Source};

use super::*;

fn judge() -> Judge {
    let text = r#"
@id("read") permit (principal, action in Action::"read", resource);
@id("write") permit (principal, action == Action::"delete", resource);
@id("asks") @reason("nobody gets it back") @outcome("approval") @approvers("sre")
forbid (principal, action == Action::"delete", resource) unless { context.approved };
"#
    .to_owned();
    let source = Source { name: "test.cedar".to_owned(), text };
    Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default())
}

/// What is answered to a review of this kind with this spec, or the refusal.
fn ask(resource: &str, spec: &Value) -> String {
    let line = http::Request::post(format!("/apis/authorization.k8s.io/v1/{resource}"));
    let parts = line.header("content-type", "application/json").body(()).unwrap().into_parts().0;
    let body = json!({ "spec": spec }).to_string();
    let request = Head::parse(&parts).unwrap().with_body(body.as_bytes()).unwrap();
    let principal = Principal { agent: "claude", groups: &[] };
    match answer(&judge(), &principal, "dev", &question(&request).unwrap()) {
        Ok(review) => String::from_utf8(review.to_vec()).unwrap(),
        Err(refused) => refused.status().message().to_owned(),
    }
}

#[test]
fn rules_are_listed_for_a_namespace() {
    let told = ask("selfsubjectrulesreviews", &json!({ "namespace": "shop", "more": "x" }));
    let review: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(review["spec"], json!({ "namespace": "shop" }));
    assert_eq!(review["status"]["resourceRules"][0]["verbs"], json!(["get", "list", "watch"]));
    insta::assert_snapshot!(review["status"]["evaluationError"], @r#""portcullis: custom resources, and what depends on names, contents or an approval, are not listed""#);
}

#[test]
fn what_waits_for_an_approval_that_nobody_can_give_is_not_allowed() {
    let spec =
        json!({ "resourceAttributes": { "verb": "delete", "resource": "namespaces", "name": "shop" } });
    let review: Value = serde_json::from_str(&ask("selfsubjectaccessreviews", &spec)).unwrap();
    insta::assert_snapshot!(review["status"], @r#"{"allowed":false,"reason":"agent \"claude\" may not delete namespaces \"shop\" in cluster \"dev\" without approval: rule \"asks\" (test.cedar): nobody gets it back; needs 1 of sre; no human approved within the hold time. Next: ask an approver, then send the same request again"}"#);
}

#[test]
fn only_what_is_judged_is_told_again() {
    let long = "a".repeat(1 << 19);
    let asked = json!({ "verb": "get", "resource": "pods", "namespace": "", "fieldSelector": { "rawSelector": long }, "x": long });
    let spec = json!({ "resourceAttributes": asked, "user": long });
    let review: Value =
        serde_json::from_str(&ask("selfsubjectaccessreviews", &json!({ "user": long }))).unwrap();
    assert_eq!(review["spec"], json!({}));
    let review: Value = serde_json::from_str(&ask("selfsubjectaccessreviews", &spec)).unwrap();
    assert_eq!(review["spec"], json!({ "resourceAttributes": { "verb": "get", "resource": "pods" } }));
}

#[test]
fn what_no_request_could_have_is_not_asked_about() {
    let long = "a".repeat((3 << 20) - 200);
    let resource =
        |key: &str| json!({ "resourceAttributes": { "verb": "get", "resource": "pods", key: long } });
    let path = |key: &str| json!({ "nonResourceAttributes": { "verb": "get", "path": "/api", key: long } });
    let table = [
        ("selfsubjectrulesreviews", json!({ "namespace": long })),
        ("selfsubjectrulesreviews", json!({ "namespace": "a/b" })),
        ("selfsubjectrulesreviews", json!({})),
        ("selfsubjectaccessreviews", resource("verb")),
        ("selfsubjectaccessreviews", resource("namespace")),
        ("selfsubjectaccessreviews", resource("name")),
        ("selfsubjectaccessreviews", path("verb")),
        ("selfsubjectaccessreviews", path("path")),
    ];
    for (review, spec) in table {
        let told = ask(review, &spec);
        assert!(told.starts_with("portcullis: the body is not a self-review: "), "{told:.200}");
        assert!(told.len() < 200, "{review}");
    }
}
