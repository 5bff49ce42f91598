//! One leaf's place in the log as a text of its own, C2SP tlog-proof: the inclusion proof and the checkpoint it leads
//! to. Whoever has the log's key verifies it without the log: the leaf itself goes along as the extra data. No I/O.

use crate::checkpoint::{self, Checkpoint};
use crate::note::Verifier;
use crate::tree::{Hash, ProofError, leaf_hash, verify_inclusion};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt;

const MAGIC: &str = "c2sp.org/tlog-proof@v1";

/// A proof that a leaf is at an index of a signed tree. Its `Display` is the file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The leaf's index.
    pub index: u64,
    /// The extra data, which this log makes the leaf itself. Whoever wrote the file chose it: it is what was recorded
    /// only if [`Proof::verify`] takes it as the leaf.
    pub extra: Option<Vec<u8>>,
    /// The inclusion proof, the lowest hash first.
    pub hashes: Vec<Hash>,
    /// The signed note, as the log published it.
    pub checkpoint: String,
}

/// Why a proof is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Text of another form.
    #[error("not a tlog-proof: {0}")]
    Malformed(&'static str),
    /// Its checkpoint.
    #[error("the proof's checkpoint: {0}")]
    Checkpoint(#[from] checkpoint::Error),
    /// Its hashes.
    #[error(transparent)]
    Inclusion(#[from] ProofError),
}

impl Proof {
    /// Reads a proof's text.
    ///
    /// # Errors
    /// [`Error::Malformed`] names the part of another form.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(Error::Malformed("no empty line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(MAGIC) {
            return Err(Error::Malformed("the first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra.and_then(|line| line.strip_prefix("extra ")).map(|extra| STANDARD.decode(extra));
        let extra = extra.transpose().map_err(|_| Error::Malformed("the extra data is not base64"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.filter(|index| *index == "0" || !index.starts_with(['0', '+']));
        let index = index.and_then(|index| index.parse().ok()).ok_or(Error::Malformed("no index"))?;
        let hashes: Option<Vec<Hash>> = lines.map(Hash::from_base64).collect();
        let hashes = hashes.ok_or(Error::Malformed("a hash is not 32 bytes in base64"))?;
        Ok(Self { index, extra, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// Verifies that the leaf is in the log with this key; answers with the checkpoint.
    ///
    /// # Errors
    /// When the checkpoint is not by this key, or the leaf is not where the proof says.
    pub fn verify(&self, leaf: &[u8], verifier: &Verifier) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::open(self.checkpoint.as_bytes(), verifier)?.checkpoint;
        verify_inclusion(&self.hashes, self.index, &leaf_hash(leaf), checkpoint.size, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
