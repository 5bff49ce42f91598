use serde_json::{Value, json};

use super::*;
use crate::body::{Body, Form};
use crate::call::Object;

fn denied(
    verb: &str,
    kind: &str,
    namespace: &str,
    name: &str,
    body: Option<(&Value, Form)>,
) -> Option<&'static str> {
    let (kind, subresource) = kind.split_once('/').unwrap_or((kind, ""));
    let (resource, group) = kind.split_once('.').unwrap_or((kind, ""));
    let object = Object { group, resource, subresource, namespace, name };
    let body = body.map(|(value, form)| Body { value, form });
    let call = Call::on_object(verb, object, body, false);
    find(&call, &Own::default(), |_| false).map(FixedDenial::id)
}

/// Verb, kind, namespace, name, and the denial; `-` for none.
const TABLE_OF_CALLS: &str = "
    get nodes/proxy - n1 fixed/node-proxy
    create nodes/proxy - n1 fixed/node-proxy
    get pods/exec a p -
    create pods/exec a p -
    create pods/attach a p -
    create virtualmachines.kubevirt.io/exec a p fixed/streams
    create virtualmachines.kubevirt.io/attach a p fixed/streams
    create pods/portforward a p -
    create services/portforward a p fixed/streams
    get services/proxy a p fixed/streams
    get virtualmachines.kubevirt.io/portforward a p fixed/streams
    get virtualmachines.kubevirt.io/console a p fixed/unknown-subresource
    get pods/new a p fixed/unknown-subresource
    create deployments.apps/eviction a p fixed/unknown-subresource
    get pods/log a p -
    update widgets.example.com/status a p -
    create serviceaccounts/token a s fixed/service-account-tokens
    get serviceaccounts a s -
    create certificatesigningrequests.certificates.k8s.io - - fixed/certificates
    update certificatesigningrequests.certificates.k8s.io/approval - c fixed/certificates
    delete clustertrustbundles.certificates.k8s.io - c fixed/certificates
    list certificatesigningrequests.certificates.k8s.io - - -
    create tokenreviews.authentication.k8s.io - - fixed/token-reviews
    impersonate users - admin fixed/impersonation
    impersonate serviceaccounts a s fixed/impersonation
    get userextras.authentication.k8s.io/scopes - x fixed/unknown-subresource
    get groups - x fixed/impersonation
    create validatingadmissionpolicies.admissionregistration.k8s.io - - fixed/admission-policies
    patch validatingadmissionpolicybindings.admissionregistration.k8s.io - x fixed/admission-policies
    create mutatingadmissionpolicies.admissionregistration.k8s.io - - fixed/admission-policies
    delete mutatingadmissionpolicybindings.admissionregistration.k8s.io - x fixed/admission-policies
    update mutatingwebhookconfigurations.admissionregistration.k8s.io - x fixed/admission-webhooks
    deletecollection validatingwebhookconfigurations.admissionregistration.k8s.io - - fixed/admission-webhooks
    get validatingwebhookconfigurations.admissionregistration.k8s.io - x -
    create apiservices.apiregistration.k8s.io - - fixed/api-services
    update apiservices.apiregistration.k8s.io/status - x fixed/api-services
    delete deployments.apps portcullis gate fixed/own-objects
    create pods/eviction portcullis gate fixed/own-objects
    patch pods/ephemeralcontainers portcullis gate fixed/own-objects
    delete namespaces - portcullis fixed/own-objects
    delete namespaces portcullis portcullis fixed/own-objects
    get pods portcullis gate -
    use secrets portcullis key fixed/own-objects
    reveal secrets portcullis key fixed/own-objects
    use secrets shop sh.helm.release.v1.web.v1 -
    reveal secrets shop db -
    delete clusterroles.rbac.authorization.k8s.io - portcullis:gate fixed/own-objects
    deletecollection clusterroles.rbac.authorization.k8s.io - - fixed/own-objects
    deletecollection configmaps - - fixed/own-objects
    deletecollection configmaps shop - -
    deletecollection nodes - - -
    get clusterroles.rbac.authorization.k8s.io - portcullis:gate -
    delete secrets a sh.helm.release.v1.web.v1 fixed/helm-releases
    get secrets a sh.helm.release.v1.web.v1 -
    update configmaps a sh.helm.release.v1.web.v1 fixed/helm-releases
    get configmaps a sh.helm.release.v1.web.v1 -
    update configmaps a helm -
    update secrets kube-system bootstrap-token-abcdef fixed/token-secrets
    delete secrets kube-system bootstrap-token-abcdef -
