//! The data path. Each phase of a call is a module:
//!
//! | phase | module |
//! |---|---|
//! | accept | [`accept`] |
//! | identify | `identify` |
//! | parse | `parse` |
//! | judge | `call`, with [`policy::Judge`]; questions about one's own rights in `reviews` |
//! | intent | `call`, with [`ledger::Ledger::append`] |
//! | forward | `call`, with [`upstream::Cluster::send`] |
//! | mask | `deliver`, with [`mask::Sealed::open`] |
//! | outcome | `deliver` and `outcome` |
//!
//! What is recorded is made in `record`, what a client is told instead of an answer in `refuse`, and the only
//! bodies a client can get in `reply`. Calls turned away before they are anybody's are counted in [`rejections`].

pub mod accept;
mod call;
mod deliver;
mod gate;
mod identify;
mod limits;
mod metrics;
pub mod operations;
mod outcome;
mod parse;
mod record;
mod refuse;
pub mod rejections;
mod reply;
mod reviews;
mod slots;

pub use gate::Gate;
pub use limits::Limits;
