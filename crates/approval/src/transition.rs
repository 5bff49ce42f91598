//! What happens to an approval, and why it may not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Assurance, Human, Level};

/// One step of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// The how many-eth it is, from 1: a store takes each number once.
    pub number: u32,
    /// When, no earlier than the one before.
    pub at: Timestamp,
    /// What happened.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// A human said yes. Whether that suffices is in the demands.
    Approved {
        /// Who, with the groups they were in.
        by: Human,
        /// How sure that is.
        assurance: Assurance,
    },
    /// A human said no, which is final.
    Refused {
        /// Who.
        by: Human,
        /// For the agent to read.
        why: String,
    },
    /// Time ran out, to decide or to use it.
    Expired,
    /// Nobody wants it any more.
    Withdrawn {
        /// Why not.
        why: String,
        /// The human who ended it, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Human>,
    },
    /// It, or one of its changes, was used, for this call and for no other.
    Consumed {
        /// The call.
        call: String,
        /// What the call is: the digest of its [`Bound`](crate::Bound), or of its [`Change`](crate::Change), as text.
        digest: String,
    },
    /// What it was judged against has changed; another was asked in its place.
    Superseded {
        /// The other.
        by: String,
        /// What has changed.
        why: String,
    },
    /// A human looked at what was done by breaking the glass, and signed it off.
    Reviewed {
        /// Who.
        by: Human,
        /// What they found.
        note: String,
        /// How sure it is that it was them.
        assurance: Assurance,
    },
}

/// Why a step is not taken. Says what stands against it and what can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is decided, over or used.
    #[error("it is {0} already: nothing can change that")]
    Final(&'static str),
    /// The number is not the next one.
    #[error("somebody else was faster: look at it again")]
    Number,
    /// It is earlier than the step before it.
    #[error("it is dated before the step it follows")]
    Time,
    /// The time to decide, or to use it, is over.
    #[error("its time ran out at {0:.0}: it has to be asked for again")]
    TooLate(Timestamp),
    /// It has not run out.
    #[error("its time has not run out before {0:.0}")]
    TooEarly(Timestamp),
    /// No rule that asks names them.
    #[error("`{who}` is not among those who may decide: {may}")]
    NotAsked {
        /// The human.
        who: String,
        /// Those who may.
        may: String,
    },
    /// The agent runs on their behalf.
    #[error("`{0}` is the human on whose behalf the agent runs: somebody else has to decide")]
    Delegator(String),
    /// They wrote the rule that asks.
    #[error("`{who}` wrote the rule `{rule}` that asks: somebody else has to decide")]
    Author {
        /// The human.
        who: String,
        /// The rule.
        rule: String,
    },
    /// A rule wants to be surer that it is them.
    #[error("the rule `{rule}` demands more to know who decides: {}", told(*level))]
    NotSure {
        /// The rule.
        rule: String,
        /// What it demands.
        level: Level,
    },
    /// What their passkey signed is not this.
    #[error("the passkey's signature does not hold: {0}")]
    Passkey(passkey::Refusal),
    /// The passkey is not theirs.
    #[error("this passkey is not enrolled for `{0}`: use one of theirs, or enrol it first")]
    NotEnrolled(String),
    /// They said yes before; under this name or another.
    #[error("`{0}` has approved it already: somebody else has to, too")]
    Twice(String),
    /// It is not approved yet.
    #[error("it is not approved")]
    NotApproved,
    /// It was approved for something else.
    #[error("it was approved for another call")]
    OtherCall,
    /// The change was made, or the call made another.
    #[error("that change was made already: what goes on has to be asked for again")]
    Made,
    /// Access is not for one call.
    #[error("it is access for a time, which no call uses up: end it instead")]
    ForATime,
    /// An object is named twice, or out of order.
    #[error("an object is named twice, or out of order: name each once")]
    NamedTwice,
    /// The glass was not broken, or somebody signed it off.
    #[error("there is nothing to sign off: the glass was not broken by it, or somebody has looked at it")]
    NothingToReview,
    /// More can be done by it.
    #[error("it can be used until {0:.0}: end it, or wait, before it is signed off")]
    StillOpen(Timestamp),
    /// Who did it does not sign it off.
    #[error("`{0}` broke the glass, or the agent runs on their behalf: somebody else has to sign it off")]
    OwnReview(String),
    /// They are no reviewer.
    #[error("`{who}` is not among those who may sign it off: {may}")]
    NotReviewer {
        /// The human.
        who: String,
        /// Those who may.
        may: String,
    },
    /// What was asked can be met by nobody, or is not what a yes would be bound to.
    #[error("nobody is asked to decide, or not within the time that a yes is bound to")]
    Unmeetable,
}

/// What to do about a decision that is not sure enough.
fn told(level: Level) -> &'static str {
    match level {
        Level::Link | Level::LocalAccount => {
            "use `portcullis approvals` with your account on the gate's machine, or more"
        }
        Level::Provider => "sign in to the console with your organisation, or use a passkey",
        Level::Passkey => "use a passkey, in the console",
    }
}