";

#[test]
fn calls_without_a_body() {
    for line in TABLE_OF_CALLS.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> =
            line.split_whitespace().map(|word| if word == "-" { "" } else { word }).collect();
        let [verb, kind, namespace, name, expected] = words[..] else { panic!("{line}") };
        assert_eq!(denied(verb, kind, namespace, name, None).unwrap_or_default(), expected, "{line}");
    }
}

#[test]
fn paths() {
    let open = [
        "/api",
        "/api/",
        "/apis",
        "/api/v1",
        "/apis/apps",
        "/apis/apps/v1",
        "/version",
        "/version/",
        "/healthz",
        "/livez/ping",
        "/readyz",
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/apis/apps/v1",
    ];
    let closed = [
        "/",
        "/metrics",
        "/debug/pprof",
        "/debug/flags/v",
        "/logs/",
        "/logs",
        "/versions",
        "/healthzz",
        "/openapi",
        "/openapi/v2x",
        "/configz",
        "",
    ];
    let id = |path| find(&Call::on_endpoint("get", path), &Own::default(), |_| false).map(FixedDenial::id);
    for path in open {
        assert_eq!(id(path), None, "{path}");
    }
    for path in closed {
        assert_eq!(id(path), Some("fixed/paths"), "{path}");
    }
}

#[test]
fn bodies_of_secrets() {
    let sa = json!({ "metadata": { "name": "x" }, "type": "kubernetes.io/service-account-token" });
    let boot = json!({ "metadata": { "name": "x" }, "type": "bootstrap.kubernetes.io/token" });
    let helm = json!({ "metadata": { "name": "x" }, "type": "helm.sh/release.v1" });
    let opaque = json!({ "metadata": { "name": "x" }, "type": "Opaque", "stringData": { "type": "kubernetes.io/service-account-token" } });
    let named = json!({ "metadata": { "name": "bootstrap-token-abcdef" } });
    let create = |body: &Value| denied("create", "secrets", "a", "", Some((body, Form::Whole)));
    assert_eq!(create(&sa), Some("fixed/token-secrets"));
    assert_eq!(create(&boot), Some("fixed/token-secrets"));
    assert_eq!(create(&named), Some("fixed/token-secrets"));
    assert_eq!(create(&helm), Some("fixed/helm-releases"));
    assert_eq!(create(&opaque), None);
    let patch = |body: Value, form| denied("patch", "secrets", "a", "x", Some((&body, form)));
    assert_eq!(patch(sa.clone(), Form::Fragment), Some("fixed/token-secrets"));
    let op = |op: &str, path: &str, value: Value| json!([{ "op": op, "path": path, "value": value }]);
    let token = || json!("kubernetes.io/service-account-token");
    assert_eq!(patch(op("replace", "/type", token()), Form::JsonPatch), Some("fixed/token-secrets"));
    assert_eq!(patch(op("replace", "", sa), Form::JsonPatch), Some("fixed/token-secrets"));
    assert_eq!(patch(op("add", "/metadata/labels/type", token()), Form::JsonPatch), None);
    assert_eq!(patch(op("test", "/data/pw", json!("Zm9v")), Form::JsonPatch), Some("fixed/secret-test"));
    let copy = json!([{ "op": "copy", "from": "/data/pw", "path": "/metadata/annotations/x" }]);
    assert_eq!(patch(copy.clone(), Form::JsonPatch), Some("fixed/opaque-patch"));
    // Any object, any path, since what is copied cannot be told: a secret value could be copied to where it is shown.
    assert_eq!(
        denied("patch", "configmaps", "a", "x", Some((&copy, Form::JsonPatch))),
        Some("fixed/opaque-patch")
    );
    assert_eq!(
        denied("patch", "configmaps", "a", "x", Some((&op("test", "/data/a", json!("b")), Form::JsonPatch))),
        Some("fixed/secret-test")
    );
}

#[test]
fn patches_that_cannot_be_told() {
    let deep = format!("/{}", vec!["a"; 65].join("/"));
    let table = [
        json!({}),
        json!([1]),
        json!([{ "op": "add" }]),
        json!([{ "op": "add", "path": "/a" }]),
        json!([{ "op": "add", "path": "a/b", "value": 1 }]),
        json!([{ "op": "Add", "path": "/a", "value": 1 }]),
        json!([{ "op": "move", "from": "/a", "path": "/b" }]),
        json!([{ "op": "add", "path": deep, "value": 1 }]),
        json!([{ "op": "add", "path": "/spec/replicas", "value": 1 }, { "op": "replace", "path": "/spec/replicas", "value": 0 }]),
    ];
    for patch in table {
        let id = denied("patch", "deployments.apps", "a", "x", Some((&patch, Form::JsonPatch)));
        assert_eq!(id, Some("fixed/opaque-patch"), "{patch}");
    }
}

