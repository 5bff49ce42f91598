use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::body::{Body, Form};
use crate::bundle::{Bundle, Source};
use crate::call::Object;
use crate::settings::Settings;
use crate::wording::Refused;

const RULES: &str = r#"
@id("writes") permit (principal, action in [Action::"write", Action::"debug"], resource);
@id("app") permit (principal, action == Action::"use", resource) when { resource.name like "app-*" };
@id("all-of-dev") permit (principal, action == Action::"use", resource in Namespace::"prod/dev");
@id("db") permit (principal, action == Action::"use", resource) when { resource.name == "db" };
@id("db-asks") @reason("the database's password") @hint("use a socket") @outcome("approval") @approvers("dba")
forbid (principal, action == Action::"use", resource is Object) when { resource.name == "db" } unless { context.approved };
@id("tls-asks") @reason("the key of the site") @outcome("approval") @approvers("web")
forbid (principal, action == Action::"use", resource is Object) when { resource.name == "app-tls" } unless { context.approved };
@id("hr") @reason("people's data") forbid (principal, action in Action::"disclose", resource in Namespace::"prod/hr");
"#;

const WHO: Principal<'_> = Principal { agent: "claude", groups: &[] };

fn judge() -> Judge {
    let source = Source { name: "test.cedar".to_owned(), text: RULES.to_owned() };
    Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default())
}

fn told(verb: &str, kind: &str, namespace: &str, body: &Value) -> (Outcome, String) {
    let judge = judge();
    let (kind, subresource) = kind.split_once('/').unwrap_or((kind, ""));
    let (resource, group) = kind.split_once('.').unwrap_or((kind, ""));
    let object = Object { group, resource, subresource, namespace, name: "x" };
    let call = Call::on_object(verb, object, Some(Body { value: body, form: Form::Whole }), false);
    let finding = judge.decide(&WHO, "prod", &call);
    let words = match finding.outcome {
        Outcome::Allow => "allowed".to_owned(),
        _ => Refused::new("claude", "prod", &call, &finding).message().to_owned(),
    };
    (finding.outcome, words)
}

fn env_from(names: &[&str]) -> Value {
    let refs: Vec<Value> = names.iter().map(|name| json!({ "secretRef": { "name": name } })).collect();
    json!({ "spec": { "containers": [{ "envFrom": refs }] } })
}

/// A decision names every rule that permitted something, for who asks later why a Secret could be used.
#[test]
fn a_decision_names_the_rules_that_let_secrets_be_used() {
    let judge = judge();
    let ids = |rules: &[&crate::rule::Rule]| rules.iter().map(|rule| rule.id.clone()).collect::<Vec<_>>();
    let found = |namespace: &str, names: &[&str]| {
        let object = Object { group: "", resource: "pods", subresource: "", namespace, name: "x" };
        let body = env_from(names);
        let call = Call::on_object("create", object, Some(Body { value: &body, form: Form::Whole }), false);
        let finding = judge.decide(&WHO, "prod", &call);
        (ids(&finding.rules), ids(&finding.then))
    };
    assert_eq!(found("shop", &[]).0, ["writes"]);
    assert_eq!(found("shop", &["app-a", "app-b"]).0, ["writes", "app"]);
    assert_eq!(found("dev", &["app-a", "other"]).0, ["writes", "all-of-dev", "app"]);
    let (asks, then) = found("shop", &["app-tls", "db", "app-a"]);
    assert_eq!((asks.join(" "), then.join(" ")), ("tls-asks db-asks".to_owned(), "app writes db".to_owned()));
}

