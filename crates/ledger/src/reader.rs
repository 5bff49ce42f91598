//! Reading a log's files: single leaves, runs of them, what is new, and proofs. Nothing here holds the lock; a log may
//! be read while it is written.

mod unsealed;

use crate::checkpoint::{self, Checkpoint, Opened};
use crate::note::Verifier;
use crate::proof::{self, Proof};
use crate::storage::{FsStorage, Storage};
use crate::tile::{self, Level, Malformed, Place, WIDTH};
use crate::tree::{self, Hash, Nodes};
use crate::writer::CHECKPOINT;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::Path;

/// Tiles kept while a proof is made: one for each level on both sides of the path, and some.
const CACHED: usize = 32;

/// A log's folder, and the key that its checkpoints are signed with.
#[derive(Debug)]
pub struct Reader {
    storage: FsStorage,
    verifier: Verifier,
}

/// A leaf as it is stored. It is *not* verified against the tree: [`crate::verify`] and [`Reader::prove`] do that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its index in the log.
    pub index: u64,
    /// Its bytes, canonical JSON.
    pub json: Vec<u8>,
}

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum ReadError {
    /// Reading failed.
    #[error("`{file}`: {error}")]
    Io { file: String, error: io::Error },
    /// A file is not there.
    #[error("`{file}` is missing: is this a log's folder, and whole?")]
    Missing { file: String },
    /// A file has another form.
    #[error("`{file}`: {error}; `ledger verify` tells more")]
    Malformed { file: String, error: Malformed },
    /// A journal segment was changed after it was written.
    #[error("`{file}` is damaged at byte {at}; `ledger verify` tells more")]
    JournalDamaged { file: String, at: u64 },
    /// A journal segment is gone, and no checkpoint covers its leaves.
    #[error("`{file}` continues at leaf {found} where leaf {wanted} belongs; `ledger verify` tells more")]
    JournalGap { file: String, found: u64, wanted: u64 },
    /// The checkpoint is not by this key, or not a checkpoint.
    #[error("`checkpoint`: {0}")]
    Checkpoint(#[from] checkpoint::Error),
    /// There is no such leaf under the checkpoint.
    #[error("leaf {index} is not in the log, which has {size} under its checkpoint")]
    OutOfRange { index: u64, size: u64 },
    /// The proof does not hold: the files are not what was signed.
    #[error("leaf {index} is not what was signed: {error}; `ledger verify` tells more")]
    Proof { index: u64, error: proof::Error },
}

/// How far a log went at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Leaves under the checkpoint.
    pub sealed: u64,
    /// The leaves after these, which are durable in the journal, and which nothing signed vouches for yet: a
    /// checkpoint comes about once a second.
    pub unsealed: Vec<Stored>,
}

/// The leaves of a range, read bundle by bundle.
#[derive(Debug)]
pub struct Leaves<'a> {
    reader: &'a Reader,
    range: Range<u64>,
    size: u64,
    bundle: std::vec::IntoIter<Vec<u8>>,
}

/// What a log gains, from a place on. Holds nothing open.
#[derive(Debug)]
pub struct Tail<'a> {
    reader: &'a Reader,
    next: u64,
}

/// The tree in a log's tiles.
#[derive(Debug)]
struct Tiles<'a> {
    reader: &'a Reader,
    size: u64,
    cache: BTreeMap<(u32, u64), Vec<Hash>>,
}

// === impl Reader ===

impl Reader {
    /// Reads the log in this folder.
    #[must_use]
    pub fn new(folder: &Path, verifier: Verifier) -> Self {
        Self { storage: FsStorage::new(folder), verifier }
    }

    /// The checkpoint now, its signature verified.
    ///
    /// # Errors
    /// When there is none, or none by this key.
    pub fn checkpoint(&self) -> Result<Opened, ReadError> {
        Ok(Checkpoint::open(&self.read(CHECKPOINT)?, &self.verifier)?)
    }

    /// One leaf.
    ///
    /// # Errors
    /// When it is not under the checkpoint, or cannot be read.
    pub fn leaf(&self, index: u64) -> Result<Stored, ReadError> {
        let size = self.checkpoint()?.checkpoint.size;
        let outside = ReadError::OutOfRange { index, size };
        if index >= size {
            return Err(outside);
        }
        self.leaves(index..index + 1)?.next().unwrap_or(Err(outside))
    }

