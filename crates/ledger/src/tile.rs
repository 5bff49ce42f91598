//! Tiles and entry bundles as C2SP tlog-tiles lays them out: their paths, their bytes, and the right edge of a tree
//! that grows tile by tile. No I/O.

use crate::tree::{EMPTY, Hash, fold, perfect_root, perfect_subtrees};

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u64 = 256;

/// The longest entry: bundles prefix each with its length as a big-endian `uint16`.
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// What a file of the log holds, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// What it is a tile of.
    pub level: Level,
    /// The tile's number within its level.
    pub number: u64,
    /// How many hashes or entries it has; `WIDTH` is a full tile.
    pub width: u64,
}

/// The level of a [`Place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The entries themselves.
    Entries,
    /// Hashes of perfect subtrees of height `8 * level`.
    Hashes(u32),
}

/// The tiles on the right edge of a growing tree: level `l` holds the hashes of its unfinished tile, fewer than 256.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

/// A tile that the growth of an [`Edge`] finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Where it belongs.
    pub place: Place,
    /// Its 256 hashes.
    pub hashes: Vec<Hash>,
}

/// Why bytes are not the tile or bundle they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A tile whose length is not a multiple of 32 bytes, or too short.
    #[error("a tile of {bytes} bytes where {wanted} hashes of 32 bytes belong")]
    Tile {
        /// The bytes found.
        bytes: usize,
        /// The hashes wanted.
        wanted: u64,
    },
    /// A bundle that ends inside an entry.
    #[error("the bundle ends inside entry {entry}")]
    Cut {
        /// The entry's number in the bundle.
        entry: u64,
    },
}

/// The entries of a bundle in order; ends with an error where the bytes end inside an entry.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    rest: &'a [u8],
    next: u64,
}

/// Reads a bundle: each entry behind its length as big-endian `uint16`.
#[must_use]
pub fn entries(bundle: &[u8]) -> Entries<'_> {
    Entries { rest: bundle, next: 0 }
}

/// Appends an entry to a bundle; `false`, and no change, when it is longer than [`MAX_ENTRY`].
#[must_use]
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> bool {
    let Ok(len) = u16::try_from(entry.len()) else { return false };
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(entry);
    true
}

/// The bytes of a tile: its hashes one after another.
#[must_use]
pub fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The first `width` hashes of a tile's bytes; a longer file is the tile at a later size.
///
/// # Errors
/// When the bytes are not whole hashes or too few.
pub fn tile_hashes(bytes: &[u8], width: u64) -> Result<Vec<Hash>, Malformed> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || (chunks.len() as u64) < width || chunks.len() as u64 > WIDTH {
        return Err(Malformed::Tile { bytes: bytes.len(), wanted: width });
    }
    Ok(chunks.iter().zip(0..width).map(|(chunk, _)| Hash(*chunk)).collect())
}

/// The places of the unfinished tiles and the unfinished bundle of a tree of `size` entries; full tiles left out.
pub fn partial_places(size: u64) -> impl Iterator<Item = Place> {
    let hashes = (0..8).map(move |level| (Level::Hashes(level), size.checked_shr(8 * level).unwrap_or(0)));
    std::iter::once((Level::Entries, size)).chain(hashes).filter_map(|(level, size)| {
        let width = size % WIDTH;
        (width > 0).then_some(Place { level, number: size / WIDTH, width })
    })
}

// === impl Place ===

impl Place {
    /// The bundle of the tree of `size` entries that holds entry `index`, which must be in the tree.
    #[must_use]
    pub fn bundle_of(index: u64, size: u64) -> Self {
        Self::of(Level::Entries, index / WIDTH, size)
    }

    /// The tile with this number at its width in the tree of `size` entries.
    #[must_use]
    pub fn of(level: Level, number: u64, size: u64) -> Self {
        let at_level = match level {
            Level::Entries => size,
            Level::Hashes(level) => size.checked_shr(8 * level).unwrap_or(0),
        };
        Self { level, number, width: at_level.saturating_sub(number * WIDTH).min(WIDTH) }
    }

    /// The same place once it is full.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: WIDTH, ..self }
    }

    /// The file, relative to the log's folder: `tile/0/x001/067`, `tile/entries/000.p/17`.
    #[must_use]
    pub fn path(&self) -> String {
        let partial = if self.width == WIDTH { String::new() } else { format!(".p/{}", self.width) };
        format!("{}{partial}", self.stem())
    }

    /// The folder that holds the partial versions of this place.
    #[must_use]
    pub fn partial_folder(&self) -> String {
        format!("{}.p", self.stem())
    }

    fn stem(&self) -> String {
        let mut digits = format!("{:03}", self.number % 1000);
        let mut rest = self.number / 1000;
        while rest > 0 {
            digits = format!("x{:03}/{digits}", rest % 1000);
            rest /= 1000;
        }
        match self.level {
            Level::Entries => format!("tile/entries/{digits}"),
            Level::Hashes(level) => format!("tile/{level}/{digits}"),
        }
    }
}

// === impl Edge ===

impl Edge {
    /// Takes up a stored tree: `read` answers with the hashes of each unfinished tile, the lowest level first.
    ///
    /// # Errors
    /// Whatever `read` answers.
    pub fn load<E>(size: u64, mut read: impl FnMut(Place) -> Result<Vec<Hash>, E>) -> Result<Self, E> {
        let mut levels = Vec::new();
        let mut level = 0;
        while level < 8 && size >> (8 * level) > 0 {
            let at_level = size >> (8 * level);
            let width = at_level % WIDTH;
            let place = Place { level: Level::Hashes(level), number: at_level / WIDTH, width };
            levels.push(if width == 0 { Vec::new() } else { read(place)? });
            level += 1;
        }
        Ok(Self { size, levels })
    }

