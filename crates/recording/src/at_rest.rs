//! The seam for encryption at rest. There is [`Plain`] alone.
//!
//! Segments are to be encrypted to age recipients. The `age` crate brings a second set of cryptography beside aws-lc-rs, a
//! pre-release of ML-KEM, and a localisation framework; so an implementation of its file format (C2SP age) belongs here once
//! there is one on our provider. The chain and the ledger have digests of what is stored, so they hold for encrypted
//! segments, without their key.

use std::fmt::Debug;
use std::io;

/// How a segment's compressed records are stored.
pub trait AtRest: Debug + Send + Sync {
    /// What the header calls it; at most 32 bytes.
    fn form(&self) -> &'static str;

    /// What to store.
    ///
    /// # Errors
    /// Nothing is stored then, and the recording stops.
    fn close(&self, compressed: Vec<u8>) -> io::Result<Vec<u8>>;

    /// What was closed.
    ///
    /// # Errors
    /// It cannot be opened: a key is missing, or it was changed.
    fn open(&self, stored: &[u8]) -> io::Result<Vec<u8>>;
}

/// As it is.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl AtRest for Plain {
    fn form(&self) -> &'static str {
        "zstd"
    }

    fn close(&self, compressed: Vec<u8>) -> io::Result<Vec<u8>> {
        Ok(compressed)
    }

    fn open(&self, stored: &[u8]) -> io::Result<Vec<u8>> {
        Ok(stored.to_vec())
    }
}
