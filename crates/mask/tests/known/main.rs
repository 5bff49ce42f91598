//! Masking by value as its callers see it: what is known does not come out, and nothing else changes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests: a failure in them is a failed test"
)]

mod documents;
mod pipeline;
mod spellings;
mod streams;
mod support;
