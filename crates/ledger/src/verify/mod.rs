//! Verifies a log offline, on its files alone, tile by tile: every hash is computed again from the leaves, up to the
//! signed root, and the leaves' own story is checked: canonical form, sequence, intents and their outcomes, sessions,
//! approvals, and the segments of recordings.

mod approvals;
mod recordings;
mod report;
mod story;
mod tiles;

pub use report::{Finding, Problem, Report};

use crate::checkpoint::Checkpoint;
use crate::journal::{self, Chain, Frame, Scan};
use crate::note::Verifier;
use crate::storage::{FsStorage, Storage};
use crate::tile;
use crate::writer::{CHECKPOINT, JOURNAL};
use std::path::Path;
use story::Story;

/// Verifies the log in this folder against the key that its checkpoints are signed with.
///
/// It may be running: what is written meanwhile is left for the next time. Needs memory for one tile a level, for the
/// sessions, and for the intents that are open, all bounded.
#[must_use]
pub fn verify(folder: &Path, verifier: &Verifier) -> Report {
    verify_storage(&FsStorage::new(folder), verifier, None)
}

/// [`verify`], and that the log is an extension of what an earlier checkpoint of it had signed: whoever kept that one
/// notices leaves that were cut off or exchanged since, though the key were used to sign what is there now.
#[must_use]
pub fn verify_since(folder: &Path, verifier: &Verifier, earlier: &Checkpoint) -> Report {
    verify_storage(&FsStorage::new(folder), verifier, Some(earlier))
}

/// [`verify_since`] on any storage.
pub(crate) fn verify_storage(
    storage: &dyn Storage,
    verifier: &Verifier,
    earlier: Option<&Checkpoint>,
) -> Report {
    let mut report = Report::new(verifier.name());
    let Some(checkpoint) = checkpoint(storage, verifier, &mut report) else { return report };
    report.size = checkpoint.size;
    report.root = Some(checkpoint.root);
    let mut story = Story::default();
    tiles::walk(storage, &checkpoint, earlier, &mut story, &mut report);
    journal(storage, verifier, &mut story, &mut report);
    story.finish(&mut report);
    report
}

/// The checkpoint, verified.
fn checkpoint(storage: &dyn Storage, verifier: &Verifier, report: &mut Report) -> Option<Checkpoint> {
    let note = match storage.read(CHECKPOINT) {
        Ok(Some(note)) => note,
        Ok(None) => {
            report.problem(Problem::Missing { file: CHECKPOINT.to_owned() });
            return None;
        }
        Err(error) => {
            report.problem(Problem::Unreadable { file: CHECKPOINT.to_owned(), error: error.to_string() });
            return None;
        }
    };
    match Checkpoint::open(&note, verifier) {
        Ok(opened) => {
            report.other_signatures = opened.others;
            Some(opened.checkpoint)
        }
        Err(error) => {
            report.problem(Problem::Checkpoint { error });
            None
        }
    }
}

/// Checks what the journal has beyond the checkpoint, as far as that can be done without the gate's own key: whoever can
/// write the folder can write such leaves.
fn journal(storage: &dyn Storage, verifier: &Verifier, story: &mut Story, report: &mut Report) {
    let (mut next, mut chain) = (report.size, Chain::default());
    let names = match storage.list(JOURNAL) {
        Ok(names) => names,
        Err(error) => {
            report.problem(Problem::Unreadable { file: JOURNAL.to_owned(), error: error.to_string() });
            return;
        }
    };
    for name in names {
        let file = format!("{JOURNAL}/{name}");
        let segment = match storage.read(&file) {
            Ok(Some(segment)) => segment,
            // The writer dropped it meanwhile: a newer checkpoint covers it.
            Ok(None) => continue,
            Err(error) => {
                report.problem(Problem::Unreadable { file, error: error.to_string() });
                continue;
            }
        };
        match journal::scan(&segment) {
            Ok(Scan { frames, torn }) => {
                report.torn_bytes += torn as u64;
                for frame in &frames {
                    if let Err(why) = chain.follow(&segment, frame, None) {
                        let (file, at) = (file.clone(), frame.at as u64);
                        report.problem(Problem::JournalForeign { file, at, why: why.to_string() });
                    }
                    next = tail_frame(storage, verifier, (&file, &segment), frame, next, story, report);
                }
            }
            Err(damaged) => {
                let (at, what) = (damaged.at as u64, damaged.what);
                report.problem(Problem::JournalDamaged { file, at, what });
            }
        }
    }
    report.unsealed = next - report.size;
}

/// Checks a frame's leaves beyond `next`; answers with the index that follows.
fn tail_frame(
    storage: &dyn Storage,
    verifier: &Verifier,
    (file, segment): (&str, &[u8]),
    frame: &Frame,
    next: u64,
    story: &mut Story,
    report: &mut Report,
) -> u64 {
    let end = frame.first.saturating_add(frame.count);
    if end <= next {
        return next;
    }
    if frame.first > next {
        // Segments between may have gone under a newer checkpoint while this one was verified.
        let sealed = storage.read(CHECKPOINT).ok().flatten();
        let sealed = sealed.and_then(|note| Checkpoint::open(&note, verifier).ok());
        if sealed.is_none_or(|opened| opened.checkpoint.size < frame.first) {
            report.problem(Problem::JournalGap { file: file.to_owned(), found: frame.first, wanted: next });
        }
        story.lose_track();
    }
    let leaves = segment.get(frame.payload.clone()).unwrap_or_default();
    for (index, leaf) in (frame.first..).zip(tile::entries(leaves).flatten()) {
        if index >= next {
            story.leaf(file, index, leaf, report);
        }
    }
    end
}

#[cfg(test)]
mod tests;
