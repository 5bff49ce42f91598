//! Moves leaves from the journal into tiles, and signs the tree they make.
//!
//! Start-up recovery and running use the same two steps: [`Sealer::absorb`] each run of leaves in order, in memory, then
//! [`Sealer::seal`], which alone writes. A checkpoint is put only when every tile it covers is durable; until it is,
//! sealing may fail and be done again, from the leaves in memory and from nothing that the disk says it has.

use super::OpenError;
use crate::checkpoint::Checkpoint;
use crate::note::Signer;
use crate::storage::Storage;
use crate::tile::{self, Edge, Level, Malformed, Place, WIDTH};
use crate::tree::leaf_hash;
use std::io;
use std::sync::Arc;

/// The file of the signed tree head.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The file of the key that verifies it.
pub(crate) const VKEY: &str = "ledger.vkey";

#[derive(Debug)]
pub(crate) struct Sealer {
    storage: Arc<dyn Storage>,
    signer: Signer,
    edge: Edge,
    /// The bundle on the right edge, not yet full.
    bundle: Vec<u8>,
    /// Tiles that filled since the checkpoint on disk, not known to be durable.
    full: Vec<(Place, Vec<u8>)>,
    /// The size that the checkpoint on disk has.
    sealed: u64,
    /// Folders of partial tiles whose full tile is put, to go once a checkpoint covers it.
    superseded: Vec<String>,
}

impl Sealer {
    /// Takes up the log in this storage where its checkpoint leaves it; begins one where there is none.
    pub(crate) fn open(storage: Arc<dyn Storage>, signer: Signer) -> Result<Self, OpenError> {
        let io = |error| OpenError::Io { file: CHECKPOINT.to_owned(), error };
        match storage.read(CHECKPOINT).map_err(io)? {
            Some(note) => Self::load(storage, signer, &note),
            None => Self::begin(storage, signer),
        }
    }

    /// How many leaves are in the tree, sealed or not.
    pub(crate) fn size(&self) -> u64 {
        self.edge.size()
    }

    /// How many leaves the checkpoint on disk covers.
    pub(crate) fn sealed(&self) -> u64 {
        self.sealed
    }

    /// The last leaf of the tree; `None` when it is empty.
    pub(crate) fn last_leaf(&self) -> Result<Option<Vec<u8>>, OpenError> {
        let Some(last) = self.size().checked_sub(1) else { return Ok(None) };
        if !self.bundle.is_empty() {
            return Ok(tile::entries(&self.bundle).flatten().last().map(<[u8]>::to_vec));
        }
        let bundle = read(&*self.storage, Place::bundle_of(last, self.size()))?;
        Ok(tile::entries(&bundle).flatten().last().map(<[u8]>::to_vec))
    }

    /// Adds a run of leaves in bundle form. Writes nothing.
    ///
    /// # Errors
    /// The run is not in bundle form, of which the journal's checksum says otherwise: trying again cannot help.
    pub(crate) fn absorb(&mut self, leaves: &[u8]) -> io::Result<()> {
        for leaf in tile::entries(leaves) {
            let leaf = leaf.map_err(io::Error::other)?;
            if !tile::push_entry(&mut self.bundle, leaf) {
                return Err(io::Error::other("a leaf longer than a bundle can hold"));
            }
            for tile in self.edge.push(leaf_hash(leaf)) {
                if tile.place.level == Level::Hashes(0) {
                    let bundle = Place { level: Level::Entries, ..tile.place };
                    self.full.push((bundle, std::mem::take(&mut self.bundle)));
                }
                self.full.push((tile.place, tile::tile_bytes(&tile.hashes)));
            }
        }
        Ok(())
    }

    /// Publishes a checkpoint over all leaves absorbed, if there are any that the last does not cover. After an error
    /// it can be called again, and writes all of it anew.
    pub(crate) fn seal(&mut self) -> io::Result<()> {
        if self.sealed < self.edge.size() {
            self.put_tiles()?;
            self.publish()?;
            self.superseded.extend(self.full.drain(..).map(|(place, _)| place.partial_folder()));
        }
        // tlog-tiles: partial tiles may go once the full tile is available.
        while let Some(folder) = self.superseded.last() {
            self.storage.remove(folder)?;
            self.superseded.pop();
        }
        Ok(())
    }

