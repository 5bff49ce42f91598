//! Ways round the gate: what would have the API server, a controller or a credential give out what the gate withholds.

mod cel;
mod rights;

use std::sync::LazyLock;

use e2e::permissive;
use serde_json::json;
use testkit::Options;

use crate::{
    case::{
        APPLY, Case,
        Control::{Leaks, Says, Takes},
        Gated::{Plain, Refused},
        JSON, MERGE, STRATEGIC, case, rows_of,
    },
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    [rows_of(&never()), rows_of(&guarded()), cel::rows(), rights::rows()].concat()
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
    let copying = r#"{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["UPDATE"],"resources":["secrets"]}]},"reinvocationPolicy":"Never","mutations":[{"patchType":"ApplyConfiguration","applyConfiguration":{"expression":"Object{metadata: Object.metadata{annotations: {\"x\": oldObject.data.password}}}"}}]}"#;
    let mutating = r#"{"policyName":"spy"}"#;
    vec![
        created("A5", registration("validatingadmissionpolicies"), of("ValidatingAdmissionPolicy", cel::SPEC), "fixed/admission-policies"),
        created("A5", registration("validatingadmissionpolicybindings"), of("ValidatingAdmissionPolicyBinding", binding), "fixed/admission-policies"),
        created("A5", registration("mutatingadmissionpolicies"), of("MutatingAdmissionPolicy", copying), "fixed/admission-policies"),
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
    let exec = "pods/web/exec?command=printenv&command=PASSWORD&stdout=true";
    vec![
        case(
            "C8",
            format!("GET /api/v1/namespaces/NS/{exec}"),
            EXEC,
            "",
            Leaks,
            Refused(403, "fixed/streams"),
        ),
        case(
            "C8",
            format!("GET /api/v1/namespaces/NS/{exec}"),
            &[],
            "",
            Takes(400),
            Refused(403, "fixed/streams"),
        ),
        case(
            "C8",
            "GET /api/v1/namespaces/NS/pods/web/attach?stdout=true",
            &[],
            "",
            Takes(400),
            Refused(403, "fixed/streams"),
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
        case(
            "C8",
            "GET /api/v1/namespaces/NS/pods/absent/proxy",
            &[],
            "",
            Takes(404),
            Refused(403, "fixed/streams"),
        ),
    ]
}

/// Controllers that fetch, copy or hand out secrets for whoever writes their objects.
const DEPUTIES: &[(&str, &str, &str)] = &[
    ("external-secrets.io", "externalsecrets", "ExternalSecret"),
    ("external-secrets.io", "pushsecrets", "PushSecret"),
    ("kustomize.toolkit.fluxcd.io", "kustomizations", "Kustomization"),
    ("argoproj.io", "applications", "Application"),
    ("kyverno.io", "policies", "Policy"),
    ("helm.cattle.io", "helmcharts", "HelmChart"),
    ("cert-manager.io", "certificates", "Certificate"),
    ("unheard-of.example.com", "widgets", "Widget"),
];

/// Definitions of those kinds that take anything, as JSON.
fn definitions() -> Vec<serde_json::Value> {
    let one = |&(group, plural, kind): &(&str, &str, &str)| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("{plural}.{group}")},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural}, "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }]},
        })
    };
    DEPUTIES.iter().map(one).collect()
}

/// What the bundle `developer` keeps from agents.
fn guarded() -> Vec<Case> {
    [deputies(), beyond(), grants()].concat()
}

const SETTINGS: &str = "PATCH /api/v1/namespaces/NS/configmaps/settings?dryRun=All";

