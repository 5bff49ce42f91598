use http::Request as HttpRequest;
use insta::assert_snapshot;
use kube_api::Head;
use serde_json::{Value, json};

use super::*;
use crate::bundle::{Bundle, Source};
use crate::look::Judgement;
use crate::settings::{Own, Settings};

/// Where the cluster's is reached.
const API_SERVER: u16 = 9443;

const WHO: Principal<'_> = Principal { agent: "claude", groups: &[] };

const RULES: &str = r#"
@id("web") permit (principal, action == Action::"portforward", resource in Namespace::"prod/shop")
when { context.labels.contains("app=web") && context.port >= 8000 && context.port < 8010 };
@id("database") permit (principal, action == Action::"portforward", resource in Namespace::"prod/shop")
when { context.labels.contains("app=database") && [5432].contains(context.port) };
@id("database-asks") @reason("it is the customers'") @outcome("approval") @approvers("sre")
forbid (principal, action == Action::"portforward", resource is Object)
when { context.port == 5432 } unless { context.approved };
@id("no-debugger") @reason("it stops the shop")
forbid (principal, action == Action::"portforward", resource is Object) when { context.port == 8005 };
@id("nodes") permit (principal, action == Action::"portforward", resource in Namespace::"prod/nodes");
"#;

fn judge(rules: &str) -> Judge {
    let source = Source { name: "test.cedar".to_owned(), text: rules.to_owned() };
    Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default())
}

fn request(namespace: &str, query: &str) -> Request {
    let target = format!("/api/v1/namespaces/{namespace}/pods/web/portforward{query}");
    let (parts, ()) = HttpRequest::post(target).body(()).unwrap().into_parts();
    Head::parse(&parts).unwrap().with_body(b"").unwrap()
}

fn look(judge: &Judge, request: Request) -> Result<PodLook, String> {
    match judge.judge(&WHO, "prod", request) {
        Judgement::Pod(look) => Ok(look),
        Judgement::Verdict(Verdict::Deny(denial)) => Err(denial.message().to_owned()),
        other => panic!("{other:?}"),
    }
}

fn labelled(label: &str) -> Value {
    json!({ "metadata": { "labels": { "app": label } } })
}

fn told(judge: &Judge, namespace: &str, query: &str, pod: &Value) -> String {
    let look = match look(judge, request(namespace, query)) {
        Ok(look) => look,
        Err(denied) => return denied,
    };
    match judge.judge_pod(look, &Pod::of(pod), API_SERVER) {
        Verdict::Allow(permit) => {
            let rules: Vec<&str> = permit.decision().rules().iter().map(|rule| rule.id()).collect();
            format!("permitted by {}", rules.join(", "))
        }
        Verdict::Ask(ask) => ask.message().to_owned(),
        Verdict::Deny(denial) => denial.message().to_owned(),
    }
}

