//! A8, D5, D7: what the bundle `developer` keeps from agents: deputies, patches that do more than they say, and RBAC.

use std::sync::LazyLock;

use serde_json::{Value, json};
use testkit::Options;

use super::rights;
use crate::{
    case::{
        APPLY, Case,
        Control::{Says, Takes},
        Gated::{self, Plain, Refused},
        JSON, MERGE, STRATEGIC, case, rows_of,
    },
    world::World,
};

pub(super) fn rows() -> Vec<&'static str> {
    rows_of(&guarded())
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
fn definitions() -> Vec<Value> {
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
            let known = *plural != "widgets";
            let reason = if known { r#"rule \"no-deputies\""# } else { NO_RULE };
            case("A8", line, &[JSON], body, Says(201, kind), Refused(403, reason))
        })
        .collect();
    let external = r#"{"apiVersion":"external-secrets.io/v1","kind":"ExternalSecret","metadata":{"name":"x"},"spec":{"target":{"template":{"metadata":{"annotations":{"x":"{{ .password }}"}}}}}}"#;
    let made = "PATCH /apis/external-secrets.io/v1/namespaces/NS/externalsecrets/x?dryRun=All&fieldManager=x";
    let there = "/apis/external-secrets.io/v1/namespaces/NS/externalsecrets/there";
    let refused = Refused(403, r#"rule \"no-deputies\""#);
    all.extend([
        case("A8", made, &[APPLY], external, Says(201, "{{ .password }}"), refused),
        case(
            "A8",
            format!("PATCH {there}?dryRun=All"),
            &[MERGE],
            r#"{"spec":{"target":{}}}"#,
            Says(200, r#""target":{}"#),
            refused,
        ),
        case("A8", format!("DELETE {there}?dryRun=All"), &[], "", Takes(200), refused),
    ]);
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
            Says(200, key),
            Refused(403, r#"rule \"deputy-annotations-ask\""#),
        ));
    }
    all.extend(volumes(Refused(403, NO_RULE)));
    all
}

/// What uses a Secret, in the gate's words.
const ASKS: &str = r#"rule \"secret-references-ask\""#;
/// What no rule permits.
pub(crate) const NO_RULE: &str = "no rule permits it";

/// A8: volumes for which the node fetches the Secret of any namespace.
pub(crate) fn volumes(gated: Gated) -> Vec<Case> {
    let volume = |source: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"PersistentVolume","metadata":{{"name":"p"}},"spec":{{"capacity":{{"storage":"1Gi"}},"accessModes":["ReadWriteOnce"],{source}}}}}"#
        )
    };
    let sources = [
        r#""csi":{"driver":"d","volumeHandle":"h","nodePublishSecretRef":{"name":"database","namespace":"NS"}}"#,
        r#""csi":{"driver":"d","volumeHandle":"h","controllerPublishSecretRef":{"name":"database","namespace":"NS"}}"#,
        r#""azureFile":{"shareName":"s","secretName":"database","secretNamespace":"NS"}"#,
        r#""cephfs":{"monitors":["m"],"secretRef":{"name":"database","namespace":"NS"}}"#,
    ];
    let line = "POST /api/v1/persistentvolumes?dryRun=All";
    sources
        .map(|source| case("A8", line, &[JSON], volume(source), Says(201, r#""database""#), gated))
        .to_vec()
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
            Refused(403, ASKS),
        ),
        case(
            "D7",
            web,
            &[STRATEGIC],
            template(r#"{"volumes":[{"$patch":"replace"},{"name":"v","secret":{"secretName":"database"}}]}"#),
            Says(200, "secretName"),
            Refused(403, ASKS),
        ),
        case(
            "D7",
            web,
            &[STRATEGIC],
            template(
                r#"{"volumes":[{"$retainKeys":["name","secret"],"name":"scratch","secret":{"secretName":"database"}}]}"#,
            ),
            Says(200, "secretName"),
            Refused(403, ASKS),
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
            Refused(403, ASKS),
        ),
        case(
            "D7",
            web,
            &[MERGE],
            template(
                r#"{"containers":[{"name":"web","image":"busybox","env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"database","key":"password"}}}]}]}"#,
            ),
            Says(200, "secretKeyRef"),
            Refused(403, ASKS),
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

#[test]
fn what_the_bundle_developer_keeps_from_agents_is_refused() -> anyhow::Result<()> {
    static DEPLOYMENT: LazyLock<Value> = LazyLock::new(|| {
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
        world.define(&definition)?;
    }
    let there = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": "there"}, "spec": {}});
    world.make("/apis/external-secrets.io/v1/namespaces/NS/externalsecrets", &there)?;
    world.try_all(&guarded())
}
