//! The walk over tiles and bundles: from the leaves up to the signed root.

use super::report::{Problem, Report};
use super::story::Story;
use crate::checkpoint::Checkpoint;
use crate::reader::read_place;
use crate::storage::Storage;
use crate::tile::{self, Edge, Finished, Level, Malformed, Place, WIDTH};
use crate::tree::{Hash, leaf_hash, perfect_root};

/// Computes the tree again and compares each stored hash, each tile above, and the root; on the way, the root that the
/// earlier checkpoint had.
pub(super) fn walk(
    storage: &dyn Storage,
    signed: &Checkpoint,
    earlier: Option<&Checkpoint>,
    story: &mut Story,
    report: &mut Report,
) {
    let mut walk = Walk { storage, signed, earlier, edge: Edge::default(), parent: None, lost: false };
    walk.compare_earlier(report);
    for number in 0..signed.size.div_ceil(WIDTH) {
        walk.bundle(number, story, report);
    }
    walk.finish(report);
}

struct Walk<'a> {
    storage: &'a dyn Storage,
    signed: &'a Checkpoint,
    earlier: Option<&'a Checkpoint>,
    edge: Edge,
    /// The stored tile of level 1 above the place where the walk is, by number.
    parent: Option<(u64, Option<Vec<Hash>>)>,
    /// Hashes are missing on both sides: nothing above can be computed.
    lost: bool,
}

/// What two sources of the same hashes say.
struct Compared<'a> {
    bundle: Place,
    tile: Place,
    computed: &'a [Hash],
    stored: &'a [Hash],
}

