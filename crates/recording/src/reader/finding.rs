//! What is wrong with a recording.

use crate::{Digest, Text};

/// Something that is not as the gate wrote it, or that a crash left. Reading goes on after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Finding {
    /// Segments are not there.
    #[error("{} missing", segments(*first, *last))]
    Missing { first: u64, last: u64 },
    /// A part of a segment: it was being written just now, or when the gate was killed.
    #[error("segment {number} was not written to its end")]
    Unfinished { number: u64 },
    /// A segment is not what the ledger says. It is not shown.
    #[error("segment {number} is not the one whose digest is in the ledger")]
    Altered { number: u64 },
    /// A segment that the ledger does not have. It is not shown.
    #[error("segment {number} is not in the ledger")]
    Unknown { number: u64 },
    /// A segment does not follow the one before it: one of the two was changed.
    #[error("segment {number} does not follow the one before it")]
    Unchained { number: u64 },
    /// A segment of another recording, or of another place in this one. It is not shown.
    #[error("segment {number} is another recording's, or has another place in this one")]
    Foreign { number: u64 },
    /// A segment, or the rest of it, cannot be read.
    #[error("segment {number} is damaged: {why}")]
    Damaged { number: u64, why: String },
    /// Segments are encrypted to others; `tried`: than those whose identities the reader has, rather than that it has none.
    #[error("{}", encrypted(*first, *last, *tried))]
    Encrypted { first: u64, last: u64, tried: bool },
    /// A file that is none of the recording's.
    #[error("`{}` is no part of the recording", name.as_str().escape_debug())]
    ForeignFile { name: Text<256> },
    /// A body is not where a record says.
    #[error("segment {number} has no body with the digest {sha256}")]
    NoBody { number: u64, sha256: Digest },
}

fn encrypted(first: u64, last: u64, tried: bool) -> String {
    let to = if tried { " to others" } else { "" };
    format!("{} encrypted{to}", segments(first, last))
}

fn segments(first: u64, last: u64) -> String {
    if first == last { format!("segment {first} is") } else { format!("segments {first} to {last} are") }
}
