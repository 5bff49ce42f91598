//! The demo on the reader's own cluster. It writes nothing there: the gate runs with the `read-only` policies, and the
//! rights it needs are printed for the reader to grant, not granted.

use std::{
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context, bail};
use testkit::{Gate, Session};

use super::stage::{kubectl, say, shown, typed};

const LINES: &[&str] = &[
    "kubectl version",
    "kubectl get namespaces",
    "kubectl get pods -n kube-system",
    "kubectl get secrets -n kube-system -o yaml",
    "kubectl delete namespace default",
    "kubectl auth can-i delete namespaces",
];

/// Plays the reading scenes through a gate in front of `context`.
pub(crate) fn run(context: &str, folder: &Path, once: bool) -> anyhow::Result<()> {
    say(&format!("Starting the gate in front of `{context}` with the `read-only` policies"));
    let mut gate = Gate::in_front_of(context, &folder.join("gate"))?;
    if !may_read(context)? {
        println!("{}", gate.rbac()?);
        bail!(
            "the agent's user has no rights in `{context}` yet; this demo writes nothing to your cluster, so apply the \
             RBAC above yourself (`kubectl --context {context} apply -f -`) and start the demo again"
        );
    }
    gate.serve()?;
    let session = gate.session("agent")?;
    for line in LINES {
        typed(line, &kubectl(&session, line, None)?);
    }
    let output = gate.portcullis(&["ledger", "verify", &gate.path("data/ledger")])?;
    typed("portcullis ledger verify data/ledger", &output);
    if once { verified(&output) } else { stay(&session) }
}

fn verified(output: &Output) -> anyhow::Result<()> {
    if output.status.success() { Ok(()) } else { bail!("the ledger does not verify") }
}

fn stay(session: &Session<'_>) -> anyhow::Result<()> {
    println!(
        "\nThe gate stays up until you press Ctrl-C:\n\n  export KUBECONFIG={}",
        session.kubeconfig.display()
    );
    loop {
        std::thread::park();
    }
}

/// Whether the RBAC that `portcullis rbac` prints is in force.
fn may_read(context: &str) -> anyhow::Result<bool> {
    let asked = Command::new(&testkit::tools()?.kubectl)
        .args(["--context", context, "auth", "can-i", "list", "pods", "--all-namespaces"])
        .args(["--as", "portcullis:agent:claude", "--as-group", "portcullis:agents"])
        .output()
        .context("could not start kubectl")?;
    if asked.status.success() {
        return Ok(true);
    }
    // "no" is an answer; anything else means that the question did not get through.
    if String::from_utf8_lossy(&asked.stdout).trim() == "no" { Ok(false) } else { bail!("{}", shown(&asked)) }
}
