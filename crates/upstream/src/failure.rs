//! Why the API server gave no answer that could be passed on.

use tower::BoxError;

use crate::{connector::ConnectError, impersonation::NotImpersonable};

/// A call that was permitted and recorded, and got no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No connection; nothing was sent.
    #[error(transparent)]
    Connect(ConnectError),
    /// The gate's own credential could not be refreshed; nothing was sent.
    #[error("the gate's credential for the cluster could not be read: {0}")]
    Credential(#[source] BoxError),
    /// Every connection closed before it took the request; nothing was sent.
    #[error("every connection closed before it took the request")]
    Unsent,
    /// The caller cannot be impersonated; nothing was sent.
    #[error(transparent)]
    Impersonation(NotImpersonable),
    /// The receipt is for another cluster; nothing was sent.
    #[error("the recorded intent is for another cluster")]
    WrongCluster,
    /// The judged target does not fit a URI; nothing was sent.
    #[error("the request target cannot be sent: {0}")]
    Target(#[source] http::Error),
    /// No answer in time; the API server may have acted.
    #[error("no answer within {seconds} s")]
    Deadline {
        /// The response timeout.
        seconds: u64,
    },
    /// The connection broke before the answer; the API server may have acted.
    #[error("the connection broke before the answer: {0}")]
    Broken(#[source] hyper::Error),
    /// A redirect, which an aggregated API server could use to lead the gate elsewhere (CVE-2022-3172).
    #[error("the API server redirected, which is never followed")]
    Redirect,
    /// A protocol switch that nobody asked for.
    #[error("the API server switched protocols unasked")]
    Switched,
}

impl Failure {
    /// Whether it is certain that no byte of the request reached the API server.
    #[must_use]
    pub fn nothing_sent(&self) -> bool {
        match self {
            Self::Connect(_)
            | Self::Credential(_)
            | Self::Unsent
            | Self::Impersonation(_)
            | Self::WrongCluster
            | Self::Target(_) => true,
            Self::Deadline { .. } | Self::Broken(_) | Self::Redirect | Self::Switched => false,
        }
    }
}
