//! What the ledger has of sessions and their recordings.
//!
//! All leaves are read, and held against the signed checkpoint: what a recording is held against is what was signed, but for
//! the last second's, which is in the journal alone.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use ledger::{
    leaf::{Event, Intent, Leaf, Recorded, RecordingErased, SessionOpened},
    reader::{Reader, Stored},
    tree::{self, Hash},
};
use recording::{Digest, Session};

use super::beside::{self, Beside};

/// What the ledger has, by sessions.
#[derive(Debug, Default)]
pub(super) struct Told {
    sessions: BTreeMap<String, OfSession>,
    /// How many leaves were read.
    next: u64,
    /// How many of them are under a checkpoint, and the perfect trees that they make, the tallest first.
    sealed: u64,
    trees: Vec<(u32, Hash)>,
    /// How often a gate has started.
    boot: u64,
    /// The starts that ended with a stop by which everything had come to its end.
    stopped: BTreeSet<u64>,
    /// Whether the last one has not stopped in order, so may be running.
    running: bool,
    /// What it has beside the recording of one session, if that is wanted.
    beside: Option<Beside>,
}

/// What became of the gate that wrote the end of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may be running, and going on.
    MayRun,
    /// It stopped in order: all that it wrote is in the ledger.
    Stopped,
    /// It was killed, or not everything had come to its end when it stopped.
    Killed,
}

/// What it has of one.
#[derive(Debug, Default, Clone)]
pub(super) struct OfSession {
    /// Who, for whom, where and what for.
    pub(super) opened: Option<Box<SessionOpened>>,
    /// Calls that the agent made.
    pub(super) calls: u64,
    /// The digests of its recording's segments.
    segments: BTreeMap<u64, Digest>,
    /// The last segment that is on disk for certain: told before the files were listed.
    settled: u64,
    /// The start of the gate that told the last.
    boot: u64,
    /// When its recording was erased, and why.
    pub(super) erased: Option<(Timestamp, String)>,
}

// === impl Told ===

impl Told {
    /// With what the ledger has beside the recording of a session.
    pub(super) fn beside_of(session: &Session) -> Self {
        Self { beside: Some(Beside::of(session)), ..Self::default() }
    }

    /// What it has beside the recording of the session that was named.
    pub(super) fn beside(&self) -> &[beside::Told] {
        self.beside.as_ref().map(Beside::told).unwrap_or_default()
    }

    /// Reads on, to where the ledger is now.
    ///
    /// # Errors
    /// A leaf cannot be read, or the leaves are not what was signed.
    pub(super) fn read_on(&mut self, reader: &Reader) -> anyhow::Result<()> {
        let extent = reader.extent()?;
        let checkpoint = reader.checkpoint()?.checkpoint;
        for leaf in reader.leaves(self.sealed..checkpoint.size)? {
            let leaf = leaf?;
            self.seal(tree::leaf_hash(&leaf.json));
            self.add(&leaf)?;
        }
        let trees: Vec<Hash> = self.trees.iter().map(|(_, hash)| *hash).collect();
        ensure!(
            self.sealed == checkpoint.size && tree::fold(&trees) == checkpoint.root,
            "the ledger is not what was signed, so nothing can be held against it: `portcullis ledger verify` tells more"
        );
        extent.unsealed.iter().try_for_each(|leaf| self.add(leaf))
    }

    /// Whatever is told from now on may be of files that were not there when they were listed.
    pub(super) fn settle(&mut self) {
        for session in self.sessions.values_mut() {
            session.settled = session.last_segment();
        }
    }

    pub(super) fn of(&self, session: &str) -> Option<&OfSession> {
        self.sessions.get(session)
    }

    /// Sessions whose recordings it tells of.
    pub(super) fn recorded(&self) -> impl Iterator<Item = &str> {
        let recorded = |of: &OfSession| !of.segments.is_empty() || of.erased.is_some();
        self.sessions.iter().filter(move |(_, of)| recorded(of)).map(|(session, _)| session.as_str())
    }

