//! Signing in with providers that do what a test tells them to, and with a real one.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail loudly"
)]

mod caching;
mod identities;
mod protocol;
mod providers;
mod real;
mod settings;
mod signer;
mod support;
mod tokens;
