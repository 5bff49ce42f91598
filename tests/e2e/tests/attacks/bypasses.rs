//! Ways round the gate: what would have the API server, a controller or a credential give out what the gate withholds.

mod cel;
pub(crate) mod guarded;
mod rights;
mod webhooks;

use e2e::permissive;
use serde_json::{Value, json};

use crate::{
    case::{
        Case,
        Control::{Leaks, Says, Takes},
        Gated::{Masked, Refused},
        JSON, MERGE, case, rows_of,
    },
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    [rows_of(&never()), guarded::rows(), cel::rows(), rights::rows(), webhooks::rows()].concat()
}

const EXEC: &[&str] = &[
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: v5.channel.k8s.io",
];

/// What no policy can permit.
fn never() -> Vec<Case> {
    [off_path(), credentials(), streams()].concat()
}

/// The API server would create it.
fn created(row: &'static str, line: String, body: String, rule: &'static str) -> Case {
    case(row, line, &[JSON], body, Takes(201), Refused(403, rule))
}

/// A5: what has the API server send whole objects elsewhere, or put them into words.
fn off_path() -> Vec<Case> {
    let registration =
        |resource: &str| format!("POST /apis/admissionregistration.k8s.io/v1/{resource}?dryRun=All");
    let hook = |kind: &str| {
        format!(
            r#"{{"apiVersion":"admissionregistration.k8s.io/v1","kind":"{kind}","metadata":{{"name":"spy"}},"webhooks":[{{"name":"a.example.com","admissionReviewVersions":["v1"],"sideEffects":"None","clientConfig":{{"url":"https://example.com/"}},"rules":[{{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],"resources":["secrets"]}}]}}]}}"#
        )
    };
    let of = |kind: &str, spec: &str| {
        format!(
            r#"{{"apiVersion":"admissionregistration.k8s.io/v1","kind":"{kind}","metadata":{{"name":"spy"}},"spec":{spec}}}"#
        )
    };
    let binding = r#"{"policyName":"spy","validationActions":["Warn"]}"#;
    let mutating = r#"{"policyName":"spy"}"#;
    vec![
        created("A5", registration("validatingadmissionpolicies"), of("ValidatingAdmissionPolicy", cel::SPEC), "fixed/admission-policies"),
        created("A5", registration("validatingadmissionpolicybindings"), of("ValidatingAdmissionPolicyBinding", binding), "fixed/admission-policies"),
        created("A5", registration("mutatingadmissionpolicies"), of("MutatingAdmissionPolicy", cel::COPYING), "fixed/admission-policies"),
        created("A5", registration("mutatingadmissionpolicybindings"), of("MutatingAdmissionPolicyBinding", mutating), "fixed/admission-policies"),
        created("A5", registration("validatingwebhookconfigurations"), hook("ValidatingWebhookConfiguration"), "fixed/admission-webhooks"),
        created("A5", registration("mutatingwebhookconfigurations"), hook("MutatingWebhookConfiguration"), "fixed/admission-webhooks"),
        created(
            "A5",
            "POST /apis/apiregistration.k8s.io/v1/apiservices?dryRun=All".to_owned(),
            r#"{"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1.spy.example.com"},"spec":{"group":"spy.example.com","version":"v1","groupPriorityMinimum":1,"versionPriority":1,"insecureSkipTLSVerify":true,"service":{"name":"spy","namespace":"NS"}}}"#.to_owned(),
            "fixed/api-services",
        ),
        created(
            "A5",
            "POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All".to_owned(),
            r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"spies.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"kind":"Spy","plural":"spies"},"conversion":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":{"url":"https://example.com/"}}},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}"#.to_owned(),
            "fixed/conversion-webhooks",
        ),
    ]
}

