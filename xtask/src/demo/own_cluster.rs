//! The demo on the reader's own cluster. It writes nothing there: the gate runs with the `read-only` policies, the one
//! change that is tried is a dry run, and the rights that the gate needs are printed for the reader to grant, not granted.

use std::{path::Path, process::Command};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use testkit::{Gate, Session};

use super::{
    scene::Scene,
    scenes,
    stage::{keep_key, kubectl, open_session, say, shown, stay},
};
use crate::interrupt::Interrupt;

const SCENES: &[Scene] = &[
    Scene {
        title: "The agent sees which server it talks to",
        line: "kubectl version",
        stdin: "",
        code: 0,
        shows: r"(?s)Client Version: .*Server Version: .*",
    },
    Scene {
        title: "It reads what it may, and notices nothing",
        line: "kubectl get namespaces",
        stdin: "",
        code: 0,
        shows: r"(?s)NAME +STATUS +AGE\n.*kube-system +Active .*",
    },
    Scene {
        title: "It may look at Secrets, but the values do not come back",
        line: "kubectl get secrets -n kube-system -o yaml",
        stdin: "",
        code: 0,
        shows: r"(?s)apiVersion: v1\nitems:.*kind: List\n.*",
    },
    Scene {
        title: "It may change nothing, and is told by which rule (a dry run: even without the gate, nothing would go)",
        line: "kubectl delete namespace default --dry-run=server",
        stdin: "",
        code: 1,
        shows: r#"Error from server \(Forbidden\): .*"no-changes".*\n"#,
    },
    Scene {
        title: "`can-i` tells the gate's truth",
        line: "kubectl auth can-i delete namespaces",
        stdin: "",
        code: 1,
        shows: r#"no - agent "claude" may not delete namespaces.*"no-changes".*\nWarning: .*\n+"#,
    },
];

/// Plays the reading scenes through a gate in front of `context`.
pub(super) fn run(context: &str, folder: &Path, once: bool, interrupt: &mut Interrupt) -> anyhow::Result<()> {
    say(&format!("Starting the gate in front of `{context}` with the `read-only` policies"));
    let mut gate = Gate::in_front_of(context, &folder.join("gate"))?;
    if !may_read(context)? {
        println!("{}", gate.rbac()?);
        bail!(
            "the agent's user, or the gate's reader of Secrets, has no rights in `{context}` yet; this demo writes nothing to your cluster, so apply the \
             RBAC above yourself (`kubectl --context {context} apply -f -`) and start the demo again"
        );
    }
    gate.serve()?;
    keep_key(&gate)?;
    let session = open_session(&gate, "agent")?;
    let mut surprises = 0;
    for scene in SCENES {
        interrupt.check()?;
        surprises += usize::from(!scene.play(&session)?);
    }
    let masked = count_masked(&session)?;
    println!("\n{masked} values of Secrets in all namespaces came, every one of them masked");
    surprises += usize::from(!scenes::audit(&gate)?);
    ensure!(surprises == 0, "{surprises} of the scenes did not go as told");
    if once {
        return Ok(());
    }
    println!("\nThe gate stays up. Be the agent, in another terminal:\n");
    println!("  export KUBECONFIG={}", session.kubeconfig.display());
    stay(interrupt);
    Ok(())
}

/// How many values of Secrets come through the gate. The real ones are not known here, and need not be: each value must be
/// a placeholder.
fn count_masked(session: &Session<'_>) -> anyhow::Result<usize> {
    const PLACEHOLDER: &str = "bWFza2VkLWJ5LXBvcnRjdWxsaXMt";
    let output = kubectl(session, "kubectl get secrets --all-namespaces -o json", "")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list: Value = serde_json::from_slice(&output.stdout).context("the list of Secrets")?;
    let mut count = 0;
    for secret in list.get("items").and_then(Value::as_array).context("no list of Secrets")? {
        let data = secret.get("data").and_then(Value::as_object);
        for (key, value) in data.into_iter().flatten() {
            // Names the place only: what came is what must not be shown.
            let name = secret.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            let masked = value.as_str().is_some_and(|value| value.starts_with(PLACEHOLDER));
            ensure!(masked, "key `{key}` of the Secret `{name}` came unmasked");
            count += 1;
        }
    }
    Ok(count)
}

/// Whether the RBAC that `portcullis rbac` prints is in force: the agent's, and that of the gate's reader of Secrets.
fn may_read(context: &str) -> anyhow::Result<bool> {
    let agent = ["pods", "--as", "portcullis:agent:claude", "--as-group", "portcullis:agents"];
    Ok(may_list(context, &agent)? && may_list(context, &["secrets", "--as", "portcullis:secret-reader"])?)
}

fn may_list(context: &str, what: &[&str]) -> anyhow::Result<bool> {
    let asked = Command::new(&testkit::tools()?.kubectl)
        .args(["--context", context, "auth", "can-i", "--all-namespaces", "list"])
        .args(what)
        .output()
        .context("could not start kubectl")?;
    if asked.status.success() {
        return Ok(true);
    }
    // "no" is an answer; anything else means that the question did not get through.
    if String::from_utf8_lossy(&asked.stdout).trim() == "no" { Ok(false) } else { bail!("{}", shown(&asked)) }
}
