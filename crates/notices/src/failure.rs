//! Why a notice was not taken, and what that means for the next try.

use std::error::Error;
use std::time::Duration;

use crate::Words;

/// Why a target did not take a notice. Its words hold nothing secret: no address, and nothing that a target answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may take it later.
    Later {
        /// What went wrong.
        why: String,
        /// For how long the target wants to be left alone.
        after: Option<Duration>,
    },
    /// It would not take it later either.
    Never {
        /// What it said, and what can be done.
        why: String,
    },
}

impl Failure {
    pub(crate) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), after: None }
    }

    pub(crate) fn never(why: impl Into<String>) -> Self {
        Self::Never { why: why.into() }
    }
}

/// The innermost error: what the network or TLS said. Those around it may name an address.
pub(crate) fn cause(error: &dyn Error) -> Option<Words> {
    let mut cause = error.source()?;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Some(Words::from(cause.to_string()))
}
