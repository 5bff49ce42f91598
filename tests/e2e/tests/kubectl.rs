//! kubectl through the gate does what it does directly: same exit code, same output but for times.

use e2e::{Comparison, furnish, lab};
use testkit::Session;

const READS: &[&str] = &[
    "get pods -n direct",
    "get pods -n direct -o wide",
    "get deployment web -n direct -o yaml",
    "get deployment web -n direct -o json",
    "get deployments,configmaps -n direct -o name",
    "get pods -n direct -l app=web",
    "get pods -n direct -l app=nothing",
    "get pods -A --field-selector metadata.namespace=direct",
    "get nodes",
    "get namespaces direct",
    "get deployment missing -n direct",
    "get nonsense",
    "get configmap settings -n direct -o jsonpath={.data.colour}",
    "get pods -n direct --sort-by=.metadata.name",
    "describe deployment web -n direct",
    "describe configmap settings -n direct",
    "logs deployment/web -n direct",
    "logs deployment/web -n direct --tail=1 --timestamps=false",
    "rollout status deployment/web -n direct",
    "rollout history deployment/web -n direct",
    "auth can-i list pods -n direct",
    "api-resources",
    "api-resources --api-group=apps -o name",
    "api-versions",
    "explain deployment.spec.replicas",
    "version",
    "get --raw /version",
    "get --raw /readyz",
    "cluster-info",
];

const CONFIGMAP: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: made, namespace: NS}
data: {key: value, number: '42'}
";

const CHANGED: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: made, namespace: NS}
data: {key: other}
";

/// In order: each builds on the one before.
const WRITES: &[(&str, &str)] = &[
    ("create -f -", CONFIGMAP),
    ("create -f -", CONFIGMAP),
    ("apply -f -", CHANGED),
    ("apply -f -", CHANGED),
    ("get configmap made -n NS -o jsonpath={.data}", ""),
    ("apply --server-side --force-conflicts -f -", CONFIGMAP),
    ("diff -f -", CHANGED),
    ("replace -f -", CONFIGMAP),
    ("label configmap made -n NS tier=test", ""),
    ("annotate configmap made -n NS note=hello", ""),
    ("patch configmap made -n NS --type=merge -p {\"data\":{\"merged\":\"yes\"}}", ""),
    (
        "patch configmap made -n NS --type=json -p [{\"op\":\"add\",\"path\":\"/data/json\",\"value\":\"yes\"}]",
        "",
    ),
    (
        "patch deployment web -n NS -p {\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"tier\":\"x\"}}}}}",
        "",
    ),
    ("scale deployment web -n NS --replicas=2", ""),
    ("rollout status deployment/web -n NS --timeout=60s", ""),
    ("set image deployment/web -n NS web=busybox:1.36", ""),
    ("rollout undo deployment/web -n NS", ""),
    ("create --dry-run=server -o name -f -", CONFIGMAP),
    ("apply --dry-run=server -o name -f -", CHANGED),
    ("delete configmap made -n NS", ""),
    ("delete configmap made -n NS", ""),
    ("delete configmap made -n NS --ignore-not-found", ""),
    (
        "apply -f -",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made, namespace: NS}\ndata: [not, a, map]\n",
    ),
];

fn prepared() -> anyhow::Result<(Session<'static>, &'static e2e::Lab)> {
    let lab = lab()?;
    Ok((lab.gate.session("kubectl")?, lab))
}

#[test]
fn reads_are_as_directly() -> anyhow::Result<()> {
    let (session, lab) = prepared()?;
    furnish(lab.cluster, "direct")?;
    furnish(lab.cluster, "gated")?;
    let comparison = Comparison { direct: lab.cluster, session: &session };
    let mut differences = Vec::new();
    for line in READS {
        differences.extend(comparison.same(line, "").err().map(|error| format!("{error:#}")));
    }
    for (line, input) in WRITES {
        differences.extend(comparison.same(line, input).err().map(|error| format!("{error:#}")));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    Ok(())
}
