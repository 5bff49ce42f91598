//! What is told of recordings: that what comes out of them can be held against it.

use super::text::{Digest, Id, Text};
use serde::{Deserialize, Serialize};

/// A segment of a session's recording is on disk: what comes out of it can be held against this. After a crash the last
/// segment of a recording may be told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Whose recording it is.
    pub session: Id,
    /// Its place in the recording, from 1.
    pub segment: u64,
    /// The digest of its file.
    pub sha256: Digest,
    /// The digest of the segment before; the first has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// Bytes of its file.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
}

/// A session's recording was erased. What it held is gone; its leaves stay, and say that it was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingErased {
    /// Whose recording it was.
    pub session: Id,
    /// Why: a rule for how long recordings are kept, or a person's words.
    pub why: Text<1024>,
    /// How many segments it had.
    pub segments: u64,
    /// The number of the last, if it had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// The digest of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}
