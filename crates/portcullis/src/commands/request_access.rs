//! `portcullis request-access`: an agent asks humans for a scope, for a time.

use std::process::ExitCode;

use agent::Next;
use approval::WantedAccess;
use clap::Args;

use super::{ahead::AskFlags, gate};

/// Ask humans for access to a scope, for a time
///
/// For agents, with their session's kubeconfig. Once humans agreed, calls within the scope are not asked about, until its time is
/// over. What policy denies stays denied.
///
/// A scope is what rules and RBAC speak of: verbs, resources, and if need be names and namespaces, each a list with commas:
///
/// VERB[,VERB…] RESOURCE[,RESOURCE…] [named NAME[,NAME…]] [in NAMESPACE[,…]]
///
/// A subresource is a resource of its own, as deployments.apps/scale. Without `in` only objects that are in no namespace are meant; lists
/// and watches of all namespaces at once are `in *`.
///
/// The exit code is 0 once humans agreed, and 1 otherwise; with --no-wait it is 0 once they are asked. Ctrl-C ends the waiting, not the request: humans can still decide.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis request-access --scope 'patch deployments.apps named checkout in shop' --for 30m \\
      --reason 'find the memory that checkout needs'
  portcullis request-access --scope 'get,list pods in shop,cart' --scope 'delete pods in shop' --for 2h \\
      --reason 'drain the stuck ones' --no-wait
  portcullis request-access --scope 'patch deployments.apps in shop' --for 15m --break-glass --incident INC-4711 \\
      --reason 'checkout is down'")]
pub(crate) struct RequestAccess {
    /// What to have access to; may be given more than once
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<String>,
    /// For how long, from the yes on, as 30m or 8h
    #[arg(long = "for", value_name = "TIME", value_parser = gate::seconds)]
    seconds: u32,
    /// In an emergency: one human's yes counts for every rule that asks, whomever it asks, and another signs it off later
    #[arg(long, requires = "incident")]
    break_glass: bool,
    /// The emergency, as your incident tool calls it
    #[arg(long, value_name = "ID", requires = "break_glass")]
    incident: Option<String>,
    #[command(flatten)]
    ahead: AskFlags,
}

impl RequestAccess {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        gate::run(self.request())
    }

    async fn request(self) -> anyhow::Result<ExitCode> {
        let client = self.ahead.client()?;
        let wanted = WantedAccess {
            reason: self.ahead.reason.to_string(),
            scopes: self.scopes,
            seconds: self.seconds,
            incident: self.incident,
        };
        let asked = client.request_access(&wanted).await?;
        self.ahead.follow(&client, asked, &Next::Calls).await
    }
}
