//! The data path. Each phase of a call is a module:
//!
//! | phase | module |
//! |---|---|
//! | accept | [`accept`], `connection` |
//! | identify | `identify` |
//! | parse | `parse` |
//! | judge | `attempt`, with [`policy::Judge`]; questions about one's own rights in `reviews` |
//! | ask | `hold`, with [`inbox::Inbox`]; ahead of calls, at paths of the gate's own, `ahead` |
//! | intent | `forward`, with [`ledger::Ledger::append`] |
//! | forward | `forward`, with [`upstream::Cluster::send`] |
//! | mask | `deliver`, with [`mask::Sealed::open`]; a long answer goes part by part through `passage` |
//! | outcome | `deliver` and `outcome` |
//!
//! An exec or attach goes another way after its intent: `stream`, by [`upstream::Cluster::switch`]; `upgrade` is what its client's
//! connection becomes. What is recorded of a session goes to its [`recording::Tap`], by [`Recordings`].
//!
//! Values of what is changed are kept for who may put them back (`keeping`).
//!
//! A write with placeholders, or to a Secret, is settled between parse and judge (`settle`), for which the gate looks at the
//! object (`look`). What an agent sends is held against the values that the gate knows before that (`tripwire`), and a
//! session stopped with [`control::freeze`]. What may end a call at any of them (its session's end, the gate's) is in `interrupt`.
//! What is recorded is made in `record`, what a client is told instead of an answer in `refuse`, and the only
//! bodies a client can get in `reply`. Calls turned away before they are anybody's are counted in [`rejections`].
//! The digests of what [`recording`] has written get into the ledger by [`segments`].

pub mod accept;
mod activity;
mod ahead;
mod attempt;
mod before;
#[cfg(test)]
mod bench;
mod call;
mod compress;
mod connection;
mod deliver;
mod each;
mod forward;
mod gate;
mod hold;
mod identify;
mod interrupt;
mod judged;
mod keeping;
mod lasting;
mod limits;
mod look;
mod metrics;
pub mod operations;
mod outcome;
mod outlive;
mod parse;
mod passage;
mod record;
mod recordings;
mod refuse;
pub mod rejections;
mod reply;
mod reviews;
pub mod segments;
mod settle;
mod stream;
mod tape;
mod tripwire;
mod upgrade;

pub use gate::Gate;
pub use limits::{AccessRules, GlassRules, Holding, Limits};
pub use recordings::Recordings;
