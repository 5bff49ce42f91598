//! The scenes: what is typed, and what must come of it.

use testkit::Session;

use super::stage::{PASSWORD, Stage, kubectl, say, shown, typed};

/// One command of the agent's and what makes it a success for the gate.
struct Scene {
    title: &'static str,
    line: &'static str,
    stdin: Option<&'static str>,
    succeeds: bool,
    /// All of these must be in the output.
    shows: &'static [&'static str],
}

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
        stdin: None,
        succeeds: true,
        shows: &["web-"],
    },
    Scene {
        title: "It may look at a Secret, but the values do not come back",
        line: "kubectl get secret database -n shop -o yaml",
        stdin: None,
        succeeds: true,
        shows: &["name: database", "password:", "username:"],
    },
    Scene {
        title: "It may change a workload",
        line: "kubectl apply -f -",
        stdin: Some(CHANGE),
        succeeds: true,
        shows: &["deployment.apps/web configured"],
    },
    Scene {
        title: "Deleting a namespace asks a human; nobody answers in time",
        line: "kubectl delete namespace shop",
        stdin: None,
        succeeds: false,
        shows: &["approv"],
    },
    Scene {
        title: "Making itself an administrator is denied, and it is told by which rule",
        line: "kubectl create -f -",
        stdin: Some(ESCALATION),
        succeeds: false,
        shows: &["rule"],
    },
    Scene {
        title: "`can-i` tells the gate's truth, not the API server's",
        line: "kubectl auth can-i list pods -n shop",
        stdin: None,
        succeeds: true,
        shows: &["yes"],
    },
    Scene {
        title: "… also when the truth is no",
        line: "kubectl auth can-i create clusterrolebindings",
        stdin: None,
        succeeds: false,
        shows: &["no"],
    },
];

/// The agent's scenes, and the auditor's at the end.
pub(crate) const COUNT: usize = SCENES.len() + 1;

/// Plays all scenes; answers how many did not go as told.
pub(crate) fn play(stage: &Stage) -> anyhow::Result<usize> {
    say(
        "Opening a session: the agent gets a kubeconfig with a token for the gate, and no cluster credential",
    );
    let session = stage.gate.session("agent")?;
    let mut surprises = 0;
    for scene in SCENES {
        surprises += usize::from(!scene.play(&session)?);
    }
    surprises += usize::from(!audit(stage)?);
    surprises += usize::from(!untouched(stage)?);
    Ok(surprises)
}

impl Scene {
    fn play(&self, session: &Session<'_>) -> anyhow::Result<bool> {
        println!("\n--- {}", self.title);
        let output = kubectl(session, self.line, self.stdin)?;
        typed(self.line, &output);
        let text = shown(&output);
        let mut wrong = Vec::new();
        if output.status.success() != self.succeeds {
            wrong.push(format!("it ended with {}", output.status));
        }
        wrong.extend(
            self.shows.iter().filter(|word| !text.contains(**word)).map(|word| format!("no `{word}`")),
        );
        if leaks(&text) {
            wrong.push("a secret value came back".to_owned());
        }
        for problem in &wrong {
            println!("!!! not as told: {problem}");
        }
        Ok(wrong.is_empty())
    }
}

/// The auditor's scene: the ledger is checked from its files alone.
fn audit(stage: &Stage) -> anyhow::Result<bool> {
    println!("\n--- The auditor verifies the record offline, from the files alone");
    let ledger = stage.gate.path("data/ledger");
    let output = stage.gate.portcullis(&["ledger", "verify", &ledger])?;
    typed("portcullis ledger verify data/ledger", &output);
    Ok(output.status.success() && !leaks(&shown(&output)))
}

/// What was only asked for or denied has not happened.
fn untouched(stage: &Stage) -> anyhow::Result<bool> {
    let namespace = stage.cluster.kubectl(&["get", "namespace", "shop", "-o", "jsonpath={.status.phase}"])?;
    let binding = stage.cluster.kubectl(&["get", "clusterrolebinding", "shop-is-admin"])?;
    let as_told = shown(&namespace).trim() == "Active" && !binding.status.success();
    if !as_told {
        println!("!!! not as told: the cluster changed although the gate refused");
    }
    Ok(as_told)
}

/// The password, raw or in base64.
fn leaks(text: &str) -> bool {
    text.contains(PASSWORD) || text.contains("Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ")
}
