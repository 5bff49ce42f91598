//! What people do to sessions, each recorded in the ledger: they open, revoke, freeze and thaw them.
//!
//! Stopping comes first and is recorded after: ending a session must not wait for a disk. What lets an agent act goes the
//! other way round: the ledger has it before the session can be used.

pub mod freeze;
mod sessions;

pub use sessions::{Changed, Control, Error, NotOpened};
