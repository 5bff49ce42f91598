//! The agent's own commands: what it asks of humans ahead of its calls. They need a session's kubeconfig, and no gate's configuration.

use std::{path::PathBuf, process::ExitCode};

use agent::{Client, Kubeconfig, Next};
use approval::Answer;
use clap::Args;
use identity::Reason;

use crate::terminal;

/// How the gate is asked.
#[derive(Debug, Args)]
pub(crate) struct AskFlags {
    /// What it is for, for those who decide
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Reason,
    /// The session's kubeconfig; without it $KUBECONFIG, then ~/.kube/config
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Do not wait until humans have decided
    #[arg(long)]
    no_wait: bool,
}

impl AskFlags {
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let access = Kubeconfig::find(self.kubeconfig.as_deref())?.load()?;
        Ok(Client::new(access)?)
    }

    /// Tells what was asked, waits until it is decided, and tells how.
    pub(crate) async fn follow(
        &self,
        client: &Client,
        asked: Answer,
        next: &Next,
    ) -> anyhow::Result<ExitCode> {
        terminal::print(agent::asked(&asked))?;
        let decided = match &asked.approval {
            Some(id) if agent::is_pending(&asked) && !self.no_wait => {
                eprintln!("waiting until humans have decided");
                client.decided(id).await?
            }
            Some(_) | None => asked,
        };
        terminal::print(agent::outcome(&decided, next))?;
        let done = agent::agreed(&decided) || agent::is_pending(&decided);
        Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
