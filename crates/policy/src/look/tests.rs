use std::sync::LazyLock;

use http::header;
use insta::assert_snapshot;
use kube_api::Head;
use proptest::{prelude::*, test_runner::RngSeed};
use serde_json::json;

use super::*;
use crate::bundle::{Bundle, Source};
use crate::decision::Outcome;
use crate::settings::Settings;

const RULES: &str = r#"
@id("writes") permit (principal, action in [Action::"change", Action::"debug"], resource);
@id("uses") permit (principal, action == Action::"use", resource);
@id("uses-ask") @reason("its log can show it") @outcome("approval") @approvers("sre")
forbid (principal, action == Action::"use", resource) unless { context.approved };
@id("host") @reason("the node") forbid (principal, action, resource is Object) when { !context.hostPaths.isEmpty() };
"#;

const WHO: Principal<'_> = Principal { agent: "claude", groups: &[] };
const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

fn judge() -> &'static Judge {
    static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
        let source = Source { name: "test.cedar".to_owned(), text: RULES.to_owned() };
        Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default())
    });
    &JUDGE
}

fn request(path: &str, form: &str, body: &str) -> Request {
    let method = if form == "json" { "PUT" } else { "PATCH" };
    let content = format!("application/{form}");
    let builder = http::Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, content);
    Head::parse(&builder.body(()).unwrap().into_parts().0).unwrap().with_body(body.as_bytes()).unwrap()
}

fn look(request: Request) -> Option<Look> {
    match judge().judge(&WHO, "prod", request) {
        Judgement::Verdict(_) | Judgement::Pod(_) => None,
        Judgement::Look(look) => Some(look),
    }
}

const COMMAND: &str = r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","command":["env"]}]}}}}"#;

/// A Deployment as a dry run answers with it.
fn merged(version: &str, container: &Value) -> Value {
    json!({
        "kind": "Deployment", "apiVersion": "apps/v1",
        "metadata": { "name": "web", "namespace": "shop", "resourceVersion": version },
        "spec": { "template": { "spec": { "containers": [container] } } },
        "status": { "secretRef": { "name": "no-reference" } },
    })
}

fn verdict(merged: &Value) -> Verdict {
    judge().judge_merged(look(request(WEB, "merge-patch+json", COMMAND)).unwrap(), merged)
}