    /// The leaves of a range, as far as the checkpoint goes.
    ///
    /// # Errors
    /// When the checkpoint cannot be read; the iterator's items have errors of their own, and end with the first.
    pub fn leaves(&self, range: Range<u64>) -> Result<Leaves<'_>, ReadError> {
        let size = self.checkpoint()?.checkpoint.size;
        let range = range.start..range.end.min(size);
        Ok(Leaves { reader: self, range, size, bundle: Vec::new().into_iter() })
    }

    /// Follows the log from this index on.
    #[must_use]
    pub fn tail(&self, from: u64) -> Tail<'_> {
        Tail { reader: self, next: from }
    }

    /// The proof that a leaf is in the log, with the leaf as its extra data, verified before it is handed out.
    ///
    /// # Errors
    /// When the leaf is not under the checkpoint, cannot be read, or is not what was signed.
    pub fn prove(&self, index: u64) -> Result<Proof, ReadError> {
        let note = self.read(CHECKPOINT)?;
        let Checkpoint { size, .. } = Checkpoint::open(&note, &self.verifier)?.checkpoint;
        if index >= size {
            return Err(ReadError::OutOfRange { index, size });
        }
        let mut tiles = Tiles { reader: self, size, cache: BTreeMap::new() };
        let hashes = tree::inclusion_proof(&mut tiles, index, size)?;
        let checkpoint = String::from_utf8_lossy(&note).into_owned();
        let leaf = self.leaf(index)?.json;
        let proof = Proof { index, extra: None, hashes, checkpoint };
        proof.verify(&leaf, &self.verifier).map_err(|error| ReadError::Proof { index, error })?;
        Ok(Proof { extra: Some(leaf), ..proof })
    }

    /// The hashes that show an older tree to be a prefix of the one under the checkpoint, for a witness or an auditor
    /// who kept the older checkpoint; and that checkpoint.
    ///
    /// # Errors
    /// When the older tree is larger, or tiles cannot be read.
    pub fn consistency(&self, old: u64) -> Result<(Vec<Hash>, Checkpoint), ReadError> {
        let checkpoint = self.checkpoint()?.checkpoint;
        if old > checkpoint.size {
            return Err(ReadError::OutOfRange { index: old, size: checkpoint.size });
        }
        let mut tiles = Tiles { reader: self, size: checkpoint.size, cache: BTreeMap::new() };
        Ok((tree::consistency_proof(&mut tiles, old, checkpoint.size)?, checkpoint))
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, ReadError> {
        match self.storage.read(file) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(ReadError::Missing { file: file.to_owned() }),
            Err(error) => Err(ReadError::Io { file: file.to_owned(), error }),
        }
    }

    fn read_place(&self, place: Place) -> Result<Vec<u8>, ReadError> {
        let io = |error| ReadError::Io { file: place.path(), error };
        read_place(&self.storage, place).map_err(io)?.ok_or_else(|| ReadError::Missing { file: place.path() })
    }
}

/// The bytes at a place; where a partial tile is gone, the full tile that superseded it.
pub(crate) fn read_place(storage: &dyn Storage, place: Place) -> io::Result<Option<Vec<u8>>> {
    match storage.read(&place.path())? {
        None if place.width < WIDTH => storage.read(&place.full().path()),
        found => Ok(found),
    }
}

// === impl Leaves, Tail ===

impl Leaves<'_> {
    fn load(&mut self) -> Result<(), ReadError> {
        let place = Place::bundle_of(self.range.start, self.size);
        let bytes = self.reader.read_place(place)?;
        let skipped = usize::try_from(self.range.start % WIDTH).unwrap_or(usize::MAX);
        let width = usize::try_from(place.width).unwrap_or(usize::MAX);
        let entries: Result<Vec<Vec<u8>>, Malformed> =
            tile::entries(&bytes).take(width).skip(skipped).map(|entry| entry.map(<[u8]>::to_vec)).collect();
        let malformed = |error| ReadError::Malformed { file: place.path(), error };
        self.bundle = entries.map_err(malformed)?.into_iter();
        if self.bundle.len() == 0 {
            return Err(malformed(Malformed::Cut { entry: self.range.start % WIDTH }));
        }
        Ok(())
    }
}

impl Iterator for Leaves<'_> {
    type Item = Result<Stored, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.range.is_empty() {
            return None;
        }
        if self.bundle.len() == 0
            && let Err(error) = self.load()
        {
            self.range = 0..0;
            return Some(Err(error));
        }
        let index = self.range.start;
        self.range.start += 1;
        self.bundle.next().map(|json| Ok(Stored { index, json }))
    }
}

impl Tail<'_> {
    /// The leaves that came under the checkpoint since the last time, at most `limit`; none when there are none yet.
    /// Ask again after a while: a checkpoint comes about once a second.
    ///
    /// # Errors
    /// When something cannot be read; the next time starts at the same place.
    pub fn poll(&mut self, limit: u64) -> Result<Vec<Stored>, ReadError> {
        let leaves = self.reader.leaves(self.next..self.next.saturating_add(limit))?;
        let leaves = leaves.collect::<Result<Vec<_>, _>>()?;
        self.next += leaves.len() as u64;
        Ok(leaves)
    }
}

// === impl Tiles ===

impl Nodes for Tiles<'_> {
    type Error = ReadError;

    fn node(&mut self, height: u32, index: u64) -> Result<Hash, ReadError> {
        let (level, within) = (height / 8, height % 8);
        let first = index << within;
        let number = first / WIDTH;
        if !self.cache.contains_key(&(level, number)) {
            let place = Place::of(Level::Hashes(level), number, self.size);
            let bytes = self.reader.read_place(place)?;
            let hashes = tile::tile_hashes(&bytes, place.width)
                .map_err(|error| ReadError::Malformed { file: place.path(), error })?;
            if self.cache.len() >= CACHED {
                self.cache.clear();
            }
            self.cache.insert((level, number), hashes);
        }
        let from = usize::try_from(first % WIDTH).unwrap_or(usize::MAX);
        let run = self.cache.get(&(level, number)).and_then(|tile| tile.get(from..from + (1 << within)));
        run.map(tree::perfect_root).ok_or_else(|| {
            let file = Place::of(Level::Hashes(level), number, self.size).path();
            ReadError::Malformed {
                file,
                error: Malformed::Tile { bytes: 0, wanted: first % WIDTH + (1 << within) },
            }
        })
    }
}
