//! What is recorded: records, each with its time, and the bounds of what they hold.

use crate::{Digest, Text, Words};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::fmt;
use std::str::FromStr;

/// Bytes of a request's or an answer's body that are kept; of a longer one, its head.
pub const MAX_BODY: usize = 3 << 20;
/// Bytes of one piece of a stream; more make several records.
pub const MAX_PIECE: usize = 256 << 10;

/// A session's id, the name of its recording: 1 to 64 of `A-Z a-z 0-9 . _ -`, the first one no `.`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct Session(String);

/// Text that names no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session's id is 1 to 64 of `A-Z a-z 0-9 . _ -`, and does not begin with `.`")]
pub struct NotASession;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Microseconds since the recording began. Never less than the record before.
    pub at: u64,
    /// What happened.
    pub what: What,
}

/// What happened. Bytes of streams, bodies and leaves are the record's payload, and no part of its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// A body, which later records of this recording refer to ([`Blob`]).
    Body {
        /// The digest of what is kept.
        sha256: Digest,
        /// What is kept.
        #[serde(skip)]
        kept: Payload,
    },
    /// The agent called.
    Called(Called),
    /// What a call is about to change, as it is before that.
    Before(Before),
    /// A call was answered.
    Answered(Answered),
    /// A stream began.
    Opened(Opened),
    /// Something passed on a stream.
    Bytes {
        /// Which stream.
        stream: u32,
        /// Which of its channels.
        channel: Channel,
        /// What passed.
        #[serde(skip)]
        bytes: Payload,
    },
    /// A stream's terminal has another size.
    Resized {
        /// Which stream.
        stream: u32,
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// A stream ended.
    Closed {
        /// Which stream.
        stream: u32,
        /// How, for people.
        how: Text<1024>,
    },
    /// The recording begins, or goes on after it was let go in good order.
    Began {},
    /// The recording goes on after a run that did not end in good order. What that run had not sealed is lost: at most the
    /// segment it was at, and what was still in the queue of a disk that was slow. None of its streams goes on.
    Interrupted {
        /// Whether part of a segment was found, and removed.
        torn: bool,
    },
    /// The recorder let go of the recording in good order.
    Stopped {},
}

impl What {
    /// Whether it tells how something ended that was recorded as begun.
    pub(crate) fn is_end(&self) -> bool {
        match self {
            Self::Answered(_) | Self::Closed { .. } => true,
            Self::Body { .. }
            | Self::Called(_)
            | Self::Before(_)
            | Self::Opened(_)
            | Self::Bytes { .. }
            | Self::Resized { .. }
            | Self::Began {}
            | Self::Interrupted { .. }
            | Self::Stopped {} => false,
        }
    }
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Called {
    /// Its id.
    pub call: Text<128>,
    /// What was asked for, as the ledger tells it.
    pub act: Text<4096>,
    /// The request's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Blob>,
}

/// The object that a call changes or deletes, as it was when the gate looked at it, right before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// The call's id.
    pub call: Text<128>,
    /// Whether it has values that are masked.
    pub masked: bool,
    /// The digest of what the gate keeps of them, as it is stored; `None`: it keeps nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Digest>,
    /// The object, as JSON; `None`: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Blob>,
}

/// A call's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The call's id.
    pub call: Text<128>,
    /// The HTTP status.
    pub status: u16,
    /// The body's media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Text<256>>,
    /// What the agent was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Blob>,
}

/// A stream's beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// Its number: no other stream of this recording has it.
    pub stream: u32,
    /// The id of the call that opened it.
    pub call: Text<128>,
    /// What it is.
    pub kind: Kind,
    /// The pod's namespace.
    pub namespace: Text<256>,
    /// The pod.
    pub pod: Text<256>,
    /// The container, or the port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Text<256>>,
    /// The command of an exec.
    pub argv: Words,
    /// Whether there is a terminal at its end.
    pub tty: bool,
}

/// What a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "Kubernetes' own words")]
pub enum Kind {
    Exec,
    Attach,
    PortForward,
    Log,
    Watch,
}

/// Where on a stream something passed, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// From the agent.
    Stdin,
    /// To the agent.
    Stdout,
    /// To the agent.
    Stderr,
    /// To the agent, where there are no standard channels: a log.
    Data,
}

/// A body that this recording has in a record of its own, [`What::Body`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// The digest of what is kept.
    pub sha256: Digest,
    /// Bytes that are kept.
    pub kept: u64,
    /// Bytes of the whole: more than are kept, when it was cut.
    pub whole: u64,
    /// The number of the segment that has it.
    pub segment: u64,
}

/// A record's bytes. [`Debug`] tells how many.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Payload(pub Bytes);

// === impl Session ===

impl Session {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Session {
    type Err = NotASession;

    fn from_str(text: &str) -> Result<Self, NotASession> {
        let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(fits) && !text.starts_with('.') {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotASession)
        }
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Session {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

// === impl What ===

impl What {
    /// The stream that this is of.
    #[must_use]
    pub fn stream(&self) -> Option<u32> {
        match self {
            Self::Opened(Opened { stream, .. })
            | Self::Bytes { stream, .. }
            | Self::Resized { stream, .. }
            | Self::Closed { stream, .. } => Some(*stream),
            Self::Body { .. }
            | Self::Called(_)
            | Self::Before(_)
            | Self::Answered(_)
            | Self::Began {}
            | Self::Interrupted { .. }
            | Self::Stopped {} => None,
        }
    }

    /// The bytes beside its JSON.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Body { kept: Payload(bytes), .. } | Self::Bytes { bytes: Payload(bytes), .. } => bytes,
            Self::Called(_)
            | Self::Before(_)
            | Self::Answered(_)
            | Self::Opened(_)
            | Self::Resized { .. }
            | Self::Closed { .. }
            | Self::Began {}
            | Self::Interrupted { .. }
            | Self::Stopped {} => &[],
        }
    }

    /// The place of the payload, and how long it may be.
    pub(crate) fn payload_mut(&mut self) -> Option<(&mut Payload, usize)> {
        match self {
            Self::Body { kept, .. } => Some((kept, MAX_BODY)),
            Self::Bytes { bytes, .. } => Some((bytes, MAX_PIECE)),
            Self::Called(_)
            | Self::Before(_)
            | Self::Answered(_)
            | Self::Opened(_)
            | Self::Resized { .. }
            | Self::Closed { .. }
            | Self::Began {}
            | Self::Interrupted { .. }
            | Self::Stopped {} => None,
        }
    }

    /// About how many bytes it takes in memory.
    pub(crate) fn weight(&self) -> usize {
        let text = match self {
            Self::Called(Called { act, .. }) => act.as_str().len(),
            Self::Opened(Opened { argv, .. }) => argv.weight(),
            Self::Closed { how, .. } => how.as_str().len(),
            Self::Before(_)
            | Self::Answered(_)
            | Self::Body { .. }
            | Self::Bytes { .. }
            | Self::Resized { .. }
            | Self::Began {}
            | Self::Interrupted { .. }
            | Self::Stopped {} => 0,
        };
        1024 + text + self.payload().len()
    }
}

impl Channel {
    /// Whether the agent was shown it.
    #[must_use]
    pub fn is_output(self) -> bool {
        matches!(self, Self::Stdout | Self::Stderr | Self::Data)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