#[test]
fn what_changes_a_process_and_shows_a_part_alone_is_looked_at() {
    let looked = |path: &str, form: &str, body: &str| look(request(path, form, body)).is_some();
    for form in ["merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml"] {
        assert!(looked(WEB, form, COMMAND), "{form}");
    }
    let operations = r#"[{"op":"add","path":"/spec/template/spec/containers/0/args","value":["env"]}]"#;
    assert!(looked(WEB, "json-patch+json", operations));
    assert!(looked(WEB, "merge-patch+json", r#"{"spec":{"template":{"spec":{"serviceAccountName":"x"}}}}"#));
    assert!(looked(
        WEB,
        "merge-patch+json",
        r#"{"spec":{"template":{"spec":{"imagePullSecrets":[{"name":"x"}]}}}}"#
    ));
    let debug = r#"{"spec":{"ephemeralContainers":[{"name":"d","image":"a"}]}}"#;
    let pod = "/api/v1/namespaces/shop/pods/web-0/ephemeralcontainers";
    assert!(looked(pod, "strategic-merge-patch+json", debug));
    assert!(looked(pod, "json", debug), "the server takes no more of it than that");
    for (path, form, body) in [
        (WEB, "json", COMMAND),
        (WEB, "strategic-merge-patch+json", r#"{"spec":{"replicas":3}}"#),
        (
            WEB,
            "strategic-merge-patch+json",
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"b"}]}}}}"#,
        ),
        (WEB, "merge-patch+json", r#"{"metadata":{"labels":{"env":"prod"}}}"#),
        ("/api/v1/namespaces/shop/configmaps/a", "merge-patch+json", r#"{"data":{"env":"x"}}"#),
        ("/api/v1/namespaces/shop/secrets/a", "merge-patch+json", r#"{"data":{"env":"eA=="}}"#),
        (
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/a",
            "merge-patch+json",
            r#"{"spec":{"tls":[{"secretName":"x"}]}}"#,
        ),
        // Denied as it is.
        (
            WEB,
            "merge-patch+json",
            r#"{"spec":{"template":{"spec":{"volumes":[{"hostPath":{"path":"/"}}]}}}}"#,
        ),
    ] {
        assert!(!looked(path, form, body), "{path} {body}");
    }
}

#[test]
fn the_look_is_a_dry_run_that_says_what_it_is() {
    let look = look(request(WEB, "merge-patch+json", COMMAND)).unwrap();
    let permit = look.dry_run();
    assert!(permit.request().dry_run() && !look.request().dry_run());
    assert!(permit.decision().is_look());
    assert_eq!((permit.agent(), permit.cluster()), ("claude", "prod"));
    assert_eq!(permit.request().path_and_query(), format!("{WEB}?dryRun=All"));
    let told = serde_json::to_value(permit.decision()).unwrap();
    assert_eq!((&told["outcome"], &told["look"]), (&json!("allow"), &json!(true)));
}

#[test]
fn what_the_object_holds_decides() {
    let plain = json!({ "name": "web", "image": "a", "command": ["env"] });
    let Verdict::Allow(permit) = verdict(&merged("42", &plain)) else { panic!("not allowed") };
    let body = permit.request().body().unwrap().value();
    assert_eq!(body["metadata"]["resourceVersion"], "42");
    assert_eq!(body["spec"]["template"]["spec"]["containers"][0]["command"], json!(["env"]));
    assert!(!permit.request().dry_run() && !permit.decision().is_look());

    let given = json!({ "name": "web", "command": ["env"], "envFrom": [{ "secretRef": { "name": "db" } }] });
    let Verdict::Ask(ask) = verdict(&merged("42", &given)) else { panic!("not asked") };
    assert_eq!(ask.request().body().unwrap().value()["metadata"]["resourceVersion"], "42");
    assert_snapshot!(ask.message(), @r#"agent "claude" may not patch deployments.apps "web" in namespace "shop" of cluster "prod", which uses Secret "db" of namespace "shop" without approval: rule "uses-ask" (test.cedar): its log can show it; needs 1 of sre; no human approved within the hold time. Next: ask an approver, then send the same request again"#);

    let mut node = merged("42", &plain);
    node["spec"]["template"]["spec"]["volumes"] = json!([{ "hostPath": { "path": "/" } }]);
    assert!(matches!(verdict(&node), Verdict::Deny(_)));
}

#[test]
fn an_object_that_is_not_there_yet_is_bound_to_that() {
    let mut new = merged("", &json!({ "name": "web", "command": ["env"] }));
    new["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let Verdict::Allow(permit) = verdict(&new) else { panic!("not allowed") };
    assert_eq!(permit.request().body().unwrap().value()["metadata"]["resourceVersion"], "1");
}

/// Guessed ahead, it could be the version of an object that nobody has looked at.
#[test]
fn a_version_of_the_agents_own_has_to_be_the_one_that_was_looked_at() {
    let apply = |version: &str, seen: &str| {
        let mut body: Value = serde_json::from_str(COMMAND).unwrap();
        body["metadata"] = json!({ "name": "web", "resourceVersion": version });
        let look = look(request(WEB, "apply-patch+yaml", &body.to_string())).unwrap();
        assert!(
            look.dry_run().request().body().unwrap().value()["metadata"].get("resourceVersion").is_none()
        );
        judge().judge_merged(look, &merged(seen, &json!({ "name": "web", "command": ["env"] })))
    };
    assert!(matches!(apply("42", "42"), Verdict::Allow(_)));
    assert!(matches!(apply("43", "42"), Verdict::Deny(_)));
    assert!(matches!(apply("43", ""), Verdict::Deny(_)));
}

#[test]
fn what_is_not_that_object_is_denied() {
    let container = json!({ "name": "web" });
    let with = |key: &str, value: Value| {
        let mut object = merged("42", &container);
        object["metadata"][key] = value;
        object
    };
    let mut told = Vec::new();
    for answer in [
        json!(null),
        json!([]),
        json!({ "kind": "Status", "metadata": {}, "status": "Success" }),
        json!({ "kind": "Table", "metadata": { "resourceVersion": "42" }, "rows": [] }),
        with("name", json!("other")),
        with("namespace", json!("hr")),
        with("resourceVersion", json!(42)),
    ] {
        let Verdict::Deny(denial) = verdict(&answer) else { panic!("{answer}") };
        told.push(denial.message().to_owned());
    }
    told.dedup();
    assert_snapshot!(told.join("\n"), @r#"agent "claude" may not patch deployments.apps "web" in namespace "shop" of cluster "prod": what it makes of the object could not be seen. Next: send it without a `metadata.resourceVersion` of your own, or the whole object with `kubectl replace`"#);
}

/// Threat A6: every kind with a pod template, every form of reference, every way of writing.
#[test]
fn no_kind_form_or_method_hides_a_reference() {
    let env = json!([{ "name": "A", "valueFrom": { "secretKeyRef": { "name": "db", "key": "pw" } } }]);
    let volume = |source: Value| json!({ "volumes": [source] });
    let forms = [
        json!({ "containers": [{ "name": "c", "env": env }] }),
        json!({ "containers": [{ "name": "c", "envFrom": [{ "secretRef": { "name": "db" } }] }] }),
        json!({ "initContainers": [{ "name": "c", "env": env }] }),
        json!({ "ephemeralContainers": [{ "name": "c", "env": env }] }),
        volume(json!({ "name": "v", "secret": { "secretName": "db" } })),
        volume(json!({ "name": "v", "projected": { "sources": [{ "secret": { "name": "db" } }] } })),
        volume(json!({ "name": "v", "csi": { "driver": "d", "nodePublishSecretRef": { "name": "db" } } })),
        volume(json!({ "name": "v", "azureFile": { "secretName": "db" } })),
        json!({ "imagePullSecrets": [{ "name": "db" }] }),
    ];
    let kinds = [
        ("/api/v1", "pods", "/spec"),
        ("/api/v1", "podtemplates", "/template/spec"),
        ("/api/v1", "replicationcontrollers", "/spec/template/spec"),
        ("/apis/apps/v1", "deployments", "/spec/template/spec"),
        ("/apis/apps/v1", "daemonsets", "/spec/template/spec"),
        ("/apis/apps/v1", "statefulsets", "/spec/template/spec"),
        ("/apis/apps/v1", "replicasets", "/spec/template/spec"),
        ("/apis/batch/v1", "jobs", "/spec/template/spec"),
        ("/apis/batch/v1", "cronjobs", "/spec/jobTemplate/spec/template/spec"),
    ];
    let judge = judge();
    for (api, resource, place) in kinds {
        for spec in &forms {
            let mut object = place
                .rsplit('/')
                .filter(|key| !key.is_empty())
                .fold(spec.clone(), |value, key| json!({ key: value }));
            object["metadata"] = json!({ "name": "x", "namespace": "shop", "resourceVersion": "7" });
            let collection = format!("{api}/namespaces/shop/{resource}");
            let path = format!("{collection}/x");
            let whole = object.to_string();
            let operations = json!([{ "op": "add", "path": place, "value": spec }]).to_string();
            let create = {
                let builder =
                    http::Request::post(&collection).header(header::CONTENT_TYPE, "application/json");
                Head::parse(&builder.body(()).unwrap().into_parts().0)
                    .unwrap()
                    .with_body(whole.as_bytes())
                    .unwrap()
            };
            let writes = [
                create,
                request(&path, "json", &whole),
                request(&path, "merge-patch+json", &whole),
                request(&path, "strategic-merge-patch+json", &whole),
                request(&path, "apply-patch+yaml", &whole),
                request(&path, "json-patch+json", &operations),
            ];
            for write in writes {
                let told = format!("{} {resource} {spec}", write.verb());
                let verdict = match judge.judge(&WHO, "prod", write) {
                    Judgement::Verdict(verdict) => verdict,
                    Judgement::Look(look) => judge.judge_merged(look, &object),
                    Judgement::Pod(_) => panic!("no write is judged by a pod"),
                };
                assert_eq!(verdict.decision().outcome(), Outcome::Ask, "{told}");
                let Verdict::Ask(ask) = verdict else { panic!("{told}") };
                assert!(
                    ask.message().contains("Secret \"db\" of namespace \"shop\""),
                    "{told}: {}",
                    ask.message()
                );
            }
        }
    }
}

/// Any JSON, with keys that mean something among others.
fn answer() -> impl Strategy<Value = Value> {
    let key =
        prop_oneof!["metadata|name|namespace|resourceVersion|spec|secretRef|kind|volumes|env", "[a-z$]{1,4}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "web|shop|Secret|42|".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(3), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the server answers: a permit is for an object of that name, and has its version.
    #[test]
    fn no_answer_permits_what_it_does_not_show(answer in answer(), spec in answer()) {
        prop_assert!(matches!(verdict(&answer), Verdict::Deny(_)) || answer["metadata"]["name"] == "web");
        let mut object = merged("42", &json!({}));
        object["spec"] = spec;
        if let Verdict::Allow(permit) = verdict(&object) {
            prop_assert_eq!(&permit.request().body().unwrap().value()["metadata"]["resourceVersion"], "42");
        }
    }
}
