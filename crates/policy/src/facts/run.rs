//! What exec and attach run and connect: told by their options alone, since they have no body.

use std::{collections::BTreeSet, fmt};

use kube_api::Options;

use crate::action::Action;

mod copy;

use copy::Copy;

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
    copy: Option<Copy>,
}

impl Run {
    /// `None` if the command is none that a program can be given, which parsing has refused before.
    pub(crate) fn of(options: &Options) -> Option<Self> {
        let (stdin, tty) = (options.is_set("stdin"), options.is_set("tty"));
        let copy = Copy::of(&options.all("command").collect::<Vec<_>>(), stdin, tty);
        let mut words = options.all("command");
        Some(Self {
            command_line: shlex::try_join(options.all("command")).ok()?,
            program: words.next().unwrap_or_default().to_owned(),
            arguments: words.map(str::to_owned).collect(),
            container: options.get("container").unwrap_or_default().to_owned(),
            stdin,
            tty,
            copy,
        })
    }

    /// The action that an exec of it is.
    pub(crate) fn action(&self) -> Action {
        self.copy.as_ref().map_or(Action::Exec, Copy::action)
    }

    /// What is copied, or where to; empty if it is no copy.
    pub(crate) fn path(&self) -> &str {
        self.copy.as_ref().map_or("", Copy::path)
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
