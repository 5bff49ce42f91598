//! An object as it was before it was changed, kept so that its values can be put back.
//!
//! Its values leave this crate as [`ToKeep`] alone, bytes that are to be sealed at once, and come back as [`Kept`], from which there is
//! no way but into a request that puts them back ([`Live::restore`](super::Live::restore)).

use std::fmt;

use serde_json::Value;
use zeroize::Zeroizing;

use super::live::{Live, NotKept};

/// An object as it was and as it was shown, to be sealed. Gone from memory once it is dropped.
pub struct ToKeep(Zeroizing<Vec<u8>>);

/// An object as it was before it was changed, and as the session was shown it that changed it.
pub struct Kept {
    pub(super) real: Value,
    pub(super) shown: Value,
}

impl Live {
    /// What is kept of it, so that [`Kept::read`] has it again.
    #[must_use]
    pub fn to_keep(&self) -> ToKeep {
        let both = [&self.real, &self.shown];
        // With room for all of it: what is moved leaves a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length(both)));
        // Writing into memory does not fail, and what is cut cannot be read again.
        if serde_json::to_writer(&mut *bytes, &both).is_err() {
            bytes.clear();
        }
        ToKeep(bytes)
    }
}

impl ToKeep {
    /// The bytes that are to be sealed.
    #[must_use]
    pub fn to_be_sealed(&self) -> &[u8] {
        &self.0
    }
}

impl Kept {
    /// What was kept.
    ///
    /// # Errors
    /// [`NotKept`]: these are not the bytes of [`Live::to_keep`].
    pub fn read(bytes: &[u8]) -> Result<Self, NotKept> {
        let (real, shown) = serde_json::from_slice(bytes).map_err(|_| NotKept)?;
        Ok(Self { real, shown })
    }
}

/// Counts what would be written.
struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn length(both: [&Value; 2]) -> usize {
    let mut counted = Counted(0);
    match serde_json::to_writer(&mut counted, &both) {
        Ok(()) => counted.0,
        Err(_) => 0,
    }
}

impl fmt::Debug for ToKeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToKeep")
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}
