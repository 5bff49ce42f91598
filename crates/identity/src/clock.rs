use std::fmt;

use jiff::Timestamp;

/// What time it is; tests bring their own.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time, UTC.
    fn now(&self) -> Timestamp;
}

/// The system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