#[test]
fn roles_and_bindings() {
    let rbac = |verb: &str, kind: &str, body: &Value, form| {
        denied(verb, &format!("{kind}.rbac.authorization.k8s.io"), "a", "mine", Some((body, form)))
    };
    for verb in ["impersonate", "escalate", "bind", "*"] {
        let role = json!({ "rules": [{ "verbs": ["get", verb], "resources": ["*"] }] });
        assert_eq!(rbac("create", "clusterroles", &role, Form::Whole), Some("fixed/impersonation"), "{verb}");
        assert_eq!(rbac("patch", "roles", &role, Form::Fragment), Some("fixed/impersonation"), "{verb}");
        let patch = json!([{ "op": "add", "path": "/rules/0/verbs/-", "value": verb }]);
        assert_eq!(rbac("patch", "roles", &patch, Form::JsonPatch), Some("fixed/impersonation"), "{verb}");
    }
    let plain = json!({ "rules": [{ "verbs": ["get"], "apiGroups": ["*"], "resources": ["*"] }] });
    assert_eq!(rbac("create", "clusterroles", &plain, Form::Whole), None);
    let binding =
        json!({ "roleRef": { "name": "portcullis:masked-reader" }, "subjects": [{ "name": "me" }] });
    assert_eq!(rbac("create", "clusterrolebindings", &binding, Form::Whole), Some("fixed/own-objects"));
    let subject = json!({ "subjects": [{ "name": "portcullis:agent:claude" }] });
    assert_eq!(rbac("patch", "rolebindings", &subject, Form::Fragment), Some("fixed/own-objects"));
}

#[test]
fn conversion_webhooks() {
    let crd = |verb: &str, body: Value, form| {
        denied(verb, "customresourcedefinitions.apiextensions.k8s.io", "", "x", Some((&body, form)))
    };
    let with = |conversion: Value| json!({ "spec": { "group": "a", "conversion": conversion } });
    let webhook = Some("fixed/conversion-webhooks");
    assert_eq!(crd("create", with(json!({ "strategy": "Webhook" })), Form::Whole), webhook);
    assert_eq!(crd("create", with(json!({ "strategy": "None" })), Form::Whole), None);
    assert_eq!(crd("create", json!({ "spec": { "group": "a" } }), Form::Whole), None);
    assert_eq!(crd("patch", with(json!(null)), Form::Fragment), webhook);
    assert_eq!(
        crd(
            "patch",
            json!([{ "op": "add", "path": "/spec/conversion/strategy", "value": "Webhook" }]),
            Form::JsonPatch
        ),
        webhook
    );
    assert_eq!(
        crd(
            "patch",
            json!([{ "op": "replace", "path": "/spec", "value": with(json!({}))["spec"] }]),
            Form::JsonPatch
        ),
        webhook
    );
    assert_eq!(crd("patch", json!([{ "op": "remove", "path": "/spec" }]), Form::JsonPatch), webhook);
    assert_eq!(
        crd("patch", json!([{ "op": "add", "path": "/spec/group", "value": "b" }]), Form::JsonPatch),
        None
    );
}

#[test]
fn unsafe_deletes() {
    let key = "ignoreStoreReadErrorWithClusterBreakingPotential";
    let delete = |body: Value| denied("delete", "configmaps", "a", "x", Some((&body, Form::Whole)));
    assert_eq!(delete(json!({ key: true })), Some("fixed/unsafe-delete"));
    assert_eq!(delete(json!({ key: false })), None);
    let evict = json!({ "deleteOptions": { key: true } });
    assert_eq!(
        denied("create", "pods/eviction", "a", "x", Some((&evict, Form::Whole))),
        Some("fixed/unsafe-delete")
    );
}

#[test]
fn ids_are_distinct_and_texts_are_whole() {
    let mut ids: Vec<&str> = fixed_denials().iter().map(FixedDenial::id).collect();
    assert!(ids.iter().all(|id| id.starts_with("fixed/")));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), fixed_denials().len());
}

