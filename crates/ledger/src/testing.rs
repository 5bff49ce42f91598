//! A log to test with, for other crates' tests.

#![expect(clippy::unwrap_used, reason = "a log that cannot be opened or read is a failed test")]

use crate::leaf::{Actor, Decision, Digest, Event, Id, Leaf, Previous, Request, Start, Verdict};
use crate::note::Verifier;
use crate::reader::Reader;
use crate::{Config, Key, Ledger};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A log in `folder/ledger` with its key in `folder/ledger.key`, which is made if it is not there.
///
/// # Panics
/// The key cannot be read or made.
#[must_use]
pub fn config(folder: &Path) -> Config {
    Config {
        folder: folder.join("ledger"),
        key: Key::load_or_generate(&folder.join("ledger.key"), "gate.example.com/ledger").unwrap(),
        writer_id: Id::new("gate-1").unwrap(),
        checkpoint_interval: Duration::from_secs(1),
        queue: 64,
        reserve: 0,
    }
}

/// The start of a gate that has nothing.
#[must_use]
pub fn start() -> Start {
    Start {
        build: "test".into(),
        config: Digest([0; 32]),
        policy: Digest([0; 32]),
        clusters: std::iter::empty::<&str>().map(Into::into).collect(),
        lifted: std::iter::empty().collect(),
        previous: Previous::None,
    }
}

/// Opens [`config`]'s log, on the system's clock.
///
/// # Panics
/// It cannot be opened.
#[must_use]
pub fn open(folder: &Path) -> Ledger {
    Ledger::open(config(folder), start(), jiff::Timestamp::now).unwrap().0
}

/// Every sealed event of [`config`]'s log.
///
/// # Panics
/// It cannot be read.
#[must_use]
pub fn events(folder: &Path) -> Vec<Event> {
    let folder = folder.join("ledger");
    let vkey = fs::read_to_string(folder.join("ledger.vkey")).unwrap();
    let reader = Reader::new(&folder, Verifier::parse(&vkey).unwrap());
    let leaves = reader.leaves(0..u64::MAX).unwrap();
    leaves.map(|leaf| Leaf::parse(&leaf.unwrap().json).unwrap().event).collect()
}

/// `claude` in session `s-1`, for `ada@example.com`.
///
/// # Panics
/// Never.
#[must_use]
pub fn actor() -> Actor {
    Actor {
        agent: "claude".into(),
        groups: std::iter::empty::<&str>().map(Into::into).collect(),
        delegator: "ada@example.com".into(),
        session: Id::new("s-1").unwrap(),
        src: "127.0.0.1:4000".into(),
    }
}

/// A request of this path, without a body, on cluster `prod`.
#[must_use]
pub fn request(verb: &str, path: &str) -> Request {
    Request {
        cluster: "prod".into(),
        verb: verb.into(),
        group: None,
        version: None,
        resource: None,
        subresource: None,
        namespace: None,
        name: None,
        generate_name: None,
        path: path.into(),
        hidden: std::iter::empty().collect(),
        dry_run: false,
        restores: None,
        body: None,
    }
}

/// A decision by no rule of no bundle.
#[must_use]
pub fn decision(outcome: Verdict) -> Decision {
    Decision {
        outcome,
        rules: std::iter::empty().collect(),
        policy: Digest([0; 32]),
        masked_read: false,
        reveal: None,
    }
}
