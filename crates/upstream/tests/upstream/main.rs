//! Sending to an API server that does what a test tells it to.
#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod connections;
mod credentials;
mod lines;
mod reader;
mod sending;
mod support;
