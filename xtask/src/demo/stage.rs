//! The cluster, the gate and the things in them.

use std::{
    fs,
    io::IsTerminal,
    path::{Path, PathBuf},
    process::Output,
};

use anyhow::Context;
use testkit::{Cluster, Gate, Options, Session};

use crate::{interrupt::Interrupt, run::root};

/// What the cluster holds before the agent arrives.
const SHOP: &str = include_str!("shop.yaml");

/// The secret value of [`SHOP`]; seeing it in the agent's hands would be a failure.
pub(super) const PASSWORD: &str = "correct-horse-battery-staple";

/// Where the auditor keeps the ledger's public key: away from the ledger, which must not vouch for itself.
pub(super) const KEPT_KEY: &str = "auditor.vkey";

/// The rule that the shop adds to the bundle `developer`.
const COMMANDS: &str = include_str!("commands.cedar");

/// A running cluster with a gate in front of it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) cluster: Cluster,
    pub(crate) gate: Gate,
}

impl Stage {
    pub(crate) fn set(folder: &Path, options: &Options) -> anyhow::Result<Self> {
        say("Starting a Kubernetes (etcd, API server, controllers, scheduler, one node) on this machine");
        let cluster = Cluster::start(Some(&folder.join("cluster")), None)?;
        say("Creating namespace `shop` with two deployments and a secret");
        cluster.apply(SHOP)?;
        for deployment in ["deployment/web", "deployment/checkout"] {
            cluster.must(&["-n", "shop", "rollout", "status", deployment, "--timeout=60s"])?;
        }
        say(&format!(
            "Starting the gate with policy {}; its own account may impersonate, and nothing else",
            options.bundle
        ));
        let place = folder.join("gate");
        let mut gate = Gate::prepare(&cluster, &place, options)?;
        gate.serve()?;
        keep_key(&gate)?;
        Ok(Self { cluster, gate })
    }

    /// Runs `kubectl` past the gate, and shows it; answers what it printed.
    pub(super) fn administrator(&self, line: &str) -> anyhow::Result<String> {
        let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
        let text = shown(&self.cluster.kubectl(&arguments)?);
        typed(line, "", &text);
        Ok(text)
    }

    /// Waits until Ctrl-C, with what one needs to try it oneself.
    pub(super) fn stay(&self, interrupt: &mut Interrupt) -> anyhow::Result<()> {
        let session = self.gate.session("yours")?;
        let kubectl = testkit::tools()?.kubectl.display();
        println!("\nThe gate stays up. Be the agent, in another terminal:\n");
        println!("  export KUBECONFIG={}", session.kubeconfig.display());
        println!("  alias kubectl={kubectl}");
        println!("  kubectl get pods -n shop\n");
        println!("the approver, in a browser, by a link that signs you in once:\n");
        println!(
            "  {} console login --config {}\n",
            self.gate.program().display(),
            self.gate.path("portcullis.yaml")
        );
        println!("and the auditor:\n");
        println!("  {} ledger tail -f {}", self.gate.program().display(), self.gate.path("data/ledger"));
        stay(interrupt);
        Ok(())
    }
}

/// A copy of the bundle `developer` with [`COMMANDS`], as a platform engineer would have it.
pub(super) fn rules(folder: &Path) -> anyhow::Result<PathBuf> {
    let bundle = folder.join("developer");
    fs::create_dir(&bundle)?;
    for file in fs::read_dir(root()?.join("policies/developer"))? {
        let file = file?;
        fs::copy(file.path(), bundle.join(file.file_name()))?;
    }
    fs::write(bundle.join("commands.cedar"), COMMANDS)?;
    Ok(bundle)
}

/// The auditor's part, as soon as a gate first runs.
pub(super) fn keep_key(gate: &Gate) -> anyhow::Result<()> {
    fs::copy(gate.path("data/ledger/ledger.vkey"), gate.path(KEPT_KEY)).context("the ledger's key")?;
    Ok(())
}

/// Opens a session, and shows how that is typed.
pub(super) fn open_session<'a>(gate: &'a Gate, name: &str) -> anyhow::Result<Session<'a>> {
    say(
        "Opening a session: the agent gets a kubeconfig with a token for the gate, and no cluster credential",
    );
    let session = gate.session(name)?;
    typed(&session.typed, "", &session.opened);
    Ok(session)
}

/// Waits until Ctrl-C; whoever called this ends what was started and removes what was written.
pub(super) fn stay(interrupt: &mut Interrupt) {
    println!("\nCtrl-C ends all of it, and removes what it wrote.");
    interrupt.wait();
    say("Ending");
}

/// One line of progress.
pub(super) fn say(line: &str) {
    eprintln!("==> {line}");
}

/// Shows a command as it is typed, with its standard input, and what it printed.
pub(super) fn typed(line: &str, stdin: &str, printed: &str) {
    let (bold, plain) = if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let stdin = if stdin.is_empty() { String::new() } else { format!(" <<END\n{stdin}END") };
    println!("\n{bold}$ {line}{plain}{stdin}");
    print!("{printed}");
}

/// Both streams of an ended program, as a terminal would have shown them.
pub(super) fn shown(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

/// Runs `kubectl` in a session.
pub(super) fn kubectl(session: &Session<'_>, line: &str, stdin: &str) -> anyhow::Result<Output> {
    let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
    let mut command = session.command(&arguments)?;
    testkit::run_with_input(&mut command, stdin).with_context(|| line.to_owned())
}
