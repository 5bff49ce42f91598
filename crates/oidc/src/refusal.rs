//! Why somebody is not signed in, in sentences for people. No secret is in them, and no token.

use jiff::Timestamp;
use jsonwebtoken::Algorithm;

use crate::Failure;

/// Somebody is not signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It answers something else, or somebody else's attempt.
    #[error("the answer does not belong to this sign-in: begin again, and finish in the same browser window")]
    State,
    /// Too late.
    #[error("the sign-in took longer than 10 minutes: begin again")]
    Over,
    /// An answer that no provider gives.
    #[error("the provider's answer is malformed: {problem}; begin again")]
    Callback {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An answer in another provider's name (RFC 9207).
    #[error("the answer comes from `{found}`, not from `{expected}`: begin again, and sign in there alone")]
    OtherProvider {
        /// As configured.
        expected: String,
        /// As the answer has it.
        found: String,
    },
    /// The provider said no, or the person did.
    #[error("the provider refused the sign-in with `{error}`{}", more(description.as_deref()))]
    Denied {
        /// RFC 6749, section 4.1.2.1.
        error: String,
        /// In the provider's own words.
        description: Option<String>,
    },
    /// It does not take us for its client.
    #[error(
        "the provider does not know this gate: check `client_id` and `client_secret`{}",
        more(description.as_deref())
    )]
    Client {
        /// In the provider's own words.
        description: Option<String>,
    },
    /// It does not take its code back.
    #[error(
        "the provider does not take its code back, which was used before or is too old: begin again{}",
        more(description.as_deref())
    )]
    Code {
        /// In the provider's own words.
        description: Option<String>,
    },
    /// It gives no tokens for another reason.
    #[error("the provider gives no tokens, with `{error}`{}", more(description.as_deref()))]
    Exchange {
        /// RFC 6749, section 5.2.
        error: String,
        /// In the provider's own words.
        description: Option<String>,
    },
    /// The provider could not be used.
    #[error(transparent)]
    Provider(#[from] Failure),
    /// Its ID token does not prove what it should.
    #[error("the provider's ID token {0}")]
    Token(#[from] Fault),
}

/// What is wrong with an ID token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No signed token.
    #[error("is malformed: {problem}; check that `issuer` is an OpenID provider")]
    Malformed {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Not signed at all, with a shared secret, or in a way that is not known here.
    #[error("is signed with `{found}`: have it signed with RS256, PS256, ES256, ES384 or EdDSA")]
    Algorithm {
        /// As its header has it.
        found: String,
    },
    /// It must not be taken by whoever does not know an extension (RFC 7515, section 4.1.11).
    #[error("asks for extensions (`crit`), of which none is known: switch them off at the provider")]
    Critical,
    /// A key that the provider does not publish, or that could be one of several.
    #[error("{}: begin again in a minute", unknown(id.as_deref()))]
    UnknownKey {
        /// As its header has it.
        id: Option<String>,
    },
    /// A key for something else.
    #[error("names {found:?}, which {} not for: have it signed as the key set says", known(id.as_deref()))]
    OtherAlgorithm {
        /// As its header has it.
        id: Option<String>,
        /// The algorithm.
        found: Algorithm,
    },
    /// Signed by somebody else, or changed.
    #[error(
        "has a signature that does not verify: begin again, and ask the provider's operators if it stays so"
    )]
    Signature,
    /// For the word of somebody else.
    #[error("comes from `{found}`, not from `{expected}`: configure `issuer` exactly as the provider does")]
    Issuer {
        /// As configured.
        expected: String,
        /// As it says.
        found: String,
    },
    /// For somebody else.
    #[error("is for another client than `{client}`: check `client_id`")]
    Audience {
        /// Who we are.
        client: String,
    },
    /// Asked for by somebody else.
    #[error("was given to another client than `{client}` (`azp`): check `client_id`")]
    Party {
        /// Who we are.
        client: String,
    },
    /// A claim that must be there.
    #[error("has no `{claim}`: have the provider send it")]
    Missing {
        /// Its name.
        claim: &'static str,
    },
    /// Too old.
    #[error("expired at {at}, and it is {now}: begin again, and set the clocks if it stays so")]
    Expired {
        /// When.
        at: Timestamp,
        /// By our clock.
        now: Timestamp,
    },
    /// From the future.
    #[error("is good from {at} (`{claim}`), and it is {now}: set the clocks, here and at the provider")]
    NotYet {
        /// Which claim says so.
        claim: &'static str,
        /// From when.
        at: Timestamp,
        /// By our clock.
        now: Timestamp,
    },
    /// The answer to another attempt.
    #[error("does not belong to this sign-in (`nonce`): begin again")]
    Nonce,
    /// It came with another access token than it was made with.
    #[error("does not belong to the access token beside it (`at_hash`): begin again")]
    AccessToken,
    /// The person proved who they are too long ago.
    #[error("says that you signed in at {at}, which is too long ago: sign in anew at the provider")]
    TooLongAgo {
        /// When.
        at: Timestamp,
    },
    /// Nobody in particular.
    #[error("has a `sub` that is not 1 to 255 characters of ASCII: have the provider send another")]
    Subject,
    /// Groups that cannot be read, or would have to be asked for elsewhere.
    #[error("has groups that cannot be read: `{claim}` {problem}")]
    Groups {
        /// As configured.
        claim: String,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
}

fn more(description: Option<&str>) -> String {
    description.map(|text| format!(" ({text})")).unwrap_or_default()
}

fn unknown(id: Option<&str>) -> String {
    id.map_or_else(
        || "does not say which of the provider's keys it is signed with".to_owned(),
        |id| format!("is signed with `{id}`, and the provider does not publish one key of that name"),
    )
}

fn known(id: Option<&str>) -> String {
    id.map_or_else(|| "the provider's keys are".to_owned(), |id| format!("the key `{id}` is"))
}