    /// How many leaves the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; answers with the tiles that this finished, the lowest level first.
    pub fn push(&mut self, leaf: Hash) -> Vec<Finished> {
        self.size += 1;
        let mut finished = Vec::new();
        let (mut hash, mut level) = (leaf, 0_u32);
        loop {
            if self.levels.len() <= level as usize {
                self.levels.push(Vec::new());
            }
            let Some(tile) = self.levels.get_mut(level as usize) else { return finished };
            tile.push(hash);
            if (tile.len() as u64) < WIDTH {
                return finished;
            }
            let hashes = std::mem::take(tile);
            hash = perfect_root(&hashes);
            let number = (self.size >> (8 * (level + 1))) - 1;
            finished.push(Finished {
                place: Place { level: Level::Hashes(level), number, width: WIDTH },
                hashes,
            });
            level += 1;
        }
    }

    /// The unfinished tiles with at least one hash.
    pub fn partial(&self) -> impl Iterator<Item = (Place, &[Hash])> {
        (0_u32..).zip(&self.levels).filter(|(_, tile)| !tile.is_empty()).map(|(level, tile)| {
            let number = self.size.checked_shr(8 * (level + 1)).unwrap_or(0);
            (Place { level: Level::Hashes(level), number, width: tile.len() as u64 }, tile.as_slice())
        })
    }

    /// The hashes of the unfinished lowest tile.
    #[must_use]
    pub fn leaves(&self) -> &[Hash] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// The root of the tree (RFC 6962 section 2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        if self.size == 0 {
            return EMPTY;
        }
        let subtrees: Vec<Hash> = self.levels.iter().rev().flat_map(|tile| perfect_subtrees(tile)).collect();
        fold(&subtrees)
    }
}

// === impl Entries ===

impl<'a> Iterator for Entries<'a> {
    type Item = Result<&'a [u8], Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.next;
        self.next += 1;
        let cut = |entries: &mut Self| {
            entries.rest = &[];
            Some(Err(Malformed::Cut { entry }))
        };
        let Some((len, rest)) = self.rest.split_first_chunk::<2>() else { return cut(self) };
        let Some((body, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len))) else {
            return cut(self);
        };
        self.rest = rest;
        Some(Ok(body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{leaf_hash, perfect_root};

    fn place(level: Level, number: u64, width: u64) -> String {
        Place { level, number, width }.path()
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        assert_eq!(place(Level::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(place(Level::Hashes(1), 17, 1), "tile/1/017.p/1");
        assert_eq!(place(Level::Entries, 1067, 255), "tile/entries/x001/067.p/255");
        assert_eq!(place(Level::Entries, 0, 256), "tile/entries/000");
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_the_specification_lists() {
        let mut edge = Edge::default();
        let mut finished = Vec::new();
        for i in 0_u64..70_000 {
            finished.extend(edge.push(leaf_hash(&i.to_be_bytes())));
        }
        let full = |level| finished.iter().filter(|f| f.place.level == Level::Hashes(level)).count();
        assert_eq!((full(0), full(1), full(2)), (273, 1, 0));
        let partial: Vec<String> = edge.partial().map(|(place, _)| place.path()).collect();
        assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
        let expected: Vec<String> = partial_places(70_000).map(|place| place.path()).collect();
        assert_eq!(
            expected,
            ["tile/entries/273.p/112", "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
        );

        let reloaded = Edge::load(70_000, |place| {
            let (_, hashes) = edge.partial().find(|(at, _)| *at == place).ok_or(())?;
            Ok::<_, ()>(hashes.to_vec())
        });
        assert_eq!(reloaded, Ok(edge));
    }

    #[test]
    fn the_edge_has_the_root_of_the_recursion() {
        let mut edge = Edge::default();
        let mut hashes = Vec::new();
        for i in 0_u64..1500 {
            let hash = leaf_hash(&i.to_be_bytes());
            hashes.push(hash);
            for tile in edge.push(hash) {
                assert_eq!(tile.hashes.len(), 256);
            }
            if hashes.len().is_power_of_two() {
                assert_eq!(edge.root(), perfect_root(&hashes));
            }
            assert_eq!(edge.root(), fold(&perfect_subtrees(&hashes)), "size {}", i + 1);
        }
    }

    #[test]
    fn bundles_read_back_and_cut_ones_say_where() {
        let mut bundle = Vec::new();
        assert!(
            push_entry(&mut bundle, b"one")
                && push_entry(&mut bundle, b"")
                && push_entry(&mut bundle, b"three")
        );
        assert!(!push_entry(&mut bundle, &vec![0; MAX_ENTRY + 1]));
        let read: Result<Vec<_>, _> = entries(&bundle).collect();
        assert_eq!(read, Ok(vec![&b"one"[..], b"", b"three"]));
        let cut: Vec<_> = entries(&bundle[..bundle.len() - 1]).collect();
        assert_eq!(cut.last(), Some(&Err(Malformed::Cut { entry: 2 })));
        assert_eq!(tile_hashes(&[0; 33], 1), Err(Malformed::Tile { bytes: 33, wanted: 1 }));
        assert_eq!(tile_hashes(&[0; 64], 1).map(|hashes| hashes.len()), Ok(1));
    }
}
