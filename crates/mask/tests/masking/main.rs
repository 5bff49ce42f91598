//! Masking as its callers see it: bytes in, bytes out.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failure in them is a failed test"
)]

mod binding;
mod carriers;
mod configured;
mod corpus;
mod differential;
mod properties;
mod support;
