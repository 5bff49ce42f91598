//! What changes something: each way in a namespace of its own, in the same order.

use e2e::{CANARY, Comparison, contains_canary, furnish, permissive, start, text};

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

const NO_MAP: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: made, namespace: NS}
data: [not, a, map]
";

/// The Secret of the furniture with a label, as its owner would apply it.
const SECRET: &str = "apiVersion: v1
kind: Secret
metadata: {name: database, namespace: NS, labels: {app: web, tier: data}}
stringData: {password: CANARY}
";

/// A pod whose log goes on for a while and ends.
const COUNTING: &str = "apiVersion: v1
kind: Pod
metadata: {name: counting, namespace: NS}
spec:
  restartPolicy: Never
  containers: [{name: c, image: busybox, command: [sh, -c, 'for n in 1 2 3; do echo $n; sleep 1; done']}]
";

/// Objects from manifests.
const MANIFESTS: &[(&str, &str)] = &[
    ("create -f -", CONFIGMAP),
    ("create -f -", CONFIGMAP),
    ("diff -f -", CHANGED),
    ("apply -f -", CHANGED),
    ("apply -f -", CHANGED),
    ("diff -f -", CHANGED),
    ("get configmap made -n NS -o jsonpath={.data}", ""),
    ("apply --server-side -f -", CONFIGMAP),
    ("apply --server-side --force-conflicts -f -", CONFIGMAP),
    ("diff --server-side --force-conflicts -f -", CHANGED),
    ("replace -f -", CONFIGMAP),
    ("create --dry-run=server -o name -f -", CONFIGMAP),
    ("apply --dry-run=server -o name -f -", CHANGED),
    ("apply -f -", NO_MAP),
    ("delete --wait=false -f -", CONFIGMAP),
    ("apply -f -", SECRET),
    ("get secret database -n NS --show-labels", ""),
];

/// Changes to one object.
const CHANGES: &[(&str, &str)] = &[
    ("create configmap made -n NS --from-literal=key=value", ""),
    ("label configmap made -n NS tier=test", ""),
    ("label configmap made -n NS tier=other", ""),
    ("label configmap made -n NS tier-", ""),
    ("annotate configmap made -n NS note=hello", ""),
    (r#"patch configmap made -n NS --type=merge -p {"data":{"merged":"yes"}}"#, ""),
    (r#"patch configmap made -n NS --type=json -p [{"op":"add","path":"/data/json","value":"yes"}]"#, ""),
    (r#"patch configmap made -n NS --type=json -p [{"op":"remove","path":"/data/missing"}]"#, ""),
    (r#"patch configmap made -n NS --type=strategic -p {"data":{"strategic":"yes"}}"#, ""),
    (r#"patch configmap made -n NS --type=merge -p {"data":{"merged":"yes"}}"#, ""),
    ("get configmap made -n NS -o jsonpath={.data}", ""),
    ("delete configmap made -n NS", ""),
    ("delete configmap made -n NS", ""),
    ("delete configmap made -n NS --ignore-not-found", ""),
];

/// kubectl's generators, which speak protobuf.
const GENERATORS: &[(&str, &str)] = &[
    ("create configmap generated -n NS --from-literal=key=value", ""),
    ("create configmap generated -n NS --from-literal=key=value", ""),
    ("create secret generic generated -n NS --from-literal=password=CANARY", ""),
    ("create serviceaccount generated -n NS", ""),
    ("create deployment generated -n NS --image=busybox --replicas=0", ""),
    ("create job generated -n NS --image=busybox -- true", ""),
    ("create cronjob generated -n NS --image=busybox --schedule=@yearly -- true", ""),
    ("create service clusterip generated -n NS --tcp=80", ""),
    ("create namespace made-NS", ""),
    ("delete namespace made-NS", ""),
    ("delete configmap,secret,serviceaccount,deployment,job,cronjob,service generated -n NS", ""),
];

/// Workloads and their pods.
const WORKLOADS: &[(&str, &str)] = &[
    ("run once -n NS --image=busybox --restart=Never -- echo done", ""),
    ("logs -f once -n NS --pod-running-timeout=60s", ""),
    ("create -f -", COUNTING),
    ("logs -f counting -n NS --pod-running-timeout=60s", ""),
    ("wait pod/once -n NS --for=jsonpath={.status.phase}=Succeeded --timeout=60s", ""),
    ("delete pod once -n NS", ""),
    ("wait pod/once -n NS --for=delete --timeout=60s", ""),
    ("expose deployment web -n NS --port=80", ""),
    ("expose deployment web -n NS --port=80", ""),
    ("autoscale deployment web -n NS --min=1 --max=2", ""),
    ("delete hpa,service web -n NS", ""),
    ("scale deployment web -n NS --replicas=2", ""),
    ("rollout status deployment/web -n NS --timeout=60s", ""),
    ("scale deployment web -n NS --current-replicas=7 --replicas=1", ""),
    ("set image deployment/web -n NS web=busybox:1.36", ""),
    ("set env deployment/web -n NS COLOUR=green", ""),
    ("rollout status deployment/web -n NS --timeout=60s", ""),
    ("rollout undo deployment/web -n NS", ""),
    ("rollout pause deployment/web -n NS", ""),
    ("rollout resume deployment/web -n NS", ""),
    ("rollout restart deployment/web -n NS", ""),
    ("rollout status deployment/web -n NS --timeout=60s", ""),
    ("rollout history deployment/web -n NS", ""),
    ("delete deployment web -n NS", ""),
];

#[test]
fn what_is_written_is_as_directly() -> anyhow::Result<()> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, "direct")?;
    furnish(lab.cluster, "gated")?;
    let session = lab.gate.session("writes")?;
    let comparison = Comparison { direct: lab.cluster, session: &session };
    let mut different = Vec::new();
    for (line, input) in [MANIFESTS, CHANGES, GENERATORS, WORKLOADS].concat() {
        let result = comparison.same(&line.replace("CANARY", CANARY), &input.replace("CANARY", CANARY));
        different.extend(result.err().map(|error| format!("{error:#}")));
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
    // Applying through the gate, which shows kubectl a masked Secret, has not cost the value.
    let value = lab.cluster.kubectl(&["get", "secret", "database", "-n", "gated", "-o", "yaml"])?;
    assert!(contains_canary(text(&value).as_bytes()));
    Ok(())
}
