//! `portcullis propose`: an agent asks humans for several changes at once.

use std::{path::PathBuf, process::ExitCode};

use agent::{How, Next, Sources, changes};
use approval::WantedChanges;
use clap::Args;

use super::{ahead::AskFlags, gate};

/// Ask humans for the changes that `kubectl apply` would make, all at once
///
/// For agents, with their session's kubeconfig. Humans see what each object would become, and agree to all of it or to nothing.
/// Nothing is changed by this command: once they agreed, run `kubectl apply` of the same manifests. If the objects changed meanwhile,
/// they are asked again. At most 64 objects at once; no deletes; nothing that needs a namespace or a kind which the same manifests would make.
///
/// The exit code is 0 once humans agreed, or if policy permits all of it, and 1 otherwise; with --no-wait it is 0 once they are
/// asked. Ctrl-C ends the waiting, not the request: humans can still decide.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis propose -f shop/ --reason 'more memory for checkout'
  portcullis propose -f shop/ -R -n shop --server-side --reason 'roll out 1.3' --kubeconfig claude.kubeconfig
  kustomize build prod | portcullis propose -f - --reason 'roll out 1.3' --no-wait")]
pub(crate) struct Propose {
    /// Manifests: files, folders, or `-` for standard input
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Folders within folders, too
    #[arg(short = 'R', long)]
    recursive: bool,
    /// The namespace of objects that name none
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// As `kubectl apply --server-side`
    #[arg(long)]
    server_side: bool,
    /// As `kubectl apply --server-side --force-conflicts`: take over fields that others manage
    #[arg(long, requires = "server_side")]
    force_conflicts: bool,
    #[command(flatten)]
    ahead: AskFlags,
}

impl Propose {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        gate::run(self.propose())
    }

    async fn propose(self) -> anyhow::Result<ExitCode> {
        let sources = Sources { files: self.files, recursive: self.recursive };
        let how = if self.server_side { How::Server { force: self.force_conflicts } } else { How::Client };
        let manifests = sources.read()?;
        let client = self.ahead.client()?;
        let found = changes(&client, &manifests, how, self.namespace.as_deref()).await?;
        for object in &found.unchanged {
            eprintln!("unchanged: {object}");
        }
        if found.calls.is_empty() {
            eprintln!("nothing would change, so nobody is asked");
            return Ok(ExitCode::SUCCESS);
        }
        let wanted = WantedChanges { reason: self.ahead.reason.to_string(), calls: found.calls };
        let asked = client.propose(&wanted).await?;
        let kubeconfig = self.ahead.kubeconfig.clone();
        let next = Next::Apply { sources, how, namespace: self.namespace, kubeconfig };
        self.ahead.follow(&client, asked, &next).await
    }
}