#[test]
fn each_secret_is_judged_by_its_name_and_place() {
    let volume = |name: &str, namespace: &str| json!({ "spec": { "csi": { "nodePublishSecretRef": { "name": name, "namespace": namespace } } } });
    let in_dev = |name: &str| json!({ "spec": { "containers": [{ "env": [{ "valueFrom": { "secretKeyRef": { "name": name, "namespace": "dev" } } }] }] } });
    let table = [
        ("create", "pods", "shop", env_from(&["app-a", "app-b"]), Outcome::Allow),
        ("create", "pods", "shop", env_from(&["app-a", "other"]), Outcome::Deny),
        ("update", "deployments.apps", "shop", env_from(&["db"]), Outcome::Ask),
        ("create", "pods", "dev", env_from(&["other"]), Outcome::Allow),
        ("create", "pods", "hr", env_from(&["app-a"]), Outcome::Deny),
        ("update", "pods/ephemeralcontainers", "shop", env_from(&["other"]), Outcome::Deny),
        // A namespace beside the name is dropped by the server where the kind has none.
        ("create", "pods", "shop", in_dev("other"), Outcome::Deny),
        ("create", "pods", "shop", in_dev("app-a"), Outcome::Allow),
        ("create", "pods", "hr", in_dev("app-a"), Outcome::Deny),
        // No name: any.
        ("create", "pods", "dev", json!({ "spec": { "volumes": [{ "secret": {} }] } }), Outcome::Ask),
        ("create", "pods", "shop", json!({ "spec": { "secretProviderClass": "app-a" } }), Outcome::Deny),
        // No namespace: every one.
        (
            "create",
            "persistentvolumes",
            "",
            json!({ "spec": { "csi": { "nodePublishSecretRef": { "name": "app-a" } } } }),
            Outcome::Deny,
        ),
        ("create", "persistentvolumes", "", volume("app-a", "shop"), Outcome::Allow),
        ("create", "persistentvolumes", "", volume("app-a", "hr"), Outcome::Deny),
        ("create", "persistentvolumes", "", volume("app-a", "portcullis"), Outcome::Deny),
        // Nobody gets to see these.
        (
            "create",
            "ingresses.networking.k8s.io",
            "shop",
            json!({ "spec": { "tls": [{ "secretName": "other" }] } }),
            Outcome::Allow,
        ),
        (
            "create",
            "ingresses.extensions",
            "shop",
            json!({ "spec": { "tls": [{ "secretName": "other" }] } }),
            Outcome::Allow,
        ),
        (
            "create",
            "events.events.k8s.io",
            "shop",
            json!({ "regarding": { "kind": "Secret", "name": "other" } }),
            Outcome::Allow,
        ),
        // Unknown kinds may do anything with it.
        (
            "create",
            "widgets.example.com",
            "shop",
            json!({ "spec": { "kind": "Secret", "name": "other" } }),
            Outcome::Deny,
        ),
    ];
    for (verb, kind, namespace, body, expected) in table {
        let (outcome, words) = told(verb, kind, namespace, &body);
        assert_eq!(outcome, expected, "{verb} {kind} {body}: {words}");
    }
}

#[test]
fn refusals_name_the_secrets() {
    let many: Vec<String> = (0..65).map(|n| format!("app-{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let lines = [
        told("create", "pods", "shop", &env_from(&["other"])),
        told("create", "pods", "shop", &env_from(&["db", "app-tls", "app-a"])),
        told("create", "pods", "hr", &env_from(&["app-a"])),
        told("create", "pods", "shop", &json!({ "spec": { "volumes": [{ "secret": {} }] } })),
        told(
            "create",
            "persistentvolumes",
            "",
            &json!({ "spec": { "csi": { "nodePublishSecretRef": { "name": "a", "namespace": "portcullis" } } } }),
        ),
        told(
            "create",
            "persistentvolumes",
            "",
            &json!({ "spec": { "csi": { "nodePublishSecretRef": { "name": "a" } } } }),
        ),
        told("create", "widgets.example.com", "shop", &json!({ "spec": { "clientSecret": "canary" } })),
        told("create", "pods", "shop", &env_from(&["a\u{202e}b"])),
        told("create", "pods", "shop", &env_from(&many)),
    ];
    let lines: Vec<String> =
        lines.into_iter().map(|(outcome, words)| format!("{outcome}: {words}")).collect();
    assert!(lines.iter().all(|line| !line.contains("canary")));
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn as_many_as_a_workload_has_are_judged() {
    let names: Vec<String> = (0..64).map(|n| format!("app-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(told("create", "pods", "shop", &env_from(&names)).0, Outcome::Allow);
    // A body that would keep the gate busy is refused.
    let mut body = env_from(&names);
    body["images"] = (0..30_000).map(|n| json!({ "image": format!("i{n}") })).collect();
    assert!(told("create", "pods", "shop", &body).1.contains("more Secrets than can be judged"));
}

#[test]
fn the_use_of_a_secret_can_be_asked_about() {
    let judge = judge();
    let probe = |name| {
        let secret = kube_api::Resource::asked("", "v1", "secrets", None, Some("shop"), name).unwrap();
        judge.probe(&WHO, "prod", "use", &secret).outcome()
    };
    assert_eq!(probe(Some("app-a")), Outcome::Allow);
    assert_eq!(probe(Some("db")), Outcome::Ask);
    assert_eq!(probe(Some("other")), Outcome::Deny);
    assert_eq!(probe(None), Outcome::Deny);
    let pods = kube_api::Resource::asked("", "v1", "pods", None, Some("shop"), Some("app-a")).unwrap();
    assert_eq!(judge.probe(&WHO, "prod", "use", &pods).outcome(), Outcome::Deny);
}
