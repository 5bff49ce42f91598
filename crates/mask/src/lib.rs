//! Masks secrets in what an API server answers, while it streams.
//!
//! Pure: no clock, no I/O, no randomness. The work is done by [`Masker`], a strict JSON scanner that replaces the values at
//! known places ([`Places`]) and hands every other byte on as it came, at any chunk boundary and in constant memory. What it
//! cannot parse is an error, never a guess.

mod malformed;
mod masker;
mod nested;
mod placeholder;
mod places;
mod scan;
mod splice;

pub use malformed::{Malformed, What};
pub use masker::{Framing, Masker};
pub use placeholder::{Placeholder, placeholder_in};
pub use places::Places;
pub use scan::MAX_DEPTH;
