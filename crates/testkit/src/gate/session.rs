//! A session as an agent has it.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use anyhow::Context;

use super::{AGENT, CLUSTER, DELEGATOR, Gate};

/// An open session and its kubeconfig.
#[derive(Debug)]
pub struct Session<'a> {
    gate: &'a Gate,
    /// As `session list` names it.
    pub id: String,
    /// What the agent is given; holds its token.
    pub kubeconfig: PathBuf,
    /// The command that opened it, as it is typed in the gate's folder.
    pub typed: String,
    /// What that printed.
    pub opened: String,
}

impl Gate {
    /// A session of an hour for [`AGENT`]; its kubeconfig is called by this name.
    ///
    /// # Errors
    /// What `portcullis session open` printed.
    pub fn session(&self, name: &str) -> anyhow::Result<Session<'_>> {
        self.session_for(name, "1h")
    }

    /// As [`Gate::session`], for so long.
    ///
    /// # Errors
    /// As [`Gate::session`].
    pub fn session_for(&self, name: &str, ttl: &str) -> anyhow::Result<Session<'_>> {
        let kubeconfig = self.folder.join(format!("{name}.kubeconfig"));
        let mut command = vec!["session", "open"];
        let (config, file) = (self.path("portcullis.yaml"), kubeconfig.to_string_lossy());
        command.extend(["--config", &config, "--kubeconfig", &file]);
        command.extend(["--agent", AGENT, "--for", DELEGATOR, "--cluster", CLUSTER]);
        command.extend(["--ttl", ttl, "--reason", "find out why checkout is slow"]);
        let opened = self.must(&command)?;
        let id = opened
            .split_whitespace()
            .find(|word| word.starts_with("s-"))
            .with_context(|| format!("`session open` named no session: {opened}"))?;
        let id = id.trim_end_matches([',', '.', ':']).to_owned();
        let typed = format!(
            "portcullis session open --agent {AGENT} --for {DELEGATOR} --cluster {CLUSTER} --ttl {ttl} \
             --reason 'find out why checkout is slow' --kubeconfig {name}.kubeconfig"
        );
        Ok(Session { gate: self, id, kubeconfig, typed, opened })
    }

    /// Ends a session, as its owner would.
    ///
    /// # Errors
    /// What `portcullis session revoke` printed.
    pub fn revoke(&self, session: &str) -> anyhow::Result<()> {
        self.must(&["session", "revoke", "--config", &self.path("portcullis.yaml"), session]).map(drop)
    }
}

impl Gate {
    /// Freezes a session, as its owner would.
    ///
    /// # Errors
    /// What `portcullis session freeze` printed.
    pub fn freeze(&self, session: &str, reason: &str) -> anyhow::Result<String> {
        let config = self.path("portcullis.yaml");
        self.must(&["session", "freeze", "--config", &config, session, "--reason", reason])
    }

    /// Thaws a session, as its owner would.
    ///
    /// # Errors
    /// What `portcullis session thaw` printed.
    pub fn thaw(&self, session: &str) -> anyhow::Result<String> {
        self.must(&["session", "thaw", "--config", &self.path("portcullis.yaml"), session])
    }

    /// What `portcullis session list` prints.
    ///
    /// # Errors
    /// The same, of a failure.
    pub fn sessions(&self) -> anyhow::Result<String> {
        self.must(&["session", "list", "--config", &self.path("portcullis.yaml")])
    }
}

impl Session<'_> {
    /// `kubectl` through the gate.
    ///
    /// # Errors
    /// kubectl could not be started; a failure of its own is in the output.
    pub fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.command(arguments)?.output().context("could not start kubectl")
    }

    /// `kubectl` through the gate, to be run as the caller likes.
    ///
    /// # Errors
    /// kubectl could not be built.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        crate::kubectl(&self.kubeconfig, &self.gate.folder.join("cache"), arguments)
    }

    /// The bearer token that the kubeconfig holds.
    ///
    /// # Errors
    /// The kubeconfig has none.
    pub fn token(&self) -> anyhow::Result<String> {
        let text = fs::read_to_string(&self.kubeconfig)?;
        let token = text.lines().find_map(|line| line.trim().strip_prefix("token:"));
        Ok(token.context("the kubeconfig has no token")?.trim().trim_matches('"').to_owned())
    }

    /// Ends this session, as its owner would.
    ///
    /// # Errors
    /// What `portcullis session revoke` printed.
    pub fn revoke(&self) -> anyhow::Result<()> {
        self.gate.revoke(&self.id)
    }
}
