//! Who is to be told, and of what: what configuration says.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Endpoint, Kind, MailServer, Mailbox, Name, Notice, TargetName};

/// One place where people are told.
#[derive(Debug, Clone)]
pub struct Target {
    /// What it is called.
    pub name: TargetName,
    /// What it is to be told.
    pub filter: Filter,
    /// How it is told.
    pub channel: Channel,
    /// Certificates (PEM) to trust for it in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// How long one try may take.
    pub timeout: Duration,
}

/// Which notices.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of these kinds; of all if there is none.
    pub kinds: Vec<Kind>,
    /// Only for rules that ask one of these people or groups; for all if there is none. A notice that is about no such rule, as
    /// that the glass was broken, is let through.
    pub approvers: Vec<String>,
}

/// How people are told. What is secret is the name of a file, which nobody but its owner may read.
#[derive(Debug, Clone)]
pub enum Channel {
    /// Our JSON, signed.
    Webhook {
        /// Where to.
        address: Endpoint,
        /// What it is signed with: `whsec_…`.
        secret_file: PathBuf,
    },
    /// An incoming webhook of Slack.
    Slack {
        /// Its address, which is a secret.
        address_file: PathBuf,
    },
    /// A Workflows webhook of Microsoft Teams.
    Teams {
        /// Its address, which is a secret.
        address_file: PathBuf,
    },
    /// Mail.
    Mail(Mail),
}

/// Mail, by SMTP.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The server.
    pub server: MailServer,
    /// As whom to sign in, and the file of the password.
    pub user: Option<(String, PathBuf)>,
    /// Who writes.
    pub from: Mailbox,
    /// Who gets it: one mail to all.
    pub to: Vec<Mailbox>,
}

impl Filter {
    /// Whether this is to be told.
    #[must_use]
    pub fn wants(&self, notice: &Notice) -> bool {
        let kind = self.kinds.is_empty() || self.kinds.contains(&notice.event.kind());
        // As names that are shown, since those of the notice are.
        let asked = |approver: &String| notice.approvers.contains(&Name::from(approver.as_str()));
        let approvers =
            self.approvers.is_empty() || notice.approvers.is_empty() || self.approvers.iter().any(asked);
        kind && approvers
    }
}