/// A9: what is as good as a credential.
fn credentials() -> Vec<Case> {
    let token = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}"#;
    let secret = |kind: &str, name: &str, more: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"{name}"{more}}},"type":"{kind}"}}"#
        )
    };
    let account = r#","annotations":{"kubernetes.io/service-account.name":"default"}"#;
    let secrets = || "POST /api/v1/namespaces/NS/secrets?dryRun=All".to_owned();
    vec![
        case(
            "A9",
            "POST /api/v1/namespaces/NS/serviceaccounts/default/token",
            &[JSON],
            token,
            Says(201, r#""token":"ey"#),
            Refused(403, "fixed/service-account-tokens"),
        ),
        created(
            "A9",
            secrets(),
            secret("kubernetes.io/service-account-token", "t", account),
            "fixed/token-secrets",
        ),
        created(
            "A9",
            "POST /api/v1/namespaces/kube-system/secrets?dryRun=All".to_owned(),
            secret("bootstrap.kubernetes.io/token", "bootstrap-token-abcdef", ""),
            "fixed/token-secrets",
        ),
        created(
            "A9",
            "POST /apis/authentication.k8s.io/v1/tokenreviews".to_owned(),
            r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"CANARY"}}"#
                .to_owned(),
            "fixed/token-reviews",
        ),
        created(
            "A9",
            "POST /apis/certificates.k8s.io/v1/certificatesigningrequests?dryRun=All".to_owned(),
            rights::signing_request(),
            "fixed/certificates",
        ),
        // Who approves one has a certificate made of it.
        case(
            "A9",
            "PUT /apis/certificates.k8s.io/v1/certificatesigningrequests/NS/approval?dryRun=All",
            &[JSON],
            rights::approved(),
            Says(200, r#""type":"Approved""#),
            Refused(403, "fixed/certificates"),
        ),
        case(
            "A9",
            "PATCH /apis/certificates.k8s.io/v1/certificatesigningrequests/NS/approval?dryRun=All",
            &[MERGE],
            rights::approved(),
            Says(200, r#""type":"Approved""#),
            Refused(403, "fixed/certificates"),
        ),
        case(
            "A9",
            "GET /api/v1/namespaces/NS/secrets/database",
            &["Impersonate-User: kubernetes-admin", "Impersonate-Group: system:masters"],
            "",
            Leaks,
            Refused(400, "impersonate-"),
        ),
    ]
}

/// C8: what runs commands or reaches through.
fn streams() -> Vec<Case> {
    let node = |method: &str, path: &str, headers: &[&'static str], gated| {
        let line = format!("{method} /api/v1/nodes/localhost/proxy/{path}");
        case("C8", line, headers, "", Says(400, "address not allowed"), gated)
    };
    let denied = Refused(403, "fixed/node-proxy");
    let proxy = |method: &str, path: &str, status, says| {
        let line = format!("{method} /api/v1/namespaces/NS/{path}");
        case("C8", line, &[], "", Says(status, says), Refused(403, "fixed/streams"))
    };
    let exec = "pods/web/exec?command=printenv&command=PASSWORD&stdout=true";
    vec![
        case(
            "C8",
            format!("GET /api/v1/namespaces/NS/{exec}"),
            EXEC,
            "",
            Leaks,
            // This policy permits everything; what is known is masked on its way.
            Masked(101),
        ),
        case(
            "C8",
            format!("GET /api/v1/namespaces/NS/{exec}"),
            &[],
            "",
            Takes(400),
            Refused(400, "this has to be an upgrade"),
        ),
        case(
            "C8",
            "GET /api/v1/namespaces/NS/pods/web/attach?stdout=true",
            &[],
            "",
            Takes(400),
            Refused(400, "this has to be an upgrade"),
        ),
        // The API server permits these and then finds the test's node on an address that it does not dial.
        node("GET", "pods", &[], denied),
        node("POST", "run/NS/web/web", &[], denied),
        node("POST", "run/NS/web/web?cmd=printenv", &[], Refused(400, "query parameter `cmd`")),
        node("GET", "exec/NS/web/web", &[], denied),
        node(
            "GET",
            "exec/NS/web/web?command=printenv&output=1",
            EXEC,
            Refused(400, "an upgrade is not possible"),
        ),
        node("POST", "checkpoint/NS/web/web", &[], denied),
        proxy("GET", "pods/absent/proxy", 404, "not found"),
        // To where nothing runs: the API server looks for it.
        proxy("GET", "services/absent/proxy", 503, "no endpoints available"),
        proxy("GET", "services/web/proxy", 503, "no endpoints available"),
        proxy("GET", "services/web/proxy/metrics", 503, "no endpoints available"),
        proxy("POST", "services/http:web:80/proxy/login", 503, "no endpoints available"),
    ]
}

/// Whose settings tell a literal value, so that running something in it shows one.
fn web() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{
            "name": "web", "image": "busybox", "command": ["sh", "-c", "while true; do sleep 1; done"],
            "env": [{"name": "PASSWORD", "value": "CANARY"}],
        }]},
    })
}

#[test]
fn what_no_policy_can_permit_is_refused() -> anyhow::Result<()> {
    let world = World::new("never", &permissive())?;
    world.make("/api/v1/namespaces/NS/pods", &web())?;
    let port = json!({"name": "http", "port": 80});
    world.make("/api/v1/namespaces/NS/services", &json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [port]}}))?;
    let mut request: Value = serde_json::from_str(&rights::signing_request())?;
    request["metadata"]["name"] = json!("NS");
    world.make("/apis/certificates.k8s.io/v1/certificatesigningrequests", &request)?;
    for namespace in &world.namespaces {
        world.wait_in(namespace, "condition=Ready", &["pod/web"])?;
    }
    world.try_all(&never())
}
