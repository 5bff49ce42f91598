//! `kubectl cp`: a command of its own that exec runs.

use crate::action::Action;

/// Words that are exactly those that kubectl sends (k8s.io/kubectl/pkg/cmd/cp/cp.go, 1.37), with a path that says where it leads.
/// Whatever else tar is told (`--to-command` runs programs, `-T` reads names from files) makes it a command as any other.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Copy {
    /// What is read: a file, or a folder with all in it.
    From(String),
    /// The folder that is written into. Or what kubectl asks about first: whether there is a folder of this name.
    To(String),
}

impl Copy {
    /// `None` for every other command.
    pub(super) fn of(words: &[&str], stdin: bool, tty: bool) -> Option<Self> {
        let (copy, typed): (fn(String) -> Self, bool) = match words {
            ["tar", "cf", "-", _] => (Self::From, false),
            ["test", "-d", _] => (Self::To, false),
            ["tar", "-xmf", "-", "-C", _]
            | ["tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-", "-C", _] => (Self::To, true),
            _ => return None,
        };
        let path = words.last().filter(|path| is_plain(path))?;
        (stdin == typed && !tty).then(|| copy((*path).to_owned()))
    }

    pub(super) fn action(&self) -> Action {
        match self {
            Self::From(_) => Action::CopyFrom,
            Self::To(_) => Action::CopyTo,
        }
    }

    pub(super) fn path(&self) -> &str {
        match self {
            Self::From(path) | Self::To(path) => path,
        }
    }
}

/// From the root, and in one way alone: by `/tmp/../etc` or a relative path, a rule about `/etc` would be got round. It begins with
/// no `-`, so that nothing takes it for an option.
fn is_plain(path: &str) -> bool {
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    path == "/" || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(plain))
}

#[cfg(test)]
mod tests;
