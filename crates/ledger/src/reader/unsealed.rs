//! What a log's journal holds beyond the checkpoint.

use super::{Extent, ReadError, Reader, Stored};
use crate::journal;
use crate::storage::Storage as _;
use crate::tile;
use crate::writer::JOURNAL;

impl Reader {
    /// How far the log goes now, the leaves that no checkpoint covers included. There is at most about a second of
    /// them, or what a writer that died left behind.
    ///
    /// # Errors
    /// When the checkpoint or the journal cannot be read, or the journal was damaged.
    pub fn extent(&self) -> Result<Extent, ReadError> {
        loop {
            let sealed = self.checkpoint()?.checkpoint.size;
            match self.unsealed(sealed) {
                Ok(unsealed) => return Ok(Extent { sealed, unsealed }),
                // The writer drops segments that a newer checkpoint covers: look again from there.
                Err(ReadError::JournalGap { .. }) if self.checkpoint()?.checkpoint.size > sealed => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The journal's leaves from this index on.
    fn unsealed(&self, from: u64) -> Result<Vec<Stored>, ReadError> {
        let mut found = Vec::new();
        let names = self.storage.list(JOURNAL);
        for name in names.map_err(|error| ReadError::Io { file: JOURNAL.to_owned(), error })? {
            let file = format!("{JOURNAL}/{name}");
            match self.storage.read(&file) {
                Ok(Some(segment)) => take(&file, &segment, from, &mut found)?,
                // Dropped meanwhile; if its leaves were wanted, the next segment shows the gap.
                Ok(None) => {}
                Err(error) => return Err(ReadError::Io { file, error }),
            }
        }
        Ok(found)
    }
}

/// Adds what a segment has beyond what was found.
fn take(file: &str, segment: &[u8], from: u64, found: &mut Vec<Stored>) -> Result<(), ReadError> {
    let damaged = |at| ReadError::JournalDamaged { file: file.to_owned(), at };
    let scan = journal::scan(segment).map_err(|error| damaged(error.at as u64))?;
    for frame in scan.frames {
        let next = from + found.len() as u64;
        if frame.first.saturating_add(frame.count) <= next {
            continue;
        }
        if frame.first > next {
            let file = file.to_owned();
            return Err(ReadError::JournalGap { file, found: frame.first, wanted: next });
        }
        let leaves = segment.get(frame.payload.clone()).unwrap_or_default();
        for (index, leaf) in (frame.first..).zip(tile::entries(leaves)).skip_while(|(index, _)| *index < next)
        {
            let json = leaf.map_err(|_| damaged(frame.payload.start as u64))?.to_vec();
            found.push(Stored { index, json });
        }
    }
    Ok(())
}
