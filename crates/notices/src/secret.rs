//! Secrets, from files.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::Problem;

/// The most that a file of a secret may hold, in bytes.
const MOST: u64 = 8 * 1024;

/// A file's text, without the space around it. `Debug` does not show it.
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// Reads the file, which only its owner may read. For the start: it blocks.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let failed = |source| Problem::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Problem::Exposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        let read = file.take(MOST + 1).read_to_string(&mut text).map_err(failed)?;
        if read as u64 > MOST || text.trim().is_empty() {
            return Err(Problem::Size(path.to_owned()));
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
