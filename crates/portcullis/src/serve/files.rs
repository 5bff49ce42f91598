//! How many files the process may have open, its connections included.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Two for each connection (the client's and its share of one upstream), and some for the rest.
const SPARE: u64 = 256;

/// Raises the limit to what the system allows; says so if that is less than the configured connections may need.
pub(super) fn raise_limit(connections: usize) {
    let wanted = (connections as u64).saturating_mul(2).saturating_add(SPARE);
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit { current: Some(allowed.min(wanted.max(limit.current.unwrap_or(0)))), ..limit };
    if limit.current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
    let current = getrlimit(Resource::Nofile).current;
    if let Some(current) = current.filter(|current| *current < wanted) {
        tracing::warn!(
            current,
            wanted,
            "fewer files may be open than `limits.connections` can need; raise `ulimit -n` (`LimitNOFILE=`)"
        );
    }
}
