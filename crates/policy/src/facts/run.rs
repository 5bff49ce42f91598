//! What exec and attach run and connect: told by their options alone, since they have no body.

use std::{collections::BTreeSet, fmt};

use kube_api::Options;

/// `PodExecOptions` and `PodAttachOptions` of k8s.io/api/core/v1/types.go, as rules see them; empty for other calls.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// The first word of the command, as it is written: a path is another program than its last part.
    pub(crate) program: String,
    /// The other words.
    pub(crate) arguments: BTreeSet<String>,
    /// All words in their order, quoted as for a POSIX shell: no two commands have the same line.
    pub(crate) command_line: String,
    /// Empty where the server chooses.
    pub(crate) container: String,
    pub(crate) stdin: bool,
    pub(crate) tty: bool,
}

impl Run {
    /// `None` if the command is none that a program can be given, which parsing has refused before.
    pub(crate) fn of(options: &Options) -> Option<Self> {
        let mut words = options.all("command");
        Some(Self {
            command_line: shlex::try_join(options.all("command")).ok()?,
            program: words.next().unwrap_or_default().to_owned(),
            arguments: words.map(str::to_owned).collect(),
            container: options.get("container").unwrap_or_default().to_owned(),
            stdin: options.is_set("stdin"),
            tty: options.is_set("tty"),
        })
    }
}

/// Not the command: it may hold a password.
impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
