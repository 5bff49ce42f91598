//! The body of a request or an answer on its way into a recording.

use crate::Digest;
use crate::record::MAX_BODY;
use bytes::Bytes;
use std::fmt;

/// A body as the agent sent it or was shown it: its first 3 MiB, and how long it was. Of what is longer the recording keeps
/// the head, and tells.
#[derive(Clone, Default)]
pub struct Body {
    kept: Vec<u8>,
    whole: u64,
}

/// A body with its digest.
#[derive(Debug)]
pub(super) struct Digested {
    pub(super) sha256: Digest,
    pub(super) kept: Bytes,
    pub(super) whole: u64,
}

// === impl Body ===

impl Body {
    /// Adds what comes next of it.
    pub fn push(&mut self, part: &[u8]) {
        let room = MAX_BODY.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(part.get(..room).unwrap_or(part));
        self.whole = self.whole.saturating_add(part.len() as u64);
    }

    pub(super) fn digest(self) -> Digested {
        Digested { sha256: Digest::of(&self.kept), whole: self.whole, kept: self.kept.into() }
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        let mut body = Self::default();
        body.push(bytes);
        body
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.whole)
    }
}

// === impl Digested ===

impl Digested {
    pub(super) fn weight(&self) -> usize {
        1024 + self.kept.len()
    }
}
