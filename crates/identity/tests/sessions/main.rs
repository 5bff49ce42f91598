//! Sessions over a real store: opened, proven, ended, frozen, loaded again.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]
#![expect(clippy::string_slice, reason = "tokens are ASCII")]

mod ending;
mod freezing;
mod refusals;
mod support;
mod tokens;
