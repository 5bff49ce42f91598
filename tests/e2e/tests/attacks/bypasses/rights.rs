//! D5, D8 and Q1: the agent's own user may not read Secrets, so that there is nothing to borrow or to pass on.

use anyhow::ensure;
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{Answer, permissive};
use serde_json::{Value, json};

use crate::{
    case::{
        Case,
        Control::{Leaks, Takes},
        Gated::Refused,
        JSON, Ways, case, filled, rows_of,
    },
    world::{GROUPS, USER, World, ruled, until},
};

pub(super) const ROLE: &str = r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader"},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}]}"#;
pub(super) const BINDING: &str = r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"mine"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"stored"},"subjects":[{"kind":"ServiceAccount","name":"default","namespace":"NS"}]}"#;

pub(super) fn rows() -> Vec<&'static str> {
    [rows_of(&borrowed()), rows_of(&alone()), rows_of(&aliases())].concat()
}

/// Through the gate, with every right to write RBAC in the namespace that an administrator can give.
fn borrowed() -> Vec<Case> {
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/NS";
    vec![
        // With the group that masked reads carry, the same user could.
        case(
            "D5",
            format!("POST {roles}/roles?dryRun=All"),
            &[JSON],
            ROLE,
            Takes(201),
            Refused(403, "not currently held"),
        ),
        case("D5", bindings("?dryRun=All"), &[JSON], BINDING, Takes(201), Refused(403, "not currently held")),
    ]
}

fn bindings(query: &str) -> String {
    format!("POST /apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings{query}")
}

/// As the agent's own user without that group: what a call is that lost it, or never had it.
fn alone() -> Vec<Case> {
    let secrets = "/api/v1/namespaces/NS/secrets";
    let forbidden = Refused(403, "cannot");
    vec![
        case("D5", format!("GET {secrets}/database"), &[], "", Leaks, forbidden),
        case("D5", format!("GET {secrets}"), &[], "", Leaks, forbidden),
        case("D5", format!("GET {secrets}?watch=true&timeoutSeconds=1"), &[], "", Leaks, forbidden),
    ]
}

/// D8: the same objects by another name of their group.
fn aliases() -> Vec<Case> {
    let denied = Refused(403, r#"rule \"no-events\""#);
    let [v1, v2] = ["v1", "v2"]
        .map(|version| format!("GET /apis/autoscaling/{version}/namespaces/NS/horizontalpodautoscalers"));
    let scalers = Refused(403, r#"rule \"no-scalers\""#);
    vec![
        case("D8", "GET /api/v1/namespaces/NS/events", &[], "", Leaks, denied),
        case("D8", "GET /apis/events.k8s.io/v1/namespaces/NS/events", &[], "", Leaks, denied),
        case("D8", "GET /api/v1/namespaces/NS/events/told", &[], "", Leaks, denied),
        case("D8", "GET /apis/events.k8s.io/v1/namespaces/NS/events/told", &[], "", Leaks, denied),
        case("D8", "GET /api/v1/events?fieldSelector=metadata.namespace=NS", &[], "", Leaks, denied),
        case("D8", "GET /apis/events.k8s.io/v1/events?watch=1&timeoutSeconds=1", &[], "", Leaks, denied),
        // By another version.
        case("D8", format!("{v1}/told"), &[], "", Leaks, scalers),
        case("D8", format!("{v2}/told"), &[], "", Leaks, scalers),
        case("D8", v1, &[], "", Leaks, scalers),
        case("D8", v2, &[], "", Leaks, scalers),
    ]
}

/// A certificate signing request that is approved.
pub(super) fn approved() -> String {
    let condition = json!({"type": "Approved", "status": "True", "reason": "ByMyself"});
    let mut request: Value = serde_json::from_str(&signing_request()).unwrap();
    request["metadata"]["name"] = json!("NS");
    request["status"] = json!({ "conditions": [condition] });
    request.to_string()
}

/// A certificate signing request for a client of the API server.
pub(super) fn signing_request() -> String {
    let request = include_str!("request.pem");
    json!({
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "me"},
        "spec": {"request": STANDARD.encode(request), "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]},
    })
    .to_string()
}

#[test]
fn the_right_to_read_secrets_cannot_be_borrowed() -> anyhow::Result<()> {
    let world = World::new("borrowed", &permissive())?;
    world.grant("rbac.authorization.k8s.io", "roles", &["create"])?;
    world.grant("rbac.authorization.k8s.io", "rolebindings", &["create"])?;
    let stored = ROLE.replace("\"reader\"", "\"stored\"");
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/NS/roles";
    world.make(roles, &serde_json::from_str(&stored)?)?;
    let reader = world.reader()?;
    let alone = world.direct.clone().impersonating(USER, GROUPS);
    Ways { direct: reader.clone(), gated: world.gated.clone(), namespaces: world.namespaces.clone() }
        .try_all(&borrowed())?;
    // What it would come to: the account of any pod reads Secrets past the gate.
    for (client, namespace, status) in
        [(&reader, &*world.namespaces[0], 201), (&world.gated, world.namespace(), 403)]
    {
        let answer = client.ask(&filled(&bindings(""), namespace), &[JSON], &filled(BINDING, namespace))?;
        ensure!(answer.status == status, "{namespace}: {answer:?}");
    }
    let account = |namespace: &str| {
        let user = format!("system:serviceaccount:{namespace}:default");
        world.direct.clone().impersonating(&user, &["system:serviceaccounts"])
    };
    let database = |namespace: &str| filled("GET /api/v1/namespaces/NS/secrets/database", namespace);
    let bound = &world.namespaces[0];
    until(&account(bound), &database(bound), &[], "", Answer::leaks)?;
    let unbound = account(world.namespace()).ask(&database(world.namespace()), &[], "")?;
    ensure!(unbound.status == 403 && !unbound.leaks(), "{unbound:?}");
    Ways { direct: reader, gated: alone, namespaces: world.namespaces.clone() }.try_all(&self::alone())
}

#[test]
fn an_object_is_judged_alike_by_every_name_of_its_group() -> anyhow::Result<()> {
    const RULES: &str = r#"
@id("everything") permit (principal, action, resource);

@id("no-events") @reason("to see by what names")
forbid (principal, action, resource is Object) when { resource.type == "events" };

@id("no-scalers") @reason("to see by what versions")
forbid (principal, action, resource is Object) when { resource.type == "horizontalpodautoscalers.autoscaling" };
"#;
    let (_folder, options) = ruled(RULES)?;
    let world = World::new("aliases", &options)?;
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "told"}, "message": "the password is CANARY", "reason": "Told",
        "type": "Warning", "involvedObject": {"kind": "Pod", "name": "web", "namespace": "NS"},
    });
    world.make("/api/v1/namespaces/NS/events", &event)?;
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let scaler = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "told", "annotations": {"note": "the password is CANARY"}}, "spec": {"maxReplicas": 3, "scaleTargetRef": target},
    });
    world.make("/apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers", &scaler)?;
    world.try_all(&aliases())
}
