//! The command line.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    commands,
    config::{Config, Files},
};

/// The gate between AI agents and production Kubernetes.
///
/// Agents hold no cluster credential: every call passes through the gate, where it is identified, judged by policy,
/// masked on its way back, and recorded so that an auditor can verify it offline.
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = true,
    after_help = "\
From nothing to a guarded cluster (kubectl is its administrator's):
  portcullis init --agent claude              write portcullis.yaml, a certificate and a policy
  kubectl create namespace portcullis
  kubectl create serviceaccount gate -n portcullis
  portcullis rbac | kubectl apply -f -        let this account impersonate agents and its own reader of
                                              Secrets, and nothing else
  kubectl create token gate -n portcullis     its credential, for cluster.kubeconfig: README.md, \"Use it\",
                                              has the commands that write it
  portcullis config check                     see what is still missing
  portcullis serve                            open the gate
  portcullis session open --agent claude --for ada@example.com --cluster prod \\
      --reason 'find out why checkout is slow' --kubeconfig claude.kubeconfig
  kubectl --kubeconfig claude.kubeconfig get pods"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(commands::init::Init),
    Serve(commands::serve::Serve),
    Rbac(commands::rbac::Rbac),
    #[command(subcommand)]
    Config(commands::config::ConfigCommand),
    #[command(subcommand)]
    Session(commands::session::SessionCommand),
    #[command(subcommand)]
    Sessions(commands::sessions::SessionsCommand),
    Undo(commands::undo::Undo),
    #[command(subcommand)]
    Approvals(commands::approvals::ApprovalsCommand),
    Propose(commands::propose::Propose),
    RequestAccess(commands::request_access::RequestAccess),
    #[command(subcommand)]
    Console(commands::console::ConsoleCommand),
    #[command(subcommand)]
    Policy(commands::policy::PolicyCommand),
    #[command(subcommand)]
    Ledger(commands::ledger::LedgerCommand),
}

/// Which configuration a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigFile {
    /// The configuration file
    #[arg(long = "config", value_name = "FILE", default_value = "portcullis.yaml")]
    file: PathBuf,
}

impl ConfigFile {
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    pub(crate) fn load(&self, files: Files) -> anyhow::Result<Config> {
        Ok(Config::load(&self.file, files)?)
    }
}

/// Reads the command line and does what it says. Failures are told on standard error.
#[must_use]
pub fn run() -> ExitCode {
    match Cli::parse().execute() {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

impl Cli {
    fn execute(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Init(command) => command.run(),
            Command::Serve(command) => command.run(),
            Command::Rbac(command) => command.run(),
            Command::Undo(command) => command.run(),
            Command::Config(command) => command.run(),
            Command::Session(command) => command.run(),
            Command::Sessions(command) => command.run(),
            Command::Approvals(command) => command.run(),
            Command::Propose(command) => command.run(),
            Command::RequestAccess(command) => command.run(),
            Command::Console(command) => command.run(),
            Command::Policy(command) => command.run(),
            Command::Ledger(command) => command.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
