//! Why Secrets are not seen. Nothing here quotes what an API server said: it could be a value.

use http::StatusCode;

/// Why reading Secrets failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The reader's user may not list or watch Secrets, or the gate may not impersonate it.
    #[error(
        "the API server does not let the gate read Secrets as `portcullis:secret-reader`; grant it with `portcullis rbac | \
         kubectl apply -f -`"
    )]
    Forbidden,
    /// Another refusal.
    #[error("the API server answered with status {0}")]
    Status(StatusCode),
    /// No connection.
    #[error("{0}")]
    Connect(String),
    /// The gate's own credential could not be refreshed.
    #[error("the gate's credential for the cluster could not be read")]
    Credential,
    /// The request could not be built.
    #[error("the request could not be built")]
    Request,
    /// No answer, or no end of it, in time.
    #[error("the API server did not answer in time")]
    Silent,
    /// The connection broke.
    #[error("the connection to the API server broke")]
    Broken,
    /// A watch that came to its end; the next one begins where it ended.
    #[error("the watch ended and has not begun again")]
    Ended,
    /// The version to go on from is gone (410): everything is listed again.
    #[error("the API server no longer has the version to go on from")]
    Expired,
    /// Values that were left out have room again: everything is listed again to get them.
    #[error("Secrets that were left out are being listed")]
    Room,
    /// An answer that is none to what was asked.
    #[error("the API server's answer is no answer about Secrets: {0}")]
    NotUnderstood(&'static str),
    /// One Secret, with its metadata, is larger than the API server should let it be.
    #[error("a Secret with its metadata is larger than {bytes} bytes")]
    TooLarge {
        /// The most that is taken.
        bytes: usize,
    },
    /// The values in use are more than may be held.
    #[error(
        "the values of its Secrets are more than {bytes} bytes, most of them in namespace `{namespace}`; raise \
         `masking.known_values.bytes` or leave out types with `except_types`"
    )]
    TooMuch {
        /// The most that is held.
        bytes: usize,
        /// The namespace that holds most.
        namespace: String,
    },
}

/// Why values of Secrets could pass unseen, so that no call may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Blind {
    /// Nobody began to read.
    #[error("reading its Secrets has not begun")]
    NotBegun,
    /// The first list is under way.
    #[error("its Secrets are still being listed")]
    Listing,
    /// There is no list that is complete.
    #[error("its Secrets cannot be listed: {0}")]
    Unlisted(Problem),
    /// The watch is lost for longer than configured. Until then what is known goes on being masked, and only what was
    /// written since is unknown; a rolling upgrade of an API server takes minutes, and must not stop every agent.
    #[error("its Secrets have not been followed for more than {seconds} s: {problem}")]
    Lost {
        /// How long that may last.
        seconds: u64,
        /// What keeps it from going on.
        problem: Problem,
    },
    /// What finds values has no room for all that are in use. The limit is of memory and no setting: such values take more
    /// than what [`Reading::bytes`](super::Reading::bytes) allows should.
    #[error(
        "the memory that finding the values of its Secrets may take has no room for {values} of them, most of which are in \
         namespace `{namespace}`; leave out types with `except_types` or read fewer namespaces"
    )]
    NoRoom {
        /// How many.
        values: usize,
        /// The namespace that holds most.
        namespace: String,
    },
    /// A namespace has more than the part of [`Reading::bytes`](super::Reading::bytes) that one namespace may have, and the
    /// call could show it.
    #[error(
        "the values of Secrets in namespace `{namespace}` are more than {bytes} bytes, the most of one namespace; remove some \
         there, or raise `masking.known_values.bytes`"
    )]
    OverShare {
        /// The namespace.
        namespace: String,
        /// The most of one namespace.
        bytes: usize,
    },
    /// A defect of the gate's.
    #[error("the reader of its Secrets ended; look at the gate's log and start it again")]
    Over,
}

impl Problem {
    /// Whether the API server is not there at all, so that no call would reach it either.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Connect(_))
    }

    /// Whether the watch can go on from where it was.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Credential | Self::Silent | Self::Broken | Self::Ended => true,
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Forbidden
            | Self::Request
            | Self::Expired
            | Self::Room
            | Self::NotUnderstood(_)
            | Self::TooLarge { .. }
            | Self::TooMuch { .. } => false,
        }
    }
}

impl Blind {
    /// Whether the operator has to grant the right to read Secrets.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Unlisted(Problem::Forbidden) | Self::Lost { problem: Problem::Forbidden, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_told() {
        let problems = [
            Problem::Forbidden,
            Problem::Status(StatusCode::INTERNAL_SERVER_ERROR),
            Problem::Credential,
            Problem::Request,
            Problem::Silent,
            Problem::Broken,
            Problem::Ended,
            Problem::Expired,
            Problem::Room,
            Problem::NotUnderstood("it is not JSON"),
            Problem::TooLarge { bytes: 1 << 20 },
            Problem::TooMuch { bytes: 1 << 20, namespace: "shop".to_owned() },
        ];
        let blind = [
            Blind::NotBegun,
            Blind::Listing,
            Blind::Unlisted(Problem::Forbidden),
            Blind::Lost { seconds: 300, problem: Problem::Broken },
            Blind::NoRoom { values: 3, namespace: "shop".to_owned() },
            Blind::OverShare { namespace: "shop".to_owned(), bytes: 1 << 18 },
            Blind::Over,
        ];
        let told = problems.iter().map(ToString::to_string).chain(blind.iter().map(ToString::to_string));
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
    }
}
