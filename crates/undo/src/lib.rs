//! Undoing what a session did: from its recording to the calls that put things back.
//!
//! ```text
//!  recording ─ history ─ plan ───────────┬─ step: delete, create, change back
//!              (each change, with its    └─ left: what cannot be undone, and why
//!               images before and after)
//!  step ─ look (the object as it is now) ─┬─ the call that undoes it
//!                                         └─ left: it has changed since
//!  calls ─ propose, as one change set ─ humans, if policy asks ─ send, one after the other
//! ```
//!
//! Whoever undoes is a client of the gate like any other, in a session of their own: each call is judged, asked about, masked and
//! recorded, and can be undone in its turn. Nothing here is trusted by the gate.
//!
//! The order is the reverse of the session's. Several changes of one object are undone as one: from what the last of them left to what was
//! there before the first. What somebody else changed between or since is not overwritten: it is left, and that is said.

mod act;
mod changed;
mod history;
mod look;
mod object;
mod place;
mod plan;
#[cfg(test)]
mod tests;
mod thread;
mod why;

pub use act::{Done, Sent, Undone, undo};
pub use changed::Change;
pub use history::History;
pub use look::{Look, Ready};
pub use place::Place;
pub use plan::{Inverse, Left, Plan, Step};
pub use why::Why;
