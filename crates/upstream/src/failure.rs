//! Why the API server gave no answer that could be passed on.

use std::sync::Arc;

use crate::{
    connector::ConnectError, credential::PluginError, impersonation::NotImpersonable, reader::Blind,
    switch::NotSwitched,
};

/// A call that was permitted and recorded, and got no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No connection; nothing was sent.
    #[error("{0}")]
    Connect(Arc<ConnectError>),
    /// The gate's own credential could not be refreshed; nothing was sent.
    #[error("the gate's credential for the cluster could not be read: {0}")]
    Credential(#[source] PluginError),
    /// Every connection closed before it took the request; nothing was sent.
    #[error("every connection closed before it took the request")]
    Unsent,
    /// Nobody wants it any more; nothing was sent.
    #[error("the call was given up before it was sent")]
    Unwanted,
    /// The caller cannot be impersonated; nothing was sent.
    #[error(transparent)]
    Impersonation(NotImpersonable),
    /// Values of the cluster's Secrets could pass unmasked; nothing was sent.
    #[error("the values of the cluster's Secrets are not known: {0}")]
    Blind(Blind),
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
        seconds: f64,
    },
    /// The connection broke before the answer; the API server may have acted.
    #[error("the connection broke before the answer: {0}")]
    Broken(#[source] hyper::Error),
    /// A redirect, which an aggregated API server could use to lead the gate elsewhere (CVE-2022-3172).
    #[error("the API server redirected, which is never followed")]
    Redirect,
    /// A connection for a stream that could not be opened; nothing was sent.
    #[error("the connection for the stream could not be opened: {0}")]
    NotOpened(#[source] hyper::Error),
    /// The API server agreed to something else than what was asked for; nothing of the client's was sent.
    #[error("the API server did not switch protocols as it was asked: {0}")]
    NotSwitched(#[from] NotSwitched),
    /// A protocol switch that nobody asked for.
    #[error("the API server switched protocols unasked")]
    Switched,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_told() {
        let host = || "api.example.com".to_owned();
        let io = || std::io::Error::other("the reason");
        let connect = |error| Failure::Connect(Arc::new(error));
        let command = || "aws".to_owned();
        let target = http::Uri::builder().path_and_query("no path").build().unwrap_err();
        let told = [
            connect(ConnectError::Tcp { host: host(), port: 443, source: io() }),
            connect(ConnectError::Tls { host: host(), source: io() }),
            connect(ConnectError::NotHttp2 { host: host() }),
            connect(ConnectError::Deadline { host: host(), seconds: 5.0 }),
            connect(ConnectError::Ended { host: host() }),
            Failure::Credential(PluginError::TooSlow { command: command(), seconds: 20.0 }),
            Failure::Credential(PluginError::NoCredential { command: command() }),
            Failure::Credential(PluginError::Aborted),
            Failure::Unsent,
            Failure::Blind(Blind::Listing),
            Failure::WrongCluster,
            Failure::Target(target),
            Failure::Deadline { seconds: 60.0 },
            Failure::Redirect,
            Failure::Switched,
        ];
        insta::assert_snapshot!(told.map(|failure| failure.to_string()).join("\n"));
    }
}
