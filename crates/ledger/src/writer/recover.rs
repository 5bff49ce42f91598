//! Start-up: takes up the sealed tree, seals what the journal has beyond it, and begins a new journal.
//!
//! Sealing everything first matters: after a failed `fdatasync` the system may show bytes that are not on disk, so
//! nothing found in an old journal is built upon before it is written anew.

use super::segments::{self, Segments};
use super::{OpenError, Sealer};
use crate::journal::{self, Chain, Scan};
use crate::leaf::{Id, Kind, Leaf, Position, Previous};
use crate::mac::MacKey;
use crate::note::Signer;
use crate::storage::Storage;
use std::io;
use std::sync::Arc;

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Leaves in the log before the start leaf.
    pub size: u64,
    /// Of these, leaves that were in the journal only.
    pub replayed: u64,
    /// Bytes of a write that never finished, and was never acknowledged, left out.
    pub torn_bytes: u64,
    /// How the boot before ended.
    pub previous: Previous,
    /// The number of this boot, from 1.
    pub boot_epoch: u64,
}

/// A log ready to be appended to.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) sealer: Sealer,
    pub(crate) segments: Segments,
    pub(crate) recovery: Recovery,
}

pub(crate) fn recover(storage: &Arc<dyn Storage>, signer: Signer) -> Result<Opened, OpenError> {
    let key = signer.derive(journal::PURPOSE);
    let mut sealer = Sealer::open(Arc::clone(storage), signer)?;
    let from_checkpoint = sealer.size();
    let names = storage.list(segments::FOLDER).map_err(|e| io_error(segments::FOLDER, e))?;
    let (mut torn_bytes, mut chain) = (0, Chain::default());
    for name in &names {
        // A torn segment may be followed by one that an interrupted start began: it continues at the same leaf.
        let file = format!("{}/{name}", segments::FOLDER);
        torn_bytes += replay(&**storage, &mut sealer, &file, &mut chain, &key)?;
    }
    sealer.seal().map_err(|e| io_error("checkpoint", e))?;
    for name in &names {
        let file = format!("{}/{name}", segments::FOLDER);
        storage.remove(&file).map_err(|e| io_error(&file, e))?;
    }
    let (boot_epoch, previous) = last_boot(&sealer)?;
    let next = sealer.size();
    let segments =
        Segments::begin(Arc::clone(storage), next, key).map_err(|e| io_error(segments::FOLDER, e))?;
    let replayed = next - from_checkpoint;
    let recovery = Recovery { size: next, replayed, torn_bytes, previous, boot_epoch: boot_epoch + 1 };
    Ok(Opened { sealer, segments, recovery })
}

/// The place of the start leaf of the boot that this recovery begins.
pub(crate) fn first_position(writer_id: &Id, recovery: &Recovery) -> Position {
    Position { writer_id: writer_id.clone(), boot_epoch: recovery.boot_epoch, writer_seq: 0 }
}

/// Absorbs what a segment has beyond the tree, which the gate itself must have written; answers with the bytes torn off
/// its end.
fn replay(
    storage: &dyn Storage,
    sealer: &mut Sealer,
    file: &str,
    chain: &mut Chain,
    key: &MacKey,
) -> Result<u64, OpenError> {
    let segment = storage.read(file).map_err(|e| io_error(file, e))?.unwrap_or_default();
    let Scan { frames, torn } = journal::scan(&segment).map_err(|e| OpenError::Damaged {
        file: file.to_owned(),
        at: e.at as u64,
        what: e.what,
    })?;
    for frame in frames {
        chain.follow(&segment, &frame, Some(key)).map_err(|why| OpenError::Foreign {
            file: file.to_owned(),
            at: frame.at as u64,
            why: why.to_string(),
        })?;
        let (size, end) = (sealer.size(), frame.first.saturating_add(frame.count));
        if end <= size {
            continue;
        }
        // A checkpoint always covers whole frames.
        if frame.first != size {
            return Err(OpenError::Gap { file: file.to_owned(), found: frame.first, wanted: size });
        }
        let payload = segment.get(frame.payload).unwrap_or_default();
        sealer.absorb(payload).map_err(|e| io_error(file, e))?;
    }
    Ok(torn as u64)
}

/// The boot epoch of the last leaf (0 when there is none) and how that boot ended.
fn last_boot(sealer: &Sealer) -> Result<(u64, Previous), OpenError> {
    let Some(bytes) = sealer.last_leaf()? else { return Ok((0, Previous::None)) };
    let leaf = Leaf::parse(&bytes).map_err(|error| OpenError::Leaf { index: sealer.size() - 1, error })?;
    let previous = if leaf.event.kind() == Kind::Stop { Previous::Clean } else { Previous::Unclean };
    Ok((leaf.position.boot_epoch, previous))
}

fn io_error(file: &str, error: io::Error) -> OpenError {
    OpenError::Io { file: file.to_owned(), error }
}