/// A8: objects and annotations with which somebody else reads Secrets.
fn deputies() -> Vec<Case> {
    let mut all: Vec<Case> = DEPUTIES
        .iter()
        .map(|(group, plural, kind)| {
            let body = format!(
                r#"{{"apiVersion":"{group}/v1","kind":"{kind}","metadata":{{"name":"x"}},"spec":{{}}}}"#
            );
            let line = format!("POST /apis/{group}/v1/namespaces/NS/{plural}?dryRun=All");
            case("A8", line, &[JSON], body, Takes(201), Refused(403, "may not create"))
        })
        .collect();
    let annotated = |key: &str| format!(r#"{{"metadata":{{"annotations":{{"{key}":"NS/database"}}}}}}"#);
    for key in [
        "replicator.v1.mittwald.de/replicate-from",
        "reflector.v1.k8s.emberstack.com/reflects",
        "vault.hashicorp.com/agent-inject",
        "cert-manager.io/issuer",
    ] {
        all.push(case(
            "A8",
            SETTINGS,
            &[MERGE],
            annotated(key),
            Takes(200),
            Refused(403, "deputy-annotations-ask"),
        ));
    }
    let volume = r#"{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"p"},"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"csi":{"driver":"d","volumeHandle":"h","nodePublishSecretRef":{"name":"database","namespace":"NS"}}}}"#;
    let azure = r#"{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"p"},"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"azureFile":{"shareName":"s","secretName":"database","secretNamespace":"NS"}}}"#;
    all.extend([volume, azure].map(|body| {
        let line = "POST /api/v1/persistentvolumes?dryRun=All";
        case("A8", line, &[JSON], body, Takes(201), Refused(403, "may not create"))
    }));
    all
}

/// D7: what a patch does beyond what its name says.
fn beyond() -> Vec<Case> {
    let apply = |resource: &str| format!("PATCH {resource}?dryRun=All&fieldManager=x");
    let web = "PATCH /apis/apps/v1/namespaces/NS/deployments/web?dryRun=All";
    let holds = "PATCH /apis/apps/v1/namespaces/NS/deployments/holds?dryRun=All";
    let template = |spec: &str| format!(r#"{{"spec":{{"template":{{"spec":{spec}}}}}}}"#);
    vec![
        case(
            "D7",
            apply("/api/v1/namespaces/NS/secrets/made"),
            &[APPLY],
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"made"},"data":{}}"#,
            Takes(201),
            Refused(403, "fixed/secret-apply"),
        ),
        case(
            "D7",
            apply("/api/v1/namespaces/kube-made"),
            &[APPLY],
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-made}\n",
            Takes(201),
            Refused(403, "system-namespaces"),
        ),
        case(
            "D7",
            apply("/api/v1/namespaces/NS/pods/made"),
            &[APPLY],
            "apiVersion: v1\nkind: Pod\nmetadata: {name: made}\nspec:\n  containers:\n  - {name: c, image: a, securityContext: {privileged: true}}\n",
            Takes(201),
            Refused(403, "no-privileged"),
        ),
        case(
            "D7",
            web,
            &[STRATEGIC],
            template(
                r#"{"$patch":"replace","containers":[{"name":"web","image":"busybox","envFrom":[{"secretRef":{"name":"database"}}]}]}"#,
            ),
            Says(200, "secretRef"),
            Refused(403, "may not patch"),
        ),
        case(
            "D7",
            web,
            &[STRATEGIC],
            template(r#"{"volumes":[{"$patch":"replace"},{"name":"v","secret":{"secretName":"database"}}]}"#),
            Says(200, "secretName"),
            Refused(403, "may not patch"),
        ),
        case(
            "D7",
            web,
            &[STRATEGIC],
            template(
                r#"{"volumes":[{"$retainKeys":["name","secret"],"name":"scratch","secret":{"secretName":"database"}}]}"#,
            ),
            Says(200, "secretName"),
            Refused(403, "may not patch"),
        ),
        // Whether a new command shows a Secret is told by the object alone.
        case(
            "D7",
            web,
            &[STRATEGIC],
            template(r#"{"containers":[{"name":"web","command":null,"args":["-c","env"]}]}"#),
            Says(200, r#""args""#),
            Plain(200, r#""args""#),
        ),
        case(
            "D7",
            holds,
            &[STRATEGIC],
            template(r#"{"containers":[{"name":"web","command":null,"args":["-c","env"]}]}"#),
            Says(200, "secretRef"),
            Refused(403, "secret-references-ask"),
        ),
        case(
            "D7",
            web,
            &[MERGE],
            template(
                r#"{"containers":[{"name":"web","image":"busybox","env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"database","key":"password"}}}]}]}"#,
            ),
            Says(200, "secretKeyRef"),
            Refused(403, "may not patch"),
        ),
        // A harmless one passes, so that the others are not refused for nothing.
        case(
            "D7",
            SETTINGS,
            &[MERGE],
            r#"{"data":{"colour":"blue"}}"#,
            Takes(200),
            Plain(200, r#""colour":"blue""#),
        ),
    ]
}

/// D5: whoever may bind can give itself what the gate withholds.
fn grants() -> Vec<Case> {
    vec![
        case(
            "D5",
            "POST /apis/rbac.authorization.k8s.io/v1/namespaces/NS/roles?dryRun=All",
            &[JSON],
            rights::ROLE,
            Takes(201),
            Refused(403, "no-rbac"),
        ),
        case(
            "D5",
            "POST /apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings?dryRun=All",
            &[JSON],
            rights::BINDING,
            Takes(201),
            Refused(403, "no-rbac"),
        ),
        case(
            "D5",
            "PATCH /apis/rbac.authorization.k8s.io/v1/clusterroles/view?dryRun=All",
            &[MERGE],
            r#"{"metadata":{"labels":{"rbac.authorization.k8s.io/aggregate-to-edit":"true"}}}"#,
            Takes(200),
            Refused(403, "no-rbac"),
        ),
    ]
}

/// Whose settings tell a literal value, so that running something in it shows one.
fn web() -> serde_json::Value {
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
    for namespace in &world.namespaces {
        world.lab.cluster.must(&[
            "-n",
            namespace,
            "wait",
            "--for=condition=Ready",
            "pod/web",
            "--timeout=60s",
        ])?;
    }
    world.try_all(&never())
}

#[test]
fn what_the_bundle_developer_keeps_from_agents_is_refused() -> anyhow::Result<()> {
    static DEPLOYMENT: LazyLock<serde_json::Value> = LazyLock::new(|| {
        let container = json!({"name": "web", "image": "busybox", "command": ["sh"]});
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [container], "volumes": [{"name": "scratch", "emptyDir": {}}]},
            }},
        })
    });
    let world = World::new("guarded", &Options::default())?;
    world.make("/apis/apps/v1/namespaces/NS/deployments", &DEPLOYMENT)?;
    let mut holds = DEPLOYMENT.clone();
    holds["metadata"]["name"] = json!("holds");
    holds["spec"]["template"]["spec"]["containers"][0]["envFrom"] =
        json!([{"secretRef": {"name": "database"}}]);
    world.make("/apis/apps/v1/namespaces/NS/deployments", &holds)?;
    world.make("/api/v1/namespaces/NS/configmaps", &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "green"}}))?;
    for definition in definitions() {
        let answer = world.direct.ask(
            "POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            &[JSON],
            &definition.to_string(),
        )?;
        anyhow::ensure!(answer.status == 201, "{answer:?}");
    }
    for (group, plural, _kind) in DEPUTIES {
        let line = format!("GET /apis/{group}/v1/{plural}");
        world.until(&line, &[], "", |answer| answer.status == 200)?;
    }
    world.try_all(&guarded())
}
