//! What is known of a stream.

use std::fmt;

use super::{Role, SendError};

/// The number of a stream on its connection: odd if a client opened it, even if a server did.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u32);

/// 31 bits.
const LAST: u32 = 0x7fff_ffff;

impl StreamId {
    /// `None` for 0 and for more than 31 bits.
    pub(super) const fn new(number: u32) -> Option<Self> {
        if number == 0 || number > LAST { None } else { Some(Self(number)) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    pub(super) const fn opened_by(self) -> Role {
        if self.0.is_multiple_of(2) { Role::Server } else { Role::Client }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A stream that is open in one direction at least.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Whether who did not open it has accepted it.
    pub(super) replied: bool,
    /// Whether we have said all.
    pub(super) we_finished: bool,
    /// Whether the other side has.
    pub(super) they_finished: bool,
}

impl Stream {
    pub(super) fn is_over(&self) -> bool {
        self.we_finished && self.they_finished
    }

    pub(super) fn may_send(&self) -> Result<(), SendError> {
        match self {
            Self { we_finished: true, .. } => Err(SendError::Finished),
            Self { replied: false, .. } => Err(SendError::NotReplied),
            Self { .. } => Ok(()),
        }
    }
}
