//! Sessions over a real store: opened, proven, ended, frozen, loaded again.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod ending;
mod freezing;
mod refusals;
mod support;
mod tokens;
