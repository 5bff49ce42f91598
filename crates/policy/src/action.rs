//! What a call does, in the words of policy.

use std::fmt;

/// An action of the schema: a Kubernetes verb, or a subresource that is an act of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Action {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
    Evict,
    Debug,
    Exec,
    CopyFrom,
    CopyTo,
    Attach,
    PortForward,
    Proxy,
    Use,
    Reveal,
    Discover,
}

impl Action {
    /// Every action, in the order of [`Action::index`].
    pub(crate) const ALL: [Self; 19] = [
        Self::Get,
        Self::List,
        Self::Watch,
        Self::Create,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::DeleteCollection,
        Self::Evict,
        Self::Debug,
        Self::Exec,
        Self::CopyFrom,
        Self::CopyTo,
        Self::Attach,
        Self::PortForward,
        Self::Proxy,
        Self::Use,
        Self::Reveal,
        Self::Discover,
    ];

    /// The action of `verb` on a resource. The subresource decides before the verb: exec by GET is
    /// exec, and whoever may only read must not run commands. `use` and `reveal` are verbs of no request, and of Secrets alone;
    /// `copyfrom` and `copyto` of pods: which exec is one of them, its command tells ([`crate::facts::Run`]).
    /// `None` for other verbs that are none (`bind`, `*`).
    pub(crate) fn of(verb: &str, group: &str, resource: &str, subresource: &str) -> Option<Self> {
        let plain = match verb {
            "get" => Self::Get,
            "list" => Self::List,
            "watch" => Self::Watch,
            "create" => Self::Create,
            "update" => Self::Update,
            "patch" => Self::Patch,
            "delete" => Self::Delete,
            "deletecollection" => Self::DeleteCollection,
            "use" if (group, resource, subresource) == ("", "secrets", "") => Self::Use,
            "reveal" if (group, resource, subresource) == ("", "secrets", "") => Self::Reveal,
            "copyfrom" if is_copied((group, resource, subresource)) => return Some(Self::CopyFrom),
            "copyto" if is_copied((group, resource, subresource)) => return Some(Self::CopyTo),
            _ => return None,
        };
        Some(match subresource {
            "exec" => Self::Exec,
            "attach" => Self::Attach,
            "portforward" => Self::PortForward,
            "proxy" => Self::Proxy,
            "eviction" => Self::Evict,
            "ephemeralcontainers" if resource == "pods" && !plain.is_read() => Self::Debug,
            _ => plain,
        })
    }

    /// The name in the schema.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Evict => "evict",
            Self::Debug => "debug",
            Self::Exec => "exec",
            Self::CopyFrom => "copyfrom",
            Self::CopyTo => "copyto",
            Self::Attach => "attach",
            Self::PortForward => "portforward",
            Self::Proxy => "proxy",
            Self::Use => "use",
            Self::Reveal => "reveal",
            Self::Discover => "discover",
        }
    }

    /// The action groups it belongs to, ancestors included; a test holds this against the schema.
    pub(crate) fn groups(self) -> &'static [&'static str] {
        match self {
            Self::Get | Self::List | Self::Watch => &["read"],
            Self::Create | Self::Update | Self::Patch => &["change", "write"],
            Self::Delete | Self::DeleteCollection | Self::Evict => &["destroy", "write"],
            Self::CopyFrom | Self::CopyTo => &["copy", "stream"],
            Self::Debug | Self::Exec | Self::Attach | Self::PortForward | Self::Proxy => &["stream"],
            Self::Use | Self::Reveal => &["disclose"],
            Self::Discover => &[],
        }
    }

    /// Position in [`Action::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    pub(crate) fn is_read(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Watch)
    }

    /// Exec, copies, attach, port-forward and proxy: bytes the gate does not understand.
    pub(crate) fn is_tunnel(self) -> bool {
        self.runs() || matches!(self, Self::PortForward | Self::Proxy)
    }

    /// What runs a command in a container, or joins one that runs.
    pub(crate) fn runs(self) -> bool {
        self.copies() || matches!(self, Self::Exec | Self::Attach)
    }

    /// What `kubectl cp` runs.
    pub(crate) fn copies(self) -> bool {
        matches!(self, Self::CopyFrom | Self::CopyTo)
    }

    /// What shows a Secret's value.
    pub(crate) fn discloses(self) -> bool {
        matches!(self, Self::Use | Self::Reveal)
    }

    /// Writes, and what reaches into running pods.
    pub(crate) fn changes(self) -> bool {
        !self.is_read() && !self.discloses() && self != Self::Discover
    }
}

fn is_copied(kind: (&str, &str, &str)) -> bool {
    matches!(kind, ("", "pods", "" | "exec"))
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