    /// What became of the gate that told the last segment of the session's recording.
    pub(super) fn gate(&self, session: &str) -> Gate {
        // Of one that was not told yet nobody knows better.
        let boot = self.of(session).map(|of| of.boot).filter(|boot| *boot > 0).unwrap_or(self.boot);
        if self.stopped.contains(&boot) {
            Gate::Stopped
        } else if self.running && boot == self.boot {
            Gate::MayRun
        } else {
            Gate::Killed
        }
    }

    /// As RFC 6962 builds its tree: two of one height become one above.
    fn seal(&mut self, leaf: Hash) {
        let (mut height, mut hash) = (0, leaf);
        while let Some((_, left)) = self.trees.pop_if(|(of, _)| *of == height) {
            hash = tree::node_hash(&left, &hash);
            height += 1;
        }
        self.trees.push((height, hash));
        self.sealed += 1;
    }

    fn add(&mut self, leaf: &Stored) -> anyhow::Result<()> {
        if leaf.index < self.next {
            return Ok(());
        }
        self.next = leaf.index + 1;
        let (index, leaf) = (leaf.index, Leaf::parse(&leaf.json));
        let leaf = leaf.with_context(|| format!("leaf {index} of the ledger"))?;
        if let Some(beside) = &mut self.beside {
            beside.add(index, &leaf);
        }
        let Leaf { event, time, .. } = leaf;
        match event {
            Event::Start(_) => (self.boot, self.running) = (self.boot + 1, true),
            Event::Stop(stop) => {
                self.running = false;
                self.stopped.extend(stop.clean.then_some(self.boot));
            }
            Event::SessionOpened(opened) => {
                let session = opened.session.to_string();
                self.session(&session).opened = Some(opened);
            }
            Event::Intent(intent) => {
                let Intent { looks_for, part, actor, .. } = *intent;
                // What the gate asks by itself is no call of the agent's.
                if looks_for.is_none() && part.is_none() {
                    self.session(actor.session.as_str()).calls += 1;
                }
            }
            Event::Refusal(refusal) => {
                if let Some(actor) = refusal.actor {
                    self.session(actor.session.as_str()).calls += 1;
                }
            }
            Event::Answered(answered) => self.session(answered.actor.session.as_str()).calls += 1,
            Event::Recorded(Recorded { session, segment, sha256, .. }) => {
                let boot = self.boot;
                let session = self.session(session.as_str());
                // Told again after a crash, it is the same.
                session.segments.entry(segment).or_insert(Digest(sha256.0));
                session.boot = boot;
            }
            Event::RecordingErased(RecordingErased { session, why, .. }) => {
                self.session(session.as_str()).erased.get_or_insert_with(|| (time, why.to_string()));
            }
            _ => {}
        }
        Ok(())
    }

    fn session(&mut self, session: &str) -> &mut OfSession {
        self.sessions.entry(session.to_owned()).or_default()
    }
}

// === impl OfSession ===

impl OfSession {
    /// The number of the last segment that was told; 0 for none.
    pub(super) fn last_segment(&self) -> u64 {
        self.segments.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// What a recording is held against whose last segment, when its files were listed, was this one.
    pub(super) fn digests(&self, last: Option<u64>) -> BTreeMap<u64, Digest> {
        let last = last.unwrap_or_default().max(self.settled);
        self.segments.range(..=last).map(|(number, digest)| (*number, *digest)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_while_files_are_listed_is_not_missed_and_what_was_told_before_is() {
        let segments = (1..=5).map(|number| (number, Digest([0; 32]))).collect();
        let of = OfSession { segments, settled: 3, ..OfSession::default() };
        let wanted = |last| of.digests(last).into_keys().collect::<Vec<_>>();
        assert_eq!(wanted(Some(5)), [1, 2, 3, 4, 5]);
        assert_eq!(wanted(Some(4)), [1, 2, 3, 4]);
        assert_eq!(wanted(Some(2)), [1, 2, 3], "the third was there");
        assert_eq!(wanted(None), [1, 2, 3]);
    }
}
