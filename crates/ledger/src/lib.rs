//! The ledger: a Merkle log of everything that passed the gate, as C2SP tlog-tiles lays it out.
//!
//! | module | what lives there | I/O |
//! |---|---|---|
//! | [`tree`] | RFC 6962 hashes, inclusion and consistency proofs | no |
//! | [`tile`] | paths and bytes of tiles and entry bundles, the right edge of a growing tree | no |
//! | [`note`], [`checkpoint`] | signed notes and tree heads, Ed25519 | no |
//! | [`canonical`], [`leaf`] | RFC 8785 JSON, the event schema | no |
//! | [`proof`] | one leaf's place in the log as a text | no |
//! | [`reader`], [`mod@verify`] | leaves, proofs, and whether a log is what was signed | read |
//! | testing | a log for other crates' tests, behind the feature `testing` | yes |
//! | writer | [`Ledger`]: group commit, recovery, sealing; [`Receipt`], the proof of a durable append | yes |
//!
//! The folder of a log, all of it readable without this crate but for the journal:
//!
//! ```text
//! checkpoint            the signed tree head: origin, size, root
//! ledger.vkey           the key that verifies it
//! tile/entries/000      256 leaves; `.p/17` while there are 17
//! tile/0/000            their hashes; tile/1/…, tile/2/… above
//! journal/…             leaves that are durable and not yet under a checkpoint
//! lock                  held by the one writer
//! ```

#![cfg_attr(test, expect(clippy::cast_possible_truncation, reason = "tests index slices by small numbers"))]

mod journal;
mod key;
mod mac;
mod storage;
mod writer;

pub mod canonical;
pub mod checkpoint;
pub mod leaf;
pub mod note;
pub mod proof;
pub mod reader;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tile;
pub mod tree;
pub mod verify;

pub use key::{Key, KeyError};
pub use writer::{Clock, Config, Entry, Ledger, OpenError, Receipt, Recovery, Refused, Stats};
