//! Telling people, by scripted servers on loopback. Time is the tests' own: whoever waits for it moves it, so nothing waits.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may fail loudly")]

mod configuration;
mod http;
mod mail;
mod reporting;
mod support;
mod telling;
