use insta::assert_snapshot;
use kube_api::{Head, Resource};

use super::*;
use crate::bundle::{Bundle, Source};
use crate::settings::Settings;

const RULES: &str = r#"
@id("reads") permit (principal, action in Action::"read", resource);
@id("changes") permit (principal, action in Action::"change", resource in Namespace::"prod/shop");
@id("creates-not") @reason("made elsewhere") forbid (principal, action == Action::"create", resource is Object)
when { resource.type == "configmaps" };
@id("wet") @reason("look first") @hint("add --dry-run=server")
forbid (principal, action == Action::"update", resource) when { !context.dryRun };
@id("deletes") permit (principal, action in Action::"destroy", resource);
@id("a-asks") @reason("gone is gone") @outcome("approval") @approvers("sre, lead") @quorum("2")
forbid (principal, action in Action::"destroy", resource) unless { context.approved };
@id("b-asks") @reason("gone is gone") @outcome("approval") @approvers("owner")
forbid (principal, action in Action::"destroy", resource in Namespace::"prod/shop") unless { context.approved };
"#;

fn judge() -> Judge {
    let source = Source { name: "test.cedar".to_owned(), text: RULES.to_owned() };
    Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default())
}

fn request(line: &str, content: &str, body: &str) -> Request {
    let (method, uri) = line.split_once(' ').unwrap();
    let mut builder = http::Request::builder().method(method).uri(uri);
    if !content.is_empty() {
        builder = builder.header("content-type", content);
    }
    let (parts, ()) = builder.body(()).unwrap().into_parts();
    Head::parse(&parts).unwrap().with_body(body.as_bytes()).unwrap()
}

const WHO: Principal<'_> = Principal { agent: "claude", groups: &[] };

fn verdict(line: &str) -> Verdict {
    judge().judge(&WHO, "prod", request(line, "", "")).verdict().unwrap()
}

#[test]
fn only_reads_of_secrets_are_masked_reads() {
    let table = [
        ("GET /api/v1/namespaces/shop/secrets/db", true),
        ("GET /api/v1/namespaces/shop/secrets", true),
        ("GET /api/v1/secrets?watch=true", true),
        ("GET /api/v1/namespaces/shop/configmaps/db", false),
        ("GET /apis/example.com/v1/namespaces/shop/secrets/db", false),
        ("DELETE /api/v1/namespaces/other/secrets/db", false),
    ];
    for (line, expected) in table {
        assert_eq!(verdict(line).decision().masked_read(), expected, "{line}");
    }
}

#[test]
fn a_permit_owns_what_was_judged() {
    let Verdict::Allow(permit) = verdict("GET /api/v1/namespaces/shop/pods/web") else {
        panic!("not allowed")
    };
    assert_eq!(permit.request().path_and_query(), "/api/v1/namespaces/shop/pods/web");
    let rules: Vec<&str> = permit.decision().rules().iter().map(|rule| rule.id()).collect();
    assert_eq!(rules, ["reads"]);
    assert_eq!(permit.decision().policy_digest(), judge().bundle().digest());
}

#[test]
fn refusals_are_statuses() {
    let json = |verdict: &Verdict| {
        let status = match verdict {
            Verdict::Allow(_) => panic!("allowed"),
            Verdict::Ask(ask) => ask.status(),
            Verdict::Deny(denial) => denial.status(),
        };
        String::from_utf8(status.to_json().to_vec()).unwrap()
    };
    let put = request(
        "PUT /apis/apps/v1/namespaces/shop/deployments/web",
        "application/json",
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"secret":"CANARY"}}"#,
    );
    let told = [
        json(&verdict("DELETE /api/v1/namespaces/shop/pods/web")),
        json(&judge().judge(&WHO, "prod", put).verdict().unwrap()),
        json(&verdict("GET /debug/pprof")),
    ];
    assert!(!told.join("").contains("CANARY"));
    assert_snapshot!(told.join("\n"));
}

#[test]
fn each_rule_that_asks_keeps_its_own_approvers() {
    let Verdict::Ask(ask) = verdict("DELETE /api/v1/namespaces/shop/pods/web") else {
        panic!("does not ask")
    };
    let told: Vec<_> =
        ask.demands().iter().map(|d| (d.rule.as_str(), d.approvers.join("+"), d.quorum)).collect();
    assert_eq!(told, [("a-asks", "sre+lead".to_owned(), 2), ("b-asks", "owner".to_owned(), 1)]);
}

#[test]
fn dry_runs_and_applies_are_seen() {
    let outcome = |line: &str, content: &str, body: &str| {
        judge().judge(&WHO, "prod", request(line, content, body)).verdict().unwrap().decision().outcome()
    };
    let deployment = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"}}"#;
    let path = "/apis/apps/v1/namespaces/shop/deployments/web";
    assert_eq!(outcome(&format!("PUT {path}"), "application/json", deployment), Outcome::Deny);
    assert_eq!(outcome(&format!("PUT {path}?dryRun=All"), "application/json", deployment), Outcome::Allow);
    // Server-side apply may create; a merge patch may not.
    let config = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#;
    let path = "PATCH /api/v1/namespaces/shop/configmaps/a";
    assert_eq!(outcome(path, "application/merge-patch+json", config), Outcome::Allow);
    let apply = format!("{path}?fieldManager=kubectl");
    assert_eq!(outcome(&apply, "application/apply-patch+yaml", config), Outcome::Deny);
}

#[test]
fn questions_are_answered_like_requests() {
    let resource =
        |kind: &str, namespace, name| Resource::asked("", "v1", kind, None, namespace, name).unwrap();
    let ask = |verb: &str, resource: &Resource| judge().probe(&WHO, "prod", verb, resource);
    let pods = resource("pods", Some("shop"), None);
    let told = [
        ask("get", &pods),
        ask("create", &pods),
        ask("create", &resource("configmaps", Some("shop"), None)),
        ask("delete", &pods),
        ask("delete", &resource("pods", None, None)),
        ask("*", &resource("*", None, None)),
        ask("create", &resource("pods/exec", Some("shop"), Some("web"))),
        judge().probe_path(&WHO, "prod", "get", "/metrics"),
        judge().probe_path(&WHO, "prod", "post", "/healthz"),
    ];
    let lines: Vec<String> =
        told.iter().map(|probe| format!("{}: {}", probe.outcome(), probe.reason())).collect();
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_rules_of_an_agent_are_listed() {
    let line = |rule: crate::ResourceRule| {
        format!("{} {:?}: {}", rule.verbs.join(","), rule.api_groups, rule.resources.join(","))
    };
    let lines: Vec<String> = judge().rules_for(&WHO, "prod", "shop").into_iter().map(line).collect();
    assert_snapshot!(lines.join("\n"));
}
