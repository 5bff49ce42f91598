//! What goes wrong.

use super::{MAX_CONTROL_FRAME, MAX_HEADER_BLOCK, MAX_HEADERS};

/// The other side does not speak SPDY as spdystream does. Nothing more can be understood: say [`super::GoAwayStatus::PROTOCOL_ERROR`]
/// and end the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another version.
    #[error("SPDY version {0} is not spoken here: use 3")]
    Version(u16),
    /// No such frame.
    #[error("there is no control frame of type {0}")]
    Type(u16),
    /// More than any frame needs.
    #[error("a control frame has {0} bytes: send at most {MAX_CONTROL_FRAME}")]
    ControlTooLarge(usize),
    /// Too short, too long, or with what must not be.
    #[error("a {0} frame is malformed")]
    Malformed(&'static str),
    /// Not for here: unidirectional streams and such.
    #[error("flags {flags:#04x} of a {frame} frame mean nothing here")]
    Flags {
        /// Of what.
        frame: &'static str,
        /// Which.
        flags: u8,
    },
    /// Not compressed as it should be.
    #[error("a header block is not compressed with zlib and SPDY's dictionary")]
    Zlib,
    /// More than any stream needs, which may be a bomb.
    #[error("a header block has more than {MAX_HEADER_BLOCK} bytes")]
    HeadersTooLarge,
    /// More than any stream needs.
    #[error("a header block has more than {MAX_HEADERS} values")]
    TooManyHeaders,
    /// Not as long as it says, or not all of it.
    #[error("a header block is not as long as its parts")]
    HeaderLength,
    /// Not lower case, or no name at all.
    #[error("the name of a header is not one in lower case")]
    HeaderName,
    /// With control characters.
    #[error("the value of a header has control characters")]
    HeaderValue,
    /// Twice.
    #[error("a header comes twice")]
    HeaderTwice,
    /// Zero, of the wrong parity, not growing, or of a stream that never was.
    #[error("a {frame} frame is on stream {stream}, which it cannot be on")]
    Stream {
        /// Of what.
        frame: &'static str,
        /// Which.
        stream: u32,
    },
    /// Before the reply, or the second reply.
    #[error("a {frame} frame on stream {stream} comes at the wrong time")]
    Order {
        /// Of what.
        frame: &'static str,
        /// Which.
        stream: u32,
    },
}

/// What cannot be sent. Nothing was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Reset, or finished by both sides, or never open. Usual where the other side just did that.
    #[error("the stream is not open")]
    NotOpen,
    /// By us.
    #[error("the stream was finished")]
    Finished,
    /// Wait for [`super::Event::Replied`], or reply: spdystream would drop it.
    #[error("the stream has no reply yet")]
    NotReplied,
    /// Nothing to reply to: opened by us, or replied to.
    #[error("the stream needs no reply")]
    Replied,
    /// The other side goes away, or we do.
    #[error("the connection opens no more streams")]
    GoingAway,
    /// More than [`MAX_HEADER_BLOCK`] or [`MAX_HEADERS`].
    #[error("the headers are more than a stream may have")]
    Headers,
}
