//! The ledger's key on disk: an Ed25519 seed in a file that only its owner may read.

use crate::leaf::Digester;
use crate::note::{self, Signer};
use aws_lc_rs::rand;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The key that signs the ledger's checkpoints.
///
/// The file holds one line, `PRIVATE+KEY+NAME+ID+KEY`, as Go's `sumdb/note` writes it; the name is the log's origin.
#[derive(Debug)]
pub struct Key(pub(crate) Signer);

/// Why a key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Reading or writing failed.
    #[error("the key file `{}`: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
    /// Others than its owner may read or write it.
    #[error("the key file `{}` has mode {mode:04o}: others may read or write it; make it 0600 and consider a new key", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Its content is no key.
    #[error("the key file `{}`: {error}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: note::Error,
    },
    /// The system gave no randomness.
    #[error("the system gave no randomness for a key")]
    Randomness,
}

impl Key {
    /// Makes a key for the log with this origin and writes it to a new file, mode 0600, durably.
    ///
    /// # Errors
    /// When the file exists, cannot be written, or the origin has spaces or `+`.
    pub fn generate(path: &Path, origin: &str) -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        rand::fill(seed.as_mut_slice()).map_err(|_| KeyError::Randomness)?;
        let signer = Signer::from_seed(origin, seed)
            .map_err(|error| KeyError::Malformed { path: path.to_owned(), error })?;
        write_new(path, &signer).map_err(|error| KeyError::Io { path: path.to_owned(), error })?;
        Ok(Self(signer))
    }

    /// Reads a key that [`Key::generate`] wrote.
    ///
    /// # Errors
    /// When it cannot be read, is no key, or others than its owner have access to the file.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let io = |error| KeyError::Io { path: path.to_owned(), error };
        let file = File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(4096).read_to_string(&mut text).map_err(io)?;
        Signer::parse(text.trim_end())
            .map(Self)
            .map_err(|error| KeyError::Malformed { path: path.to_owned(), error })
    }

    /// Reads the key, or makes one when there is no file.
    ///
    /// # Errors
    /// As [`Key::load`] and [`Key::generate`].
    pub fn load_or_generate(path: &Path, origin: &str) -> Result<Self, KeyError> {
        match Self::load(path) {
            Err(KeyError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                Self::generate(path, origin)
            }
            other => other,
        }
    }

    /// What digests the values that leaves do not hold: to check what a value was.
    #[must_use]
    pub fn digester(&self) -> Digester {
        Digester::new(&self.0)
    }

    /// The public half: its `Display` is the `vkey` that verifiers are given.
    #[must_use]
    pub fn verifier(&self) -> &note::Verifier {
        self.0.verifier()
    }
}

fn write_new(path: &Path, signer: &Signer) -> io::Result<()> {
    // Under another name first: a crash leaves no half a key behind.
    let temporary = path.with_extension("new");
    match fs::remove_file(&temporary) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(signer.to_private().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    // A link, unlike a rename, does not replace a key that another process made meanwhile.
    fs::hard_link(&temporary, path)?;
    fs::remove_file(&temporary)?;
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_reads_back_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.key");
        let made = Key::load_or_generate(&path, "example.com/log").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(Key::load_or_generate(&path, "other").unwrap().verifier(), made.verifier());
        assert!(Key::generate(&path, "example.com/log").is_err());

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused =
            Key::load(&path).unwrap_err().to_string().replace(folder.path().to_str().unwrap(), "DIR");
        insta::assert_snapshot!(refused, @"the key file `DIR/ledger.key` has mode 0640: others may read or write it; make it 0600 and consider a new key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "not a key\n").unwrap();
        let refused =
            Key::load(&path).unwrap_err().to_string().replace(folder.path().to_str().unwrap(), "DIR");
        insta::assert_snapshot!(refused, @"the key file `DIR/ledger.key`: not a key: the form is `NAME+ID+KEY` for the public half, `PRIVATE+KEY+NAME+ID+KEY` for the private");
    }
}
