//! SPDY as its callers see it: what one end says the other hears, and nothing that comes does harm.
//!
//! `PORTCULLIS_CASES` and `PORTCULLIS_SEED` choose how many cases and which; `cargo xtask fuzz` sets them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failure in them is a failed test"
)]

mod conversations;
mod damage;
mod hostile;
mod order;
mod rng;
mod support;
