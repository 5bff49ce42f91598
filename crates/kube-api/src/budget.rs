//! How many values a body may have.

use std::cell::Cell;

/// The most values, objects and arrays included, that a body may have: [`crate::MAX_BODY_BYTES`] of `[[],[],…` would
/// otherwise become a hundred times as much memory.
///
/// Twice what fits into an object that is kept: etcd takes 1.5 MiB (`--max-request-bytes`), and the densest real objects,
/// Endpoints with a thousand addresses, have a value in 21 bytes, which makes 75,000. Custom resource definitions have one
/// in 50 to 80.
pub const MAX_BODY_VALUES: usize = 128 * 1024;

/// What is left of them while one body is read.
#[derive(Debug)]
pub(crate) struct Budget {
    /// `None` once more was wanted than there was.
    left: Cell<Option<usize>>,
}

impl Budget {
    /// For one body.
    pub(crate) fn new() -> Self {
        Self { left: Cell::new(Some(MAX_BODY_VALUES)) }
    }

    /// Takes one value's share; `None` if there is none.
    pub(crate) fn take(&self) -> Option<()> {
        self.left.set(self.left.get().and_then(|left| left.checked_sub(1)));
        self.left.get().map(drop)
    }

    /// Whether a value was refused.
    pub(crate) fn is_overdrawn(&self) -> bool {
        self.left.get().is_none()
    }
}