#[test]
fn connections_are_permitted_by_label_and_port() {
    let judge = judge(RULES);
    let host =
        json!({ "spec": { "hostNetwork": true, "containers": [{ "ports": [{ "containerPort": 9100 }] }] } });
    let told = [
        ("shop", "", labelled("web")),
        ("shop", "?ports=8000", labelled("web")),
        ("shop", "?ports=8009", labelled("web")),
        ("shop", "?ports=8010", labelled("web")),
        ("shop", "?ports=8005", labelled("web")),
        ("shop", "?ports=22&ports=8001", labelled("web")),
        ("shop", "", labelled("database")),
        ("shop", "?ports=5432", labelled("database")),
        ("shop", "?ports=8000", labelled("database")),
        ("shop", "", labelled("other")),
        ("shop", "", Value::Null),
        ("other", "", labelled("web")),
        ("nodes", "", host.clone()),
        ("nodes", "?ports=9100", host),
        ("nodes", "", labelled("web")),
        ("nodes", "", labelled("kube-apiserver")),
    ]
    .map(|(namespace, query, pod)| {
        let label = pod.pointer("/metadata/labels/app").and_then(Value::as_str).unwrap_or("-");
        format!("{namespace}/{label}{query}: {}", told(&judge, namespace, query, &pod))
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_node_is_reached_where_the_operator_lifts_that() {
    let lifting = |ids: &[&str]| {
        let source = Source { name: "test.cedar".to_owned(), text: RULES.to_owned() };
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let settings = Settings::new(Own::default(), [("prod".to_owned(), ids)].into()).unwrap();
        Judge::new(Bundle::compile(&[source]).unwrap(), settings)
    };
    let judge = lifting(&["fixed/node-ports"]);
    let host = json!({ "spec": { "hostNetwork": true } });
    assert_eq!(told(&judge, "nodes", "?ports=9100", &host), "permitted by nodes");
    // Whatever the pod is: the API server listens on its node.
    let known = [API_SERVER, 6443, 6444, 7443, 7445, 8443, 16443].map(|port| format!("?ports={port}"));
    for query in known.iter().map(String::as_str).chain(["?ports=6443&ports=8443"]) {
        let told = told(&judge, "nodes", query, &host);
        assert!(told.contains("fixed/node-api-server"), "{query}: {told}");
    }
    assert_eq!(told(&judge, "nodes", "", &host), "permitted by nodes");
    assert_eq!(told(&judge, "nodes", "?ports=6443&ports=9100", &host), "permitted by nodes");
    assert_eq!(told(&judge, "nodes", "?ports=6443", &json!({})), "permitted by nodes");
    let both = lifting(&["fixed/node-ports", "fixed/node-api-server"]);
    assert_eq!(told(&both, "nodes", "?ports=6443", &host), "permitted by nodes");
    let server =
        json!({ "metadata": { "labels": { "a": "kube-apiserver" } }, "spec": { "hostNetwork": true } });
    assert!(told(&judge, "nodes", "", &server).contains("fixed/api-server-port"));
}

/// Whoever may write pods decides how many labels they have and ports they declare.
#[test]
fn a_pod_does_not_make_judging_it_long() {
    let judge = judge(&many_ports(60));
    let pod = |labels: u32| {
        let labels: serde_json::Map<String, Value> =
            (0..labels).map(|n| (format!("l{n}"), Value::from(""))).collect();
        let ports: Vec<Value> = (1..=9_000).map(|port| json!({ "containerPort": port })).collect();
        json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "ports": ports }] } })
    };
    assert_eq!(told(&judge, "shop", "", &pod(100)), "permitted by many");
    assert_snapshot!(told(&judge, "shop", "", &pod(20_000)), @r#"agent "claude" may not create pods/portforward "web" in namespace "shop" of cluster "prod": its pod has more labels than can be judged. Next: forward to a pod with fewer labels"#);
    let slice = judge.slice(&WHO);
    let request = request("shop", "");
    let call = call_of(&request).reaching(&Pod::of(&pod(1)), None);
    assert_eq!(ports_to_try(&slice, &call).len(), 3 * 60 + 1);
}

/// The pod is not looked at for who may not forward anything, whatever it is.
#[test]
fn without_a_rule_it_is_denied_at_once() {
    let judge = judge("@id(\"reads\") permit (principal, action in Action::\"read\", resource);");
    assert_snapshot!(look(&judge, request("shop", "")).unwrap_err());
}

/// What the numbers of the rules do not tell is not tried: it is denied, though there is a port.
#[test]
fn a_port_that_is_not_found_is_not_permitted() {
    let judge = judge(
        "@id(\"even\") permit (principal, action == Action::\"portforward\", resource is Object) when { context.port * 2 == 160 };",
    );
    let message = told(&judge, "shop", "", &Value::Null);
    assert!(message.contains("no rule permits it"), "{message}");
    assert_eq!(told(&judge, "shop", "?ports=80", &Value::Null), "permitted by even");
}

fn many_ports(ports: u16) -> String {
    let ports: Vec<String> = (1..=ports).map(|n| (n * 10).to_string()).collect();
    format!(
        "@id(\"many\") permit (principal, action == Action::\"portforward\", resource is Object) when {{ [{}].contains(context.port) }};",
        ports.join(", ")
    )
}

#[test]
fn so_many_ports_are_told_apart() {
    let compile =
        |ports| Bundle::compile(&[Source { name: "test.cedar".to_owned(), text: many_ports(ports) }]);
    assert!(compile(60).is_ok());
    assert_snapshot!(compile(100).unwrap_err().to_string());
}