fn denied_request(line: &str, content: &str, body: &str) -> &'static str {
    let (method, uri) = line.split_once(' ').unwrap();
    let builder = http::Request::builder().method(method).uri(uri).header("content-type", content);
    let (parts, ()) = builder.body(()).unwrap().into_parts();
    let request = kube_api::Head::parse(&parts).unwrap().with_body(body.as_bytes()).unwrap();
    let denial = find(&crate::request::call_of(&request), &Own::default(), |_| false);
    denial.map(FixedDenial::id).unwrap_or_default()
}

#[test]
fn an_apply_that_yields_compares_secrets() {
    let apply = |path: &str| denied_request(&format!("PATCH {path}"), "application/apply-patch+yaml", "{}");
    let db = "/api/v1/namespaces/a/secrets/db?fieldManager=me";
    assert_eq!(apply(db), "fixed/secret-apply");
    assert_eq!(apply(&format!("{db}&force=false")), "fixed/secret-apply");
    assert_eq!(apply(&format!("{db}&dryRun=All")), "fixed/secret-apply");
    assert_eq!(apply(&format!("{db}&force=true")), "");
    assert_eq!(apply("/api/v1/namespaces/a/configmaps/db?fieldManager=me"), "");
    assert_eq!(denied_request(&format!("PATCH {db}"), "application/merge-patch+json", "{}"), "");
}

#[test]
fn a_test_asks_nothing_that_may_be_masked() {
    let test = |resource: &str, path: &str| {
        let body = json!([{ "op": "test", "path": path, "value": "guess" }]).to_string();
        denied_request(&format!("PATCH {resource}/x"), "application/json-patch+json", &body)
    };
    let deployments = "/apis/apps/v1/namespaces/a/deployments";
    for path in [
        "",
        "/spec",
        "/spec/template/spec/containers/0/env/0/value",
        "/metadata",
        "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
        "/data/release",
        "/status/message",
    ] {
        assert_eq!(test(deployments, path), "fixed/secret-test", "{path}");
    }
    for path in [
        "/metadata/resourceVersion",
        "/metadata/uid",
        "/metadata/finalizers/0",
        "/metadata/labels/a",
        "/spec/replicas",
    ] {
        assert_eq!(test(deployments, path), "", "{path}");
        assert_eq!(test("/api/v1/namespaces/a/secrets", path), "fixed/secret-test", "{path}");
    }
}

#[test]
fn custom_resources_are_selected_by_name_only() {
    let select = |path: &str, selector: &str| {
        let selector = selector.replace('=', "%3D").replace(',', "%2C");
        denied_request(&format!("{path}?fieldSelector={selector}"), "", "")
    };
    let widgets = "GET /apis/example.com/v1/namespaces/a/widgets";
    for selector in ["spec.token=x", "spec.token!=x", "metadata.name=a,spec.token==x", "status.phase=Ready"] {
        assert_eq!(select(widgets, selector), "fixed/selectors", "{selector}");
    }
    assert_eq!(select("GET /apis/snapshot.storage.k8s.io/v1/volumesnapshots", "spec.x=y"), "fixed/selectors");
    assert_eq!(select("DELETE /apis/example.com/v1/namespaces/a/widgets", "spec.token=x"), "fixed/selectors");
    for (path, selector) in [
        (widgets, "metadata.name=a"),
        (widgets, "metadata.name!=a,metadata.namespace=b"),
        (widgets, ""),
        ("GET /api/v1/pods", "spec.nodeName=n1,status.phase!=Running"),
        ("GET /api/v1/events", "involvedObject.name=a"),
        ("GET /apis/batch/v1/jobs", "status.successful=1"),
        ("GET /api/v1/secrets", "type=Opaque"),
    ] {
        assert_eq!(select(path, selector), "", "{path} {selector}");
    }
}

/// The table in docs/policy.md, as it must be.
fn documented() -> String {
    let row = |denial: &FixedDenial| {
        format!(
            "| `{}` | {} | {} | {} |",
            denial.id,
            denial.what,
            denial.reason,
            denial.cost.unwrap_or("cannot be lifted")
        )
    };
    let rows: Vec<String> = fixed_denials().iter().map(row).collect();
    format!("| id | denied | because | cost of lifting |\n|---|---|---|---|\n{}\n", rows.join("\n"))
}

#[test]
fn the_documentation_lists_every_denial() {
    let docs = include_str!("../../../../docs/policy.md");
    assert!(docs.contains(&documented()), "docs/policy.md should hold this table:\n{}", documented());
}