    /// Makes every tile since the last checkpoint durable.
    fn put_tiles(&self) -> io::Result<()> {
        for (place, bytes) in &self.full {
            self.storage.put(&place.path(), bytes)?;
        }
        for (place, hashes) in self.edge.partial() {
            self.storage.put(&place.path(), &tile::tile_bytes(hashes))?;
        }
        let (number, width) = (self.edge.size() / WIDTH, self.edge.size() % WIDTH);
        if width > 0 {
            self.storage.put(&Place { level: Level::Entries, number, width }.path(), &self.bundle)?;
        }
        self.storage.flush_names()
    }

    /// Signs the tree as it is. All its tiles must be durable.
    fn publish(&mut self) -> io::Result<()> {
        let origin = self.signer.verifier().name().to_owned();
        let checkpoint = Checkpoint { origin, size: self.edge.size(), root: self.edge.root() };
        let note = checkpoint.sign(&self.signer).map_err(io::Error::other)?;
        self.storage.put(CHECKPOINT, note.as_bytes())?;
        // Only a durable checkpoint lets journal segments and partial tiles go.
        self.storage.flush_names()?;
        self.sealed = checkpoint.size;
        Ok(())
    }

    /// With this edge sealed.
    fn at(storage: Arc<dyn Storage>, signer: Signer, edge: Edge, bundle: Vec<u8>) -> Self {
        let sealed = edge.size();
        Self { storage, signer, edge, bundle, full: Vec::new(), sealed, superseded: Vec::new() }
    }

    fn begin(storage: Arc<dyn Storage>, signer: Signer) -> Result<Self, OpenError> {
        let io = |file: &str| {
            let file = file.to_owned();
            move |error| OpenError::Io { file, error }
        };
        // The checkpoint is the first file ever written: what is there without it has lost it.
        for trace in ["tile", super::segments::FOLDER] {
            if !storage.list(trace).map_err(io(trace))?.is_empty() {
                return Err(OpenError::NoCheckpoint);
            }
        }
        if storage.read(VKEY).map_err(io(VKEY))?.is_some() {
            return Err(OpenError::NoCheckpoint);
        }
        let mut sealer = Self::at(storage, signer, Edge::default(), Vec::new());
        sealer.publish().and_then(|()| sealer.publish_vkey()).map_err(io(CHECKPOINT))?;
        Ok(sealer)
    }

    /// Puts the key that verifies the log beside it, if it is not there.
    fn publish_vkey(&self) -> io::Result<()> {
        let vkey = format!("{}\n", self.signer.verifier());
        if self.storage.read(VKEY)?.as_deref() != Some(vkey.as_bytes()) {
            self.storage.put(VKEY, vkey.as_bytes())?;
        }
        self.storage.flush_names()
    }

    fn load(storage: Arc<dyn Storage>, signer: Signer, note: &[u8]) -> Result<Self, OpenError> {
        let Checkpoint { size, root, .. } = Checkpoint::open(note, signer.verifier())?.checkpoint;
        let edge = Edge::load(size, |place| {
            let bytes = read(&*storage, place)?;
            tile::tile_hashes(&bytes, place.width).map_err(|error| malformed(place, error))
        })?;
        if edge.root() != root {
            return Err(OpenError::Root { size });
        }
        let width = size % WIDTH;
        let mut bundle = Vec::new();
        if width > 0 {
            let place = Place { level: Level::Entries, number: size / WIDTH, width };
            bundle = read(&*storage, place)?;
            let entries: Result<Vec<_>, _> = tile::entries(&bundle).collect();
            let entries = entries.map_err(|error| malformed(place, error))?;
            let hashes: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
            if hashes != edge.leaves() {
                return Err(OpenError::Bundle { file: place.path() });
            }
        }
        let sealer = Self::at(storage, signer, edge, bundle);
        sealer.publish_vkey().map_err(|error| OpenError::Io { file: VKEY.to_owned(), error })?;
        Ok(sealer)
    }
}

fn malformed(place: Place, error: Malformed) -> OpenError {
    OpenError::Malformed { file: place.path(), error }
}

fn read(storage: &dyn Storage, place: Place) -> Result<Vec<u8>, OpenError> {
    let file = place.path();
    match storage.read(&file) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(OpenError::Missing { file }),
        Err(error) => Err(OpenError::Io { file, error }),
    }
}
