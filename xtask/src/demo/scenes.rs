//! The scenes on a throw-away Kubernetes.

use std::time::{Duration, Instant};

use testkit::Gate;

use super::{
    afterwards, human,
    scene::{Scene, leaks},
    stage::{KEPT_KEY, Stage, open_session, shown, typed},
};
use crate::interrupt::Interrupt;

const CHANGE: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: 'registry.k8s.io/pause:3.11'}]
";

const ESCALATION: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: shop-is-admin}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: default, namespace: shop}]
";

const SCENES: &[Scene] = &[
    Scene {
        title: "The agent reads what it may, and notices nothing",
        line: "kubectl get pods -n shop",
        stdin: "",
        code: 0,
        shows: r"NAME +READY +STATUS +RESTARTS +AGE\ncheckout-\S+ +1/1 +Running +0 +\S+\n(web-\S+ +1/1 +Running +0 +\S+\n){2}",
    },
    Scene {
        title: "It may look at a Secret, but the values do not come back",
        line: "kubectl get secret database -n shop -o yaml",
        stdin: "",
        code: 0,
        shows: r#"(?s)apiVersion: v1
data:
  password: bWFza2VkLWJ5LXBvcnRjdWxsaXMt\w+==
  username: bWFza2VkLWJ5LXBvcnRjdWxsaXMt\w+==
kind: Secret
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: .*"password":"masked-by-portcullis-[a-z2-7]+-not-the-real-value".*
  name: database
  namespace: shop
.*type: Opaque
"#,
    },
    Scene {
        title: "It may change a workload",
        line: "kubectl apply -f -",
        stdin: CHANGE,
        code: 0,
        shows: r"deployment\.apps/web configured\n",
    },
    Scene {
        title: "Making itself an administrator is denied, and it is told by which rule",
        line: "kubectl create -f -",
        stdin: ESCALATION,
        code: 1,
        shows: r#"Error from server \(Forbidden\): .*"no-rbac".*\n"#,
    },
    Scene {
        title: "`can-i` tells the gate's truth, not the API server's",
        line: "kubectl auth can-i list pods -n shop",
        stdin: "",
        code: 0,
        shows: r"yes\n",
    },
    Scene {
        title: "… also when the truth is no",
        line: "kubectl auth can-i create clusterrolebindings",
        stdin: "",
        code: 1,
        shows: r#"no - agent "claude" may not create clusterrolebindings.*"no-rbac".*\nWarning: .*\n+"#,
    },
];

/// The agent's scenes, the three in which a human decides, the look at what was not done, the recording, the undoing, and the
/// auditor's.
pub(super) const COUNT: usize = SCENES.len() + 7;

/// Plays all scenes; answers how many did not go as told.
pub(super) fn play(stage: &Stage, once: bool, interrupt: &mut Interrupt) -> anyhow::Result<usize> {
    let session = open_session(&stage.gate, "agent")?;
    let mut surprises = 0;
    for scene in SCENES {
        interrupt.check()?;
        surprises += usize::from(!scene.play(&session)?);
    }
    interrupt.check()?;
    surprises += human::play(&stage.gate, &session, once)?;
    surprises += usize::from(!untouched(stage)?);
    interrupt.check()?;
    surprises += afterwards::play(stage, &session, once)?;
    surprises += usize::from(!audit(&stage.gate)?);
    Ok(surprises)
}

/// What was only asked for or denied has not happened.
fn untouched(stage: &Stage) -> anyhow::Result<bool> {
    println!("\n--- The administrator looks past the gate: what was refused has not happened");
    let mut as_told = true;
    for (line, expected) in [
        ("kubectl get namespace shop -o jsonpath={.status.phase}", "Active"),
        ("kubectl get clusterrolebinding shop-is-admin --ignore-not-found", ""),
    ] {
        if stage.administrator(line)? != expected {
            println!("\n!!! not as told: the cluster changed although the gate refused");
            as_told = false;
        }
    }
    Ok(as_told)
}

/// The auditor's scene: the ledger is checked from its files alone.
pub(super) fn audit(gate: &Gate) -> anyhow::Result<bool> {
    println!("\n--- The auditor verifies the record offline, from the files alone");
    let (ledger, key) = (gate.path("data/ledger"), gate.path(KEPT_KEY));
    let verify = || gate.portcullis(&["ledger", "verify", &ledger, "--key", &key]);
    let (mut output, asked) = (verify()?, Instant::now());
    // The last leaves are signed within a second.
    while shown(&output).contains("NOT COVERED") && asked.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(100));
        output = verify()?;
    }
    let text = shown(&output);
    typed(&format!("portcullis ledger verify data/ledger --key {KEPT_KEY}"), "", &text);
    let as_told = output.status.success()
        && text.contains("each what was signed; 0 problems, 0 to explain")
        && !leaks(&text);
    if !as_told {
        println!("!!! not as told: the ledger does not verify");
    }
    Ok(as_told)
}
