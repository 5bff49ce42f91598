//! A recording that is being written, with the bodies it is known to have.

use super::body::Digested;
use super::chain::{Batch, Chain};
use super::run::Run;
use crate::Digest;
use crate::record::{Answered, Before, Blob, Called, Payload, What};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;

/// Bodies of a recording that are known to be in it; of more, the oldest would be stored once more.
const BODIES: usize = 16 << 10;

/// A recording that is open: what is on the disk, and what is not yet.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) run: Arc<Run>,
    pub(super) chain: Chain,
    pub(super) batch: Batch,
    /// Bytes of what is kept beside it, once that is known.
    pub(super) kept: Option<u64>,
    bodies: Bodies,
}

/// The segments that have bodies.
#[derive(Debug, Default)]
struct Bodies {
    segments: HashMap<Digest, u64>,
    oldest: VecDeque<Digest>,
}

// === impl Recording ===

impl Recording {
    pub(super) fn new(run: Arc<Run>, chain: Chain) -> Self {
        Self { run, chain, batch: Batch::default(), kept: None, bodies: Bodies::default() }
    }

    /// Adds a record to the batch, and its body before it unless the recording has that.
    pub(super) fn add(&mut self, at: u64, mut what: What, body: Option<Digested>) -> io::Result<()> {
        if let Some(body) = body {
            let blob = self.store(at, body)?;
            match &mut what {
                What::Called(Called { body, .. })
                | What::Before(Before { body, .. })
                | What::Answered(Answered { body, .. }) => *body = Some(blob),
                What::Body { .. }
                | What::Opened(_)
                | What::Bytes { .. }
                | What::Resized { .. }
                | What::Closed { .. }
                | What::Began {}
                | What::Interrupted { .. }
                | What::Stopped {} => {}
            }
        }
        self.chain.add(&mut self.batch, at, what)
    }

    /// Where the body is, which is here from now on unless it was there before.
    fn store(&mut self, at: u64, body: Digested) -> io::Result<Blob> {
        let Digested { sha256, kept, whole } = body;
        let blob = |segment| Blob { sha256, kept: kept.len() as u64, whole, segment };
        if let Some(segment) = self.bodies.segments.get(&sha256) {
            return Ok(blob(*segment));
        }
        let here = blob(self.chain.next);
        self.chain.add(&mut self.batch, at, What::Body { sha256, kept: Payload(kept) })?;
        self.bodies.remember(sha256, here.segment);
        Ok(here)
    }
}

// === impl Bodies ===

impl Bodies {
    fn remember(&mut self, sha256: Digest, segment: u64) {
        if self.oldest.len() >= BODIES
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.segments.remove(&oldest);
        }
        self.oldest.push_back(sha256);
        self.segments.insert(sha256, segment);
    }
}
