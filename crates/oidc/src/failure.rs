//! Why the provider could not be used.

use std::fmt;

use reqwest::StatusCode;

use crate::AddressProblem;

/// The provider could not be reached, or is not as it should be. Nothing that a person did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection, no TLS, or no answer in time.
    #[error("the provider's {part} cannot be reached: {why}; check its address, `ca` and the network")]
    Unreachable {
        /// What was asked for.
        part: Part,
        /// What went wrong.
        why: String,
    },
    /// Followed, it would lead elsewhere.
    #[error(
        "the provider's {part} redirects, which is never followed: configure the address it redirects to"
    )]
    Redirect {
        /// What was asked for.
        part: Part,
    },
    /// Neither an answer nor an error that OAuth knows.
    #[error("the provider's {part} answers with status {status}: see the provider's own log")]
    Status {
        /// What was asked for.
        part: Part,
        /// The status.
        status: StatusCode,
    },
    /// More than anything honest needs.
    #[error("the provider's {part} is larger than {most} bytes: check that `issuer` is an OpenID provider")]
    TooLarge {
        /// What was asked for.
        part: Part,
        /// The limit.
        most: usize,
    },
    /// Not the JSON that it should be.
    #[error("the provider's {part} is malformed: {why}; check that `issuer` is an OpenID provider")]
    Malformed {
        /// What was asked for.
        part: Part,
        /// What is wrong with it.
        why: String,
    },
    /// It speaks for another, or its name is written in another way.
    #[error("the provider calls itself `{found}`, not `{expected}`: configure `issuer` exactly as it does")]
    OtherIssuer {
        /// As configured.
        expected: String,
        /// As discovered.
        found: String,
    },
    /// An address in its discovery document will not do.
    #[error("the provider's {part} {problem}; that is for the provider to put right")]
    Address {
        /// Which.
        part: Part,
        /// What is wrong with it.
        problem: AddressProblem,
    },
    /// It says that it knows other methods alone.
    #[error("the provider does not offer PKCE with `S256`: switch it on there")]
    NoPkce,
    /// It takes neither way of sending a secret.
    #[error(
        "the provider takes no client secret by `client_secret_basic` or `client_secret_post`: switch one on \
         there"
    )]
    NoMethod,
}

/// What a provider is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `/.well-known/openid-configuration`.
    Discovery,
    /// `authorization_endpoint`.
    Authorization,
    /// `token_endpoint`.
    Token,
    /// `jwks_uri`.
    Keys,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "discovery document",
            Self::Authorization => "authorization endpoint",
            Self::Token => "token endpoint",
            Self::Keys => "key set",
        })
    }
}
