//! The cluster, the gate and the things in them.

use std::{io::IsTerminal, path::Path, process::Output};

use anyhow::Context;
use testkit::{Cluster, Gate, Options, Session};

/// What the cluster holds before the agent arrives.
const SHOP: &str = include_str!("shop.yaml");

/// The secret value of [`SHOP`]; seeing it in the agent's hands would be a failure.
pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";

/// A running cluster with a gate in front of it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) cluster: Cluster,
    pub(crate) gate: Gate,
}

impl Stage {
    pub(crate) fn set(folder: &Path) -> anyhow::Result<Self> {
        say("Starting a Kubernetes (etcd, API server, controllers, scheduler, one node) on this machine");
        let cluster = Cluster::start(Some(&folder.join("cluster")), None)?;
        say("Creating namespace `shop` with a deployment and a secret");
        cluster.apply(SHOP)?;
        cluster.must(&["-n", "shop", "rollout", "status", "deployment/web", "--timeout=60s"])?;
        say(
            "Starting the gate with the `developer` policies; its own account may impersonate, and nothing else",
        );
        let place = folder.join("gate");
        let mut gate = Gate::prepare(&cluster, &place, &Options::default())?;
        gate.serve()?;
        Ok(Self { cluster, gate })
    }

    /// Waits until Ctrl-C, with what one needs to try it oneself.
    pub(crate) fn stay(&self) -> anyhow::Result<()> {
        let session = self.gate.session("yours")?;
        let kubectl = testkit::tools()?.kubectl.display();
        println!("\nThe gate stays up until you press Ctrl-C. Be the agent, in another terminal:\n");
        println!("  export KUBECONFIG={}", session.kubeconfig.display());
        println!("  alias kubectl={kubectl}");
        println!("  kubectl get pods -n shop\n");
        println!("and the auditor:\n");
        println!("  {} ledger tail -f {}", self.gate.program().display(), self.gate.path("data/ledger"));
        loop {
            std::thread::park();
        }
    }
}

/// One line of progress.
pub(crate) fn say(line: &str) {
    eprintln!("==> {line}");
}

/// Shows a command as it is typed, runs it, shows what it printed.
pub(crate) fn typed(line: &str, output: &Output) {
    let (bold, plain) = if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    println!("\n{bold}$ {line}{plain}");
    print!("{}", shown(output));
}

/// Both streams of an ended program, as a terminal would have shown them.
pub(crate) fn shown(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

/// Runs `kubectl` in a session.
pub(crate) fn kubectl(session: &Session<'_>, line: &str, stdin: Option<&str>) -> anyhow::Result<Output> {
    let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
    let mut command = session.command(&arguments)?;
    testkit::run_with_input(&mut command, stdin.unwrap_or_default()).with_context(|| line.to_owned())
}
