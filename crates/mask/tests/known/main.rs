//! Masking by value as its callers see it: what is known does not come out, and nothing else changes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failure in them is a failed test"
)]

mod documents;
mod flood;
mod spellings;
mod streams;
mod support;
