//! What is heard.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;

use super::StreamId;

/// What the other side did.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// It opened a stream: reply to it or reset it.
    Opened {
        /// Which.
        stream: StreamId,
        /// What for: see [`crate::kind`].
        headers: HeaderMap,
        /// Whether it sends nothing more.
        finished: bool,
    },
    /// It accepted a stream that we opened.
    Replied {
        /// Which.
        stream: StreamId,
        /// Empty in Kubernetes.
        headers: HeaderMap,
        /// Whether it sends nothing more.
        finished: bool,
    },
    /// It sent data: a frame, or the part of it that has come. Empty only to say that it finished.
    Data {
        /// On which.
        stream: StreamId,
        /// A part of what was received.
        bytes: Bytes,
        /// Whether it sends nothing more.
        finished: bool,
    },
    /// It ended a stream in both directions: [`ResetStatus::CANCEL`] is how spdystream closes those that it did not finish.
    Reset {
        /// Which.
        stream: StreamId,
        /// Why.
        status: ResetStatus,
    },
    /// It answered a ping of ours.
    Ponged {
        /// Which.
        ping: u32,
    },
    /// It opens nothing more, and if it is spdystream, it reads nothing more.
    GoAway {
        /// The last stream of ours that it took; `None` if there is none.
        last: Option<StreamId>,
        /// Why.
        status: GoAwayStatus,
    },
}

/// Why a stream is reset: `RstStreamStatus` in moby/spdystream/spdy/types.go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResetStatus(pub u32);

impl ResetStatus {
    /// The other side broke the rules.
    pub const PROTOCOL_ERROR: Self = Self(1);
    /// Not opened.
    pub const REFUSED_STREAM: Self = Self(3);
    /// Not needed any more.
    pub const CANCEL: Self = Self(5);
    /// We failed.
    pub const INTERNAL_ERROR: Self = Self(6);
}

/// Why a connection ends: `GoAwayStatus` in moby/spdystream/spdy/types.go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GoAwayStatus(pub u32);

impl GoAwayStatus {
    /// All was said.
    pub const OK: Self = Self(0);
    /// The other side broke the rules.
    pub const PROTOCOL_ERROR: Self = Self(1);
    /// We failed.
    pub const INTERNAL_ERROR: Self = Self(2);
}

// What goes through may be secret: only its length is shown.

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { stream, headers, finished } => shown(f, "opened", *stream, headers, *finished),
            Self::Replied { stream, headers, finished } => shown(f, "replied", *stream, headers, *finished),
            Self::Data { stream, bytes, finished } => {
                write!(f, "{stream} data, {} bytes{}", bytes.len(), end(*finished))
            }
            Self::Reset { stream, status } => write!(f, "{stream} reset, {}", status.0),
            Self::Ponged { ping } => write!(f, "ponged {ping}"),
            Self::GoAway { last, status } => write!(f, "go away after {last:?}, {}", status.0),
        }
    }
}

fn shown(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    stream: StreamId,
    headers: &HeaderMap,
    finished: bool,
) -> fmt::Result {
    write!(f, "{stream} {what}, {} headers{}", headers.len(), end(finished))
}

fn end(finished: bool) -> &'static str {
    if finished { ", finished" } else { "" }
}