impl Walk<'_> {
    fn bundle(&mut self, number: u64, story: &mut Story, report: &mut Report) {
        let bundle = Place::of(Level::Entries, number, self.signed.size);
        let tile = Place::of(Level::Hashes(0), number, self.signed.size);
        let bytes = self.bytes(bundle, report);
        let entries = bytes.as_deref().and_then(|bytes| whole_entries(bundle, bytes, report));
        let stored = self.hashes(tile, report);
        match &entries {
            Some(entries) => {
                for (index, entry) in (number * WIDTH..).zip(entries) {
                    story.leaf(&bundle.path(), index, entry, report);
                }
            }
            None => story.lose_track(),
        }
        let computed: Option<Vec<Hash>> =
            entries.map(|entries| entries.iter().map(|entry| leaf_hash(entry)).collect());
        let believed = match (computed, stored) {
            (Some(computed), Some(stored)) if computed != stored => {
                self.judge(&Compared { bundle, tile, computed: &computed, stored: &stored }, report)
            }
            (Some(hashes), _) | (None, Some(hashes)) => hashes,
            (None, None) => {
                self.lost = true;
                return;
            }
        };
        if self.lost {
            return;
        }
        for hash in believed {
            for finished in self.edge.push(hash) {
                self.compare_finished(&finished, report);
            }
            self.compare_earlier(report);
        }
    }

    /// Compares the tree so far with the earlier checkpoint, when that had as many leaves.
    fn compare_earlier(&self, report: &mut Report) {
        let Some(earlier) = self.earlier.filter(|earlier| earlier.size == self.edge.size()) else { return };
        let computed = self.edge.root();
        if computed == earlier.root {
            report.extends = Some(earlier.size);
        } else {
            report.problem(Problem::Forked { size: earlier.size, earlier: earlier.root, computed });
        }
    }

    /// Leaves and their stored hashes differ: which of them the signed tree holds says which was changed.
    fn judge(&mut self, compared: &Compared<'_>, report: &mut Report) -> Vec<Hash> {
        let Compared { bundle, tile, computed, stored } = compared;
        let (leaf_changed, hash_changed) = if bundle.width == WIDTH {
            let parent = self.parent_hash(bundle.number);
            (parent == Some(perfect_root(stored)), parent == Some(perfect_root(computed)))
        } else {
            (self.leads_to_root(stored), self.leads_to_root(computed))
        };
        let differing = || computed.iter().zip(stored.iter()).zip(0..).filter(|((a, b), _)| a != b);
        let index = bundle.number * WIDTH + differing().next().map_or(0, |(_, i)| i);
        let more = differing().count().saturating_sub(1) as u64;
        let (bundle, tile) = (bundle.path(), tile.path());
        let (problem, believed) = if leaf_changed {
            (Problem::LeafChanged { file: bundle, index, more }, stored)
        } else if hash_changed {
            (Problem::HashChanged { file: tile, index, more }, computed)
        } else {
            (Problem::Disagreement { bundle, tile, index, more }, computed)
        };
        report.problem(problem);
        believed.to_vec()
    }

    /// Whether the tree with these as its last leaves has the signed root.
    fn leads_to_root(&self, last: &[Hash]) -> bool {
        let mut edge = self.edge.clone();
        for hash in last {
            edge.push(*hash);
        }
        !self.lost && edge.root() == self.signed.root
    }

    /// The stored hash over the full tile with this number.
    fn parent_hash(&mut self, number: u64) -> Option<Hash> {
        let above = number / WIDTH;
        if self.parent.as_ref().is_none_or(|(at, _)| *at != above) {
            let place = Place::of(Level::Hashes(1), above, self.signed.size);
            let bytes = read_place(self.storage, place).ok().flatten();
            let hashes = bytes.and_then(|bytes| tile::tile_hashes(&bytes, place.width).ok());
            self.parent = Some((above, hashes));
        }
        let (_, hashes) = self.parent.as_ref()?;
        hashes.as_ref()?.get(usize::try_from(number % WIDTH).ok()?).copied()
    }

    /// Compares a tile above the leaves with its file.
    fn compare_finished(&self, finished: &Finished, report: &mut Report) {
        if finished.place.level != Level::Hashes(0) {
            self.compare(finished.place, &finished.hashes, report);
        }
    }

    fn compare(&self, place: Place, computed: &[Hash], report: &mut Report) {
        let Some(stored) = self.hashes(place, report) else { return };
        if let Some((_, at)) = computed.iter().zip(&stored).zip(0_u64..).find(|((a, b), _)| a != b) {
            report.problem(Problem::TileChanged { file: place.path(), at });
        }
    }

    fn finish(self, report: &mut Report) {
        if let Some(earlier) = self.earlier.filter(|earlier| earlier.size > self.signed.size) {
            report.problem(Problem::CutOff { earlier: earlier.size, size: self.signed.size });
        }
        if self.lost {
            report.problem(Problem::RootUnknown);
            return;
        }
        for (place, hashes) in self.edge.partial().filter(|(place, _)| place.level != Level::Hashes(0)) {
            self.compare(place, hashes, report);
        }
        let computed = self.edge.root();
        if computed != self.signed.root {
            report.problem(Problem::Root { signed: self.signed.root, computed });
        }
    }

    fn bytes(&self, place: Place, report: &mut Report) -> Option<Vec<u8>> {
        let file = place.path();
        match read_place(self.storage, place) {
            Ok(Some(bytes)) => return Some(bytes),
            Ok(None) => report.problem(Problem::Missing { file }),
            Err(error) => report.problem(Problem::Unreadable { file, error: error.to_string() }),
        }
        None
    }

    fn hashes(&self, place: Place, report: &mut Report) -> Option<Vec<Hash>> {
        let hashes = tile::tile_hashes(&self.bytes(place, report)?, place.width);
        hashes.map_err(|error| report.problem(Problem::Malformed { file: place.path(), error })).ok()
    }
}

/// The entries of a bundle, if it has as many as it should. A full bundle may stand in for a partial one.
fn whole_entries<'a>(place: Place, bytes: &'a [u8], report: &mut Report) -> Option<Vec<&'a [u8]>> {
    let entries: Result<Vec<&[u8]>, Malformed> = tile::entries(bytes).collect();
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            report.problem(Problem::Malformed { file: place.path(), error });
            return None;
        }
    };
    let (found, wanted) = (entries.len() as u64, place.width);
    if found != wanted && found != WIDTH {
        report.problem(Problem::Count { file: place.path(), found, wanted });
        return None;
    }
    entries.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
    Some(entries)
}
