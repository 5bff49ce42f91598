//! Recordings: what a session did and was shown, in order, kept so that it can be replayed.
//!
//! The gate hands over what is masked already; nothing here masks. What is written is the whole or ends: a recorder that
//! cannot keep up makes its callers wait, and then ends them, but leaves nothing out.
//!
//! | module | what lives there | I/O |
//! |---|---|---|
//! | [`record`] | what is recorded, and its bounds | no |
//! | [`frames`], [`segment`] | the bytes of records, and of the segments that hold a second of them | no |
//! | [`at_rest`] | how segments are stored: as they are, or encrypted to age recipients | no |
//! | [`kept`] | what a gate keeps of values, encrypted to itself | no |
//! | writer | [`Recorder`], [`Tap`], [`Stream`]: the one writer, recovery, erasure | yes |
//! | [`reader`] | recordings, their records in order, what is wrong with them, search | read |
//! | [`asciicast`] | one stream for terminal players | read |
//! | testing | recordings for other crates' tests, behind the feature `testing` | yes |
//!
//! The folder:
//!
//! ```text
//! .lock                     held by the one writer
//! SESSION/00000001.seg      a second of the session, or a mebibyte; whole, or not there
//! SESSION/00000002.seg.tmp  being written; what a crash leaves of it is removed when the recording goes on
//! SESSION/CALL.kept         values of an object before this call changed it; whole, or not there
//! SESSION/erased.json       in place of what was erased: when and why
//! SESSION/erased.told       beside it: the ledger knows
//! ```
//!
//! A segment names the SHA-256 of the one before it, and its own is handed to the gate for the ledger ([`Sealed`]). So
//! whoever trusts the ledger can tell whether a recording is the one that was made.

#![cfg_attr(test, expect(clippy::cast_possible_truncation, reason = "tests count small things"))]

mod digest;
mod storage;
mod text;
mod writer;

pub mod asciicast;
pub mod at_rest;
pub mod frames;
pub mod kept;
pub mod reader;
pub mod record;
pub mod segment;
/// Recordings for other crates' tests, behind the feature `testing`.
#[cfg(any(test, feature = "testing"))]
pub mod testing {
    pub use crate::writer::scripted::Script;
}

pub use digest::{Digest, NotADigest};
pub use record::{NotASession, Session};
pub use text::{Text, Words};
pub use writer::{
    Body, Clock, Config, Expired, OpenError, Opening, Recorder, Refused, Sealed, Segment, Stopped, Stream,
    Tap, Tombstone,
};
