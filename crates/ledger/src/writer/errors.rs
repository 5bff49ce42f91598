//! Why an entry is not recorded, and why a log cannot be opened.

use crate::tile::{MAX_ENTRY, Malformed};
use crate::{canonical, checkpoint, leaf};
use std::io;
use std::path::PathBuf;

/// Why an entry was not recorded. The deed it was to record must not be done.
///
/// The entry may still turn up in the log, once the log is opened again, if the disk kept what it said it could not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A part of the ledger broke; nothing more is recorded until the log is opened again.
    #[error("the ledger broke and records nothing more: start again")]
    Poisoned,
    /// A write failed, now or before.
    #[error("the ledger cannot write: free or repair its disk, and it goes on by itself")]
    Unwritable,
    /// The disk did not answer in time. Once it does, the entry may be recorded after all, unless it would begin
    /// something and its write had not begun.
    #[error("the ledger's disk does not answer: repair it, and it goes on by itself")]
    Hanging,
    /// Too much waits for a checkpoint, which cannot be written.
    #[error("the ledger cannot seal what it has: free or repair its disk, and it goes on by itself")]
    Unsealed,
    /// The disk's reserve is for what ends something.
    #[error(
        "the ledger's disk is nearly full, and nothing new may begin: free space, and it goes on by itself"
    )]
    NoSpace,
    /// The log was closed.
    #[error("the ledger is closed")]
    Closed,
    /// The event does not fit a leaf.
    #[error("an event of {bytes} bytes does not fit a leaf of {MAX_ENTRY}")]
    TooLong {
        /// Its bytes.
        bytes: usize,
    },
    /// The event has no canonical form.
    #[error("the event has no canonical form: {0}")]
    Form(canonical::Error),
}

/// Why a log cannot be opened for appending.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum OpenError {
    /// Another process, or another handle here, has it open.
    #[error("the ledger in `{}` is in use by another writer: stop that one first", folder.display())]
    InUse { folder: PathBuf },
    /// Reading or writing failed.
    #[error("`{file}`: {error}")]
    Io { file: String, error: io::Error },
    /// The checkpoint is not by this key, or not a checkpoint.
    #[error("`checkpoint`: {0}; use the key it was signed with, or restore the folder from a backup")]
    Checkpoint(#[from] checkpoint::Error),
    /// There is a log, but no checkpoint.
    #[error(
        "there are traces of a log but no `checkpoint`: restore the folder from a backup, or move it away"
    )]
    NoCheckpoint,
    /// A tile that the checkpoint covers is not there.
    #[error("`{file}` is missing: restore the folder from a backup")]
    Missing { file: String },
    /// A tile of another form.
    #[error("`{file}`: {error}; restore the folder from a backup")]
    Malformed { file: String, error: Malformed },
    /// The tiles do not lead to the signed root.
    #[error(
        "the tiles on the right edge do not lead to the root signed for size {size}: restore from a backup"
    )]
    Root { size: u64 },
    /// The last bundle and its hashes disagree.
    #[error("the entries in `{file}` do not match their hashes: restore the folder from a backup")]
    Bundle { file: String },
    /// The journal was changed after it was written.
    #[error(
        "`{file}` is damaged at byte {at} ({what}): leaves that were acknowledged may be in it; restore the file from \
         a backup, or move the folder away and keep it as evidence"
    )]
    Damaged { file: String, at: u64, what: &'static str },
    /// The journal has something that the gate did not write there.
    #[error(
        "`{file}` has a frame at byte {at} that this gate did not write there ({why}): someone else had their hands on \
         the folder; keep it as evidence, and restore it from a backup"
    )]
    Foreign { file: String, at: u64, why: String },
    /// A journal segment is missing.
    #[error("`{file}` continues at leaf {found} where leaf {wanted} belongs: a segment before it is missing")]
    Gap { file: String, found: u64, wanted: u64 },
    /// The last leaf cannot be read.
    #[error("leaf {index}: {error}")]
    Leaf { index: u64, error: leaf::Error },
    /// The first leaf of the boot was not recorded.
    #[error("the start leaf was not recorded: {0}")]
    Start(Refused),
}
