//! Secrets, from files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

/// The most that a file of a secret may hold, in bytes.
const MOST: u64 = 8 * 1024;

/// A file's text, without the space around it. `Debug` does not show it.
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// Reads the file. For the start: it blocks.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut text = Zeroizing::new(String::new());
        let read = File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
        if read as u64 > MOST || text.trim().is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty, or larger than 8 KiB"));
        }
        Ok(Self(text))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.trim()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
